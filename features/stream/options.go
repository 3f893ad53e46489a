package stream

import (
	"fmt"
	"log/slog"
	"time"

	"kindred/data"
	"kindred/features"
)

// Options are what a Worker is made of. Log, State and Partitions are required.
type Options struct {
	Log        Log
	State      State
	Partitions int32
	Space      data.Space // of the events it appends; data.DefaultSpace

	Features features.Config // zero: features.Default
	// Clusterers finds the clusters of the live model version; nil means no clusters.
	Clusterers features.Clusterers

	// Rules finds the segment rules of a version; nil means no segments.
	Rules features.Rules

	// BatchRecords is how many records are folded and saved at once, at most; 2048.
	// What is there is folded at once; only after a batch of 256 records or more is the next
	// one awaited until it is full, for 100 ms at most and not while somebody waits for
	// a fold: so each person is saved once for many records where many come. Who waits for a fold
	// waits for a batch: it should take less than online.Config.Wait.
	BatchRecords int
	// CachedProfiles is how many decoded profiles a partition keeps; 4096.
	CachedProfiles int
	// CachedBytes is about how much memory these may take, with their texts: above it, after
	// a batch, all are forgotten. 32 MiB.
	CachedBytes int
	// RecallBytes bounds what a partition remembers of stored message ids, beside its
	// profiles; 8 MiB.
	RecallBytes int

	Now    func() time.Time // stamps ticks, markers and flushes; time.Now
	Logger *slog.Logger     // nil is silent
}

// withDefaults fills in what was left out, or says what is missing.
func (o Options) withDefaults() (Options, error) {
	switch {
	case o.Log == nil || o.State == nil:
		return o, fmt.Errorf("stream: Log and State are required")
	case o.Partitions < 1:
		return o, fmt.Errorf("stream: partitions is %d; use the log's number, at least 1", o.Partitions)
	case o.BatchRecords < 0 || o.CachedProfiles < 0 || o.CachedBytes < 0 || o.RecallBytes < 0:
		return o, fmt.Errorf("stream: batch records %d, cached profiles %d, cached bytes %d and recall bytes %d must not be negative",
			o.BatchRecords, o.CachedProfiles, o.CachedBytes, o.RecallBytes)
	}
	if o.Space == "" {
		o.Space = data.DefaultSpace
	}
	if o.Features.SessionGap == 0 {
		o.Features = features.Default()
	}
	if err := o.Features.Validate(); err != nil {
		return o, fmt.Errorf("stream: %w", err)
	}
	if o.BatchRecords == 0 {
		o.BatchRecords = 2048
	}
	if o.CachedProfiles == 0 {
		o.CachedProfiles = 4096
	}
	if o.CachedBytes == 0 {
		o.CachedBytes = 32 << 20
	}
	if o.RecallBytes == 0 {
		o.RecallBytes = 8 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
