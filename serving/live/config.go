package live

import (
	"fmt"
	"time"
)

// Config says how closely the catalog is followed.
type Config struct {
	// Poll is the interval between looks at the current model and the items.
	Poll time.Duration `yaml:"poll"`
	// Retry is how long a model that could not be loaded is left alone.
	Retry time.Duration `yaml:"retry"`
	// Probes is how many of the newest real histories a new model must answer.
	Probes int `yaml:"probes"`
}

// Default polls four times a second.
func Default() Config {
	return Config{Poll: 250 * time.Millisecond, Retry: 10 * time.Second, Probes: 16}
}

// Validate reports the first field that makes no sense, and what would.
func (c Config) Validate() error {
	switch {
	case c.Poll < 10*time.Millisecond || c.Poll > time.Minute:
		return fmt.Errorf("live: poll is %v; use 10ms to 1m", c.Poll)
	case c.Retry <= 0:
		return fmt.Errorf("live: retry is %v; use a positive duration", c.Retry)
	case c.Probes < 0 || c.Probes > 1000:
		return fmt.Errorf("live: probes is %d; use 0 to 1000", c.Probes)
	}
	return nil
}
