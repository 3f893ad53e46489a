package popular

import (
	"fmt"
	"math"
	"time"
)

// Config says how fast popularity is forgotten.
type Config struct {
	// HalfLife of the long sum, which ranks popular items. Zero never decays:
	// plain popularity, as published baselines count it.
	HalfLife time.Duration `yaml:"half_life"`
	// ShortHalfLife of the sum that notices what is rising.
	ShortHalfLife time.Duration `yaml:"short_half_life"`
	// Smoothing is the pseudo-weight κ that a trend starts from: items with much
	// less weight than this show little trend either way.
	Smoothing float64 `yaml:"smoothing"`
}

// Default is a half-life of 14 days against 1 day, smoothed by a weight of 10.
func Default() Config {
	return Config{HalfLife: 14 * 24 * time.Hour, ShortHalfLife: 24 * time.Hour, Smoothing: 10}
}

// Validate names the field that is out of range.
func (c Config) Validate() error {
	switch {
	case c.HalfLife < 0:
		return fmt.Errorf("popular: half_life is %v: use 0 (never decay) or more", c.HalfLife)
	case c.ShortHalfLife <= 0:
		return fmt.Errorf("popular: short_half_life is %v: must be positive", c.ShortHalfLife)
	case c.HalfLife > 0 && c.ShortHalfLife >= c.HalfLife:
		return fmt.Errorf("popular: short_half_life %v is not below half_life %v", c.ShortHalfLife, c.HalfLife)
	case !(c.Smoothing > 0) || math.IsInf(c.Smoothing, 0):
		return fmt.Errorf("popular: smoothing is %v: must be a positive number", c.Smoothing)
	}
	return nil
}
