package schedule

import (
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
)

// Config says when to train. With neither Cron nor Every set nothing ever runs.
type Config struct {
	// Cron is a cron spec of five fields, or a descriptor such as "@daily" or
	// "@every 6h", in UTC unless it begins with CRON_TZ=. Empty turns it off.
	Cron string `yaml:"cron" json:"cron"`
	// EveryEvents starts a run once so many events are new since the last run that
	// judged a model, published or refused, by whichever process; all are new before
	// the first. It survives restarts. What counts is records of the log: tracked and
	// imported events, and the few that servers write themselves, such as ticks. 0
	// turns it off.
	EveryEvents int64 `yaml:"every_events" json:"every_events"`
	// Poll is how often the number of events is looked at.
	Poll time.Duration `yaml:"poll" json:"poll"`
	// LeaseTTL is how long the lease outlives a process that stopped renewing it.
	LeaseTTL time.Duration `yaml:"lease_ttl" json:"lease_ttl"`
}

// Default trains daily at 04:00 UTC, or after 100,000 new events.
func Default() Config {
	return Config{Cron: "0 4 * * *", EveryEvents: 100_000, Poll: 10 * time.Second, LeaseTTL: 30 * time.Second}
}

// Validate reports the first field that makes no sense, and what would.
func (c Config) Validate() error {
	if c.Cron != "" {
		if _, err := cron.ParseStandard(c.Cron); err != nil {
			return fmt.Errorf("schedule: cron %q: %w; use five fields such as \"0 4 * * *\", or \"@daily\"", c.Cron, err)
		}
	}
	switch {
	case c.EveryEvents < 0:
		return fmt.Errorf("schedule: every_events is %d; use 0 for never, or the number of new events that starts a run", c.EveryEvents)
	case c.Poll < time.Second:
		return fmt.Errorf("schedule: poll is %v; use at least 1s", c.Poll)
	case c.LeaseTTL < 3*time.Second:
		return fmt.Errorf("schedule: lease_ttl is %v; use at least 3s", c.LeaseTTL)
	}
	return nil
}
