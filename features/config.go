package features

import (
	"fmt"
	"time"

	"kindred/features/identity"
)

// Config is what the fold can be told. Changing it changes what later records
// fold to; profiles already folded keep their values until a replay.
type Config struct {
	Weights Weights `yaml:"weights"`
	// SessionGap is the inactivity that ends a session.
	SessionGap time.Duration `yaml:"session_gap"`
	// MaxEventAge is how much older than log time an event may be; also the
	// horizon of deduplication. Imported history may be of any age.
	MaxEventAge time.Duration `yaml:"max_event_age"`
	// HistoryCap bounds a person's distinct items, newest first.
	HistoryCap int `yaml:"history_cap"`
	// RecentCap bounds the newest events kept with their details.
	RecentCap int `yaml:"recent_cap"`
	// AffinityCap bounds the values kept per facet.
	AffinityCap int `yaml:"affinity_cap"`
	// MaxProfileBytes is a profile's budget, without its History.
	MaxProfileBytes int `yaml:"max_profile_bytes"`
	// ClusterMargin is ε: a person changes cluster only if the new centroid's
	// distance is below (1 − ε) of the old one's.
	ClusterMargin float64 `yaml:"cluster_margin"`
	// MaxCounters bounds the items and categories whose popularity a partition counts, at
	// about 300 bytes each: at the bound, the quarter with the least weight is forgotten.
	MaxCounters int `yaml:"max_counters"`
	// Identity says which identifiers identify nobody.
	Identity identity.Rules `yaml:"identity"`
}

// Default is the configuration of the specification.
func Default() Config {
	return Config{
		Weights:         DefaultWeights(),
		SessionGap:      30 * time.Minute,
		MaxEventAge:     7 * 24 * time.Hour,
		HistoryCap:      2000,
		RecentCap:       50,
		AffinityCap:     64,
		MaxProfileBytes: 8 << 10,
		ClusterMargin:   0.1,
		MaxCounters:     30_000,
		Identity:        identity.Default(),
	}
}

// The most that a configuration may ask for: a profile is read and written as a whole.
const (
	MaxRecentCap       = 10_000
	MaxMaxProfileBytes = 1 << 20
)

// Validate reports the first field that makes no sense, and what would.
func (c Config) Validate() error {
	if err := c.Weights.Validate(); err != nil {
		return fmt.Errorf("features: %w", err)
	}
	if err := c.Identity.Validate(); err != nil {
		return fmt.Errorf("features: %w", err)
	}
	switch {
	case c.SessionGap < time.Second:
		return fmt.Errorf("features: session_gap is %v; use at least 1s", c.SessionGap)
	case c.MaxEventAge < time.Hour:
		return fmt.Errorf("features: max_event_age is %v; use at least 1h", c.MaxEventAge)
	case c.RecentCap > MaxRecentCap:
		return fmt.Errorf("features: recent_cap is %d; use at most %d", c.RecentCap, MaxRecentCap)
	case c.MaxProfileBytes > MaxMaxProfileBytes:
		return fmt.Errorf("features: max_profile_bytes is %d; use at most %d", c.MaxProfileBytes, MaxMaxProfileBytes)
	case c.HistoryCap < 1:
		return fmt.Errorf("features: history_cap is %d; use at least 1", c.HistoryCap)
	case c.RecentCap < 1:
		return fmt.Errorf("features: recent_cap is %d; use at least 1", c.RecentCap)
	case c.AffinityCap < 1:
		return fmt.Errorf("features: affinity_cap is %d; use at least 1", c.AffinityCap)
	case c.MaxProfileBytes < 1<<10:
		return fmt.Errorf("features: max_profile_bytes is %d; use at least 1024", c.MaxProfileBytes)
	case c.MaxCounters < 1:
		return fmt.Errorf("features: max_counters is %d; use at least 1", c.MaxCounters)
	case !(c.ClusterMargin >= 0 && c.ClusterMargin < 1):
		return fmt.Errorf("features: cluster_margin is %v; use 0 up to, not including, 1", c.ClusterMargin)
	}
	return nil
}
