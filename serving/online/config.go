package online

import (
	"fmt"
	"time"
)

// Config bounds what a read may cost.
type Config struct {
	// Wait is how long a read waits for the person's own events to be folded.
	Wait time.Duration `yaml:"wait"`
	// MaxAcks is the number of identifiers whose newest positions are remembered.
	MaxAcks int `yaml:"max_acks"`
	// KeptBytes bounds the memory of histories that are kept for the next list of the same
	// person, about 70 bytes for each item and 600; 0 keeps none. With a store that cannot say that a profile was written none are kept, either.
	KeptBytes int64 `yaml:"kept_bytes"`
}

// Default waits 50 ms, remembers 100,000 identifiers and keeps histories of 64 MiB.
func Default() Config {
	return Config{Wait: 50 * time.Millisecond, MaxAcks: 100_000, KeptBytes: 64 << 20}
}

// Validate reports the first field that makes no sense, and what would.
func (c Config) Validate() error {
	switch {
	case c.Wait < 0 || c.Wait > 10*time.Second:
		return fmt.Errorf("online: wait is %v; use 0 to 10s", c.Wait)
	case c.MaxAcks < 1:
		return fmt.Errorf("online: max_acks is %d; use 1 or more", c.MaxAcks)
	case c.KeptBytes < 0 || c.KeptBytes > 1<<40:
		return fmt.Errorf("online: kept_bytes is %d; use 0 (none) to 1 TiB", c.KeptBytes)
	}
	return nil
}
