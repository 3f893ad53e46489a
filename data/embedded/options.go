package embedded

import (
	"errors"
	"fmt"
	"log/slog"

	"kindred/data"
)

// DefaultPartitions is how many partitions a new embedded store gets.
const DefaultPartitions = 8

// MaxPartitions bounds the number of partitions of one store.
const MaxPartitions = 1024

// Options say how to open a Store. The zero value of every field means its default.
type Options struct {
	// Space is the tenant whose keys this store reads and writes; data.DefaultSpace.
	Space data.Space `yaml:"space"`
	// Partitions is fixed when the store is made; another number is refused later.
	// 0 takes what is recorded, or DefaultPartitions for a new store.
	Partitions int32 `yaml:"partitions"`
	// QueueRecords and QueueBytes bound what was accepted by Append and is not yet
	// durable, over all callers: 65,536 records, 64 MiB.
	QueueRecords int `yaml:"queue_records"`
	QueueBytes   int `yaml:"queue_bytes"`
	// CacheBytes is how much of what was read the engine keeps, uncompressed; 256 MiB.
	CacheBytes int64 `yaml:"cache_bytes"`
	// Logger hears about recovery and failures; the engine's own chatter goes to
	// its debug level. Nil is silent.
	Logger *slog.Logger `yaml:"-"`

	// StateOnly opens a store that has no log of its own: Append is refused and
	// cursors are positions in somebody else's log. For rebuilding state beside
	// a store, to compare the two.
	StateOnly bool `yaml:"-"`
	// DropAhead drops, at open, the state of partitions whose cursor lies beyond
	// the log's end, instead of refusing. For `kindred replay`, which rebuilds it.
	DropAhead bool `yaml:"-"`
}

// Default is what the zero Options mean.
func Default() Options { return Options{}.withDefaults() }

func (o Options) withDefaults() Options {
	if o.Space == "" {
		o.Space = data.DefaultSpace
	}
	if o.QueueRecords == 0 {
		o.QueueRecords = 1 << 16
	}
	if o.QueueBytes == 0 {
		o.QueueBytes = 64 << 20
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 256 << 20
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Validate reports everything that is wrong with the options, or nil.
func (o Options) Validate() error {
	o = o.withDefaults()
	var errs []error
	if err := o.Space.Validate(); err != nil {
		errs = append(errs, err)
	}
	if o.Partitions < 0 || o.Partitions > MaxPartitions {
		errs = append(errs, fmt.Errorf("partitions: %d; use 1 to %d, or 0 for what the store was made with", o.Partitions, MaxPartitions))
	}
	if o.QueueRecords < 1 {
		errs = append(errs, fmt.Errorf("queue_records: %d; use at least 1", o.QueueRecords))
	}
	if o.QueueBytes < 1 {
		errs = append(errs, fmt.Errorf("queue_bytes: %d; use at least 1", o.QueueBytes))
	}
	if o.CacheBytes < 1<<20 {
		errs = append(errs, fmt.Errorf("cache_bytes: %d; use at least 1 MiB", o.CacheBytes))
	}
	return errors.Join(errs...)
}
