package stream

import (
	"context"
	"errors"
	"fmt"

	"kindred/data"
	"kindred/data/event"
	"kindred/features"
)

// Target is where a replay puts what it folds: an empty place beside the store, or
// the store itself, emptied first.
type Target interface {
	State
	// DropState removes what the fold derived and the cursor; the log stays.
	DropState(ctx context.Context, partition int32) error
}

// History is where the records that the log no longer has are found: the lake.
type History interface {
	// Events calls fn with the partition's records, oldest first.
	Events(ctx context.Context, partition int32, fn func(data.Record, data.Event) error) error
}

// ReplayOptions say what is folded again, and into what. Log, Target and Partitions
// are required.
type ReplayOptions struct {
	Log        Log
	History    History // needed when the log does not start at 0
	Target     Target
	Partitions int32
	Features   features.Config // zero: features.Default
	Clusterers features.Clusterers
	Rules      features.Rules // as in Options
	// Until is the offset before which the partition's replay stops; nil: the
	// log's end. To compare with a store, stop where its cursor is.
	Until func(partition int32) int64
	// BatchRecords and CachedProfiles are as in Options. They change no byte.
	BatchRecords   int
	CachedProfiles int
	// Progress is called after each batch; may be nil.
	Progress func(partition int32, folded, end int64)
}

// Replay empties the target and folds every partition's records from the first on.
// It appends nothing, reports no dead letter again, and may be repeated after a
// failure. The same log gives the same bytes as the stream did.
func Replay(ctx context.Context, opt ReplayOptions) error {
	filled, err := Options{Log: opt.Log, State: opt.Target, Partitions: opt.Partitions, Features: opt.Features,
		BatchRecords: opt.BatchRecords, CachedProfiles: opt.CachedProfiles}.withDefaults()
	if err != nil {
		return err
	}
	opt.BatchRecords, opt.CachedProfiles = filled.BatchRecords, filled.CachedProfiles
	builder := features.NewBuilder(filled.Features)
	for n := range opt.Partitions {
		r := replay{opt: opt, end: opt.Log.End(n), folder: folder{partition: n, builder: builder, state: opt.Target,
			models: opt.Clusterers, rules: opt.Rules, cached: opt.CachedProfiles, bytes: filled.CachedBytes, recall: recall{limit: filled.RecallBytes / 3}}}
		if opt.Until != nil {
			r.end = opt.Until(n)
		}
		if err := r.run(ctx); err != nil {
			return fmt.Errorf("replay partition %d: %w", n, err)
		}
	}
	return nil
}

// replay is one partition's.
type replay struct {
	opt    ReplayOptions
	end    int64
	folder folder
	known  map[int64]string // skips that the log tells of
	batch  []data.Record
}

func (r *replay) run(ctx context.Context) error {
	if err := r.opt.Target.DropState(ctx, r.folder.partition); err != nil {
		return err
	}
	r.known = map[int64]string{}
	if err := r.records(ctx, r.opt.Log.End(r.folder.partition), func(rec data.Record) error {
		if e, err := event.Open(rec.Value); err == nil && e.Type == data.System && e.Name == data.SysSkip && e.Skip != nil {
			r.known[*e.Skip] = ""
		}
		return nil
	}); err != nil {
		return fmt.Errorf("look for skipped records: %w", err)
	}
	if err := r.records(ctx, r.end, func(rec data.Record) error {
		if r.batch = append(r.batch, rec); len(r.batch) < r.opt.BatchRecords {
			return nil
		}
		return r.flush(ctx)
	}); err != nil {
		return err
	}
	return r.flush(ctx)
}

// records calls fn with the records before end, from lake and log.
func (r *replay) records(ctx context.Context, end int64, fn func(data.Record) error) error {
	n := r.folder.partition
	next, start := int64(0), r.opt.Log.Start(n)
	in := func(rec data.Record) error {
		if rec.Offset != next {
			return fmt.Errorf("offset %d is missing; the next one is %d", next, rec.Offset)
		}
		next++
		return fn(rec)
	}
	if start > 0 {
		if r.opt.History == nil {
			return fmt.Errorf("the log starts at offset %d and there is no lake to read what was before", start)
		}
		err := r.opt.History.Events(ctx, n, func(rec data.Record, _ data.Event) error {
			if rec.Offset >= min(start, end) {
				return nil
			}
			return in(rec)
		})
		if err != nil {
			return fmt.Errorf("read the lake: %w", err)
		}
	}
	for next < end {
		recs, err := r.opt.Log.Read(ctx, n, next, int(min(int64(r.opt.BatchRecords), end-next)))
		if err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		if len(recs) == 0 {
			return fmt.Errorf("the log ends at offset %d, before %d", next, end)
		}
		for _, rec := range recs {
			if err := in(rec); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush folds and saves the batch.
func (r *replay) flush(ctx context.Context) error {
	if len(r.batch) == 0 {
		return nil
	}
	for {
		r.folder.skips = map[int64]string{}
		for offset := range r.known {
			r.folder.skips[offset] = ""
		}
		if err := r.folder.load(ctx); err != nil {
			return err
		}
		_, err := r.folder.fold(ctx, r.batch)
		var panicked *panicError
		if errors.As(err, &panicked) {
			if r.folder.panics[panicked.offset] > 1 {
				r.known[panicked.offset] = "" // as the stream would decide now
			}
			continue
		}
		if err != nil {
			return err
		}
		break
	}
	end := r.batch[len(r.batch)-1].Offset + 1
	if err := r.folder.save(ctx, end, true); err != nil {
		return err
	}
	r.batch = r.batch[:0]
	if r.opt.Progress != nil {
		r.opt.Progress(r.folder.partition, end, r.end)
	}
	return nil
}
