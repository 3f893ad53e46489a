package hybrid

import (
	"fmt"
	"slices"
)

// Config says how weights are learned.
type Config struct {
	// K is the list length whose NDCG is maximised.
	K int `yaml:"k"`
	// Normalization makes the components' scores comparable: zscore or rank.
	Normalization Normalization `yaml:"normalization"`
	// HistoryBuckets are the upper ends of the ranges of history length that get
	// weights of their own, rising: [0, 3] means 0, 1 to 3, and 4 or more items. Empty: one set for all.
	HistoryBuckets []int `yaml:"history_buckets"`
	// MinCases is how many validation cases a range needs for weights of its own;
	// below that it uses those for everybody.
	MinCases int `yaml:"min_cases"`
	// MaxCases bounds the work: of more cases a seeded sample is used. 0 uses all.
	MaxCases int `yaml:"max_cases"`
	// Starts is the number of random mixtures the search begins from, beside every
	// component alone and all of them equally.
	Starts int `yaml:"starts"`
	// Seed decides the sample and the random starts.
	Seed uint64 `yaml:"seed"`
	// Workers is how many goroutines evaluate; 0 means one for each processor. It
	// changes no byte of the result.
	Workers int `yaml:"workers"`
}

// Default maximises NDCG@10 of z-scores on at most 5,000 cases.
func Default() Config {
	return Config{
		K: 10, Normalization: ZScore, HistoryBuckets: []int{0, 3}, MinCases: 200, MaxCases: 5000, Starts: 4, Seed: 1,
	}
}

// Validate names the field that is out of range.
func (c Config) Validate() error {
	switch {
	case c.K < 1:
		return fmt.Errorf("hybrid: k is %d: must be 1 or more", c.K)
	case c.Normalization != ZScore && c.Normalization != Rank:
		return fmt.Errorf("hybrid: normalization is %q: use %s or %s", c.Normalization, ZScore, Rank)
	case c.MinCases < 1:
		return fmt.Errorf("hybrid: min_cases is %d: must be 1 or more", c.MinCases)
	case c.MaxCases < 0:
		return fmt.Errorf("hybrid: max_cases is %d: use 0 (all) or more", c.MaxCases)
	case c.Starts < 0:
		return fmt.Errorf("hybrid: starts is %d: use 0 or more", c.Starts)
	case c.Workers < 0:
		return fmt.Errorf("hybrid: workers is %d: use 0 (one for each processor) or more", c.Workers)
	}
	for i, upTo := range c.HistoryBuckets {
		if upTo < 0 || i > 0 && upTo <= c.HistoryBuckets[i-1] {
			return fmt.Errorf("hybrid: history_buckets is %v: must rise from 0 or more", c.HistoryBuckets)
		}
	}
	return nil
}

// bucketOf is the index of the range that a history of the given length falls in.
func (c Config) bucketOf(history int) int {
	at, _ := slices.BinarySearch(c.HistoryBuckets, history)
	return at
}
