package recommend

import "fmt"

// Config bounds what an answer explains.
type Config struct {
	// Because is the number of leading items of a list that name past items.
	Because int `yaml:"because"`
	// ExplainHistory is how many of the newest past items explanations look at.
	ExplainHistory int `yaml:"explain_history"`
	// Causes is the number of past items, and of terms, named per reason.
	Causes int `yaml:"causes"`
	// CacheBytes bounds the memory of the answers that are kept for the same question
	// from the same person, about 600 bytes for a list of ten; 0 keeps none.
	CacheBytes int64 `yaml:"cache_bytes"`
}

// Default explains the first 20 items from the newest 100 past ones, and keeps
// answers of 64 MiB.
func Default() Config {
	return Config{Because: 20, ExplainHistory: 100, Causes: 3, CacheBytes: 64 << 20}
}

// Validate reports the first field that makes no sense, and what would.
func (c Config) Validate() error {
	switch {
	case c.Because < 0 || c.Because > MaxN:
		return fmt.Errorf("recommend: because is %d; use 0 to %d", c.Because, MaxN)
	case c.ExplainHistory < 0 || c.ExplainHistory > 10_000:
		return fmt.Errorf("recommend: explain_history is %d; use 0 to 10000", c.ExplainHistory)
	case c.Causes < 0 || c.Causes > 20:
		return fmt.Errorf("recommend: causes is %d; use 0 to 20", c.Causes)
	case c.CacheBytes < 0 || c.CacheBytes > 1<<40:
		return fmt.Errorf("recommend: cache_bytes is %d; use 0 (no cache) to 1 TiB", c.CacheBytes)
	}
	return nil
}
