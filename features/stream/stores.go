package stream

import (
	"context"

	"kindred/data"
)

// Log is what the loop asks of the log.
type Log interface {
	// Append makes recs durable and assigns their offsets, all or none.
	Append(ctx context.Context, recs []data.Record) error
	// Read returns up to max durable records from offset from on.
	Read(ctx context.Context, partition int32, from int64, max int) ([]data.Record, error)
	// Wait blocks until End > after.
	Wait(ctx context.Context, partition int32, after int64) error
	Start(partition int32) int64
	End(partition int32) int64
}

// State is what the loop asks of the store that keeps partitions' state.
type State interface {
	Load(ctx context.Context, partition int32) (cursor int64, state []byte, err error)
	// Save writes c if the stored cursor is expect, else nothing: data.ErrStale.
	Save(ctx context.Context, partition int32, expect int64, c *data.Commit) error
	LoadProfiles(ctx context.Context, partition int32, ids []data.ProfileID) (map[data.ProfileID][]byte, error)
	LoadDedup(ctx context.Context, partition int32, keys []data.DedupKey) (map[data.DedupKey][]uint64, error)
	// DueTimers are the timers at or before until, in (At, Profile, Slot) order.
	DueTimers(ctx context.Context, partition int32, until int64, limit int) ([]data.Timer, error)
	NextTimer(ctx context.Context, partition int32) (at int64, ok bool, err error)
	ScanCounters(ctx context.Context, partition int32, fn func(key string, v []byte) error) error
}
