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
	// KeptBytes bounds the memory of decoded profiles that are kept for the next read,
	// about 8 kB each; 0 keeps none. A store that cannot say that a profile was written keeps none, either.
	KeptBytes int64 `yaml:"kept_bytes"`
}

// Default waits 50 ms, remembers 100,000 identifiers and keeps profiles of 64 MiB.
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
