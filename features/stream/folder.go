package stream

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"kindred/data"
	"kindred/data/event"
	"kindred/features"
	"kindred/model/popular"
)

// folder is one partition's fold on top of its store: load, fold, save. It is not
// safe for concurrent use, and neither appends nor waits.
type folder struct {
	partition int32
	builder   *features.Builder
	state     State
	recall    recall // state, as far as it is known
	models    features.Clusterers
	rules     features.Rules
	cached    int // profiles in memory between batches, at most
	bytes     int // and what they take

	memory *features.Memory // nil until loaded, and after any failure
	cursor int64            // as stored
	skips  map[int64]string // offsets not to fold, with the reason; "" for one that the log already says
	panics map[int64]int

	popular *popular.Live // nil: nobody asks

	// Memory of the batch that the next one uses again. Events alias their records and
	// the decoder until then.
	decoder event.Decoder
	events  []data.Event
	good    []data.Event
}

// tally counts what became of records.
type tally struct {
	outcomes [features.Outcomes]int64
	poisoned []int64 // offsets newly skipped
}

// load brings cursor, state and counters into memory.
func (f *folder) load(ctx context.Context) error {
	if f.memory != nil {
		return nil
	}
	cursor, b, err := f.state.Load(ctx, f.partition)
	if err != nil {
		return fmt.Errorf("load partition %d: %w", f.partition, err)
	}
	var s features.State
	if err := s.UnmarshalBinary(b); err != nil {
		return fmt.Errorf("load partition %d: %w", f.partition, err)
	}
	f.recall.State = f.state
	m := features.NewMemory(f.partition, s, &f.recall, f.models).WithRules(f.rules)
	if f.popular != nil {
		f.popular.DropPartition(f.partition)
	}
	err = f.state.ScanCounters(ctx, f.partition, func(key string, v []byte) error {
		c, err := features.DecodeCounts(v)
		if err != nil {
			return fmt.Errorf("counter %q: %w", key, err)
		}
		m.SetCounter(key, c)
		if f.popular != nil {
			f.popular.Set(f.partition, key, c)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("load partition %d: %w", f.partition, err)
	}
	f.memory, f.cursor = m, cursor
	return nil
}

// drop forgets everything in memory: the next load starts from what is stored.
func (f *folder) drop() {
	f.memory = nil
	f.recall.forgetAll()
}

// fold applies the records, in order, to memory. After an error memory is gone.
func (f *folder) fold(ctx context.Context, recs []data.Record) (t tally, err error) {
	defer func() {
		if err != nil {
			f.drop()
		}
	}()
	events := f.open(recs)
	if err := f.memory.Prefetch(ctx, f.good); err != nil {
		return t, err
	}
	for i, r := range recs {
		if reason, skip := f.skips[r.Offset]; skip {
			if reason != "" {
				t.poisoned = append(t.poisoned, r.Offset)
				f.memory.Reject(data.DeadLetter{At: time.UnixMilli(f.memory.State.Now).UTC(), Source: "log",
					Reason: fmt.Sprintf("partition %d, offset %d: %s", r.Partition, r.Offset, reason), Raw: r.Value})
			}
			continue
		}
		outcome, err := f.one(ctx, r, &events[i])
		if err != nil {
			return t, err
		}
		t.outcomes[outcome]++
	}
	return t, nil
}

// open reads the records that are not skipped, and skips what cannot be read. Their
// events are in the order of recs, and in f.good without gaps and without those that
// are nobody's affair.
func (f *folder) open(recs []data.Record) []data.Event {
	f.decoder.Reset()
	f.events = slices.Grow(f.events[:0], len(recs))[:len(recs)]
	f.good = f.good[:0]
	for i, r := range recs {
		f.events[i] = data.Event{}
		if _, skip := f.skips[r.Offset]; skip {
			continue
		}
		if err := f.decoder.Open(r.Value, &f.events[i]); err != nil {
			f.skip(r.Offset, err.Error())
			continue
		}
		if touches(&f.events[i]) {
			f.good = append(f.good, f.events[i])
		}
	}
	return f.events
}

// touches reports whether folding e reads or changes a profile: the log's own records
// and what was shown do not, so nobody has to be loaded for them.
func touches(e *data.Event) bool {
	return e.Type != data.System || e.Name == data.SysAbsorb || e.Name == data.SysDelete || e.Name == data.SysUnmerge || e.Name == data.SysAlias || e.Name == data.SysBackfill
}

// panicError is a panic of the fold.
type panicError struct {
	offset int64
	value  any
	stack  []byte
}

func (e *panicError) Error() string {
	return fmt.Sprintf("fold offset %d: panic: %v", e.offset, e.value)
}

// one folds one record. A panic becomes an error; the second at one offset makes
// the record poison.
func (f *folder) one(ctx context.Context, r data.Record, e *data.Event) (o features.Outcome, err error) {
	defer func() {
		if v := recover(); v != nil {
			p := &panicError{offset: r.Offset, value: v, stack: debug.Stack()}
			if f.panics == nil {
				f.panics = map[int64]int{}
			}
			if f.panics[r.Offset]++; f.panics[r.Offset] > 1 {
				f.skip(r.Offset, p.Error())
			}
			err = p
		}
	}()
	return f.builder.FoldEvent(ctx, f.memory, r.Offset, e)
}

func (f *folder) skip(offset int64, reason string) {
	if f.skips == nil {
		f.skips = map[int64]string{}
	}
	f.skips[offset] = reason
}

// save writes what was folded, with the cursor behind the last record, in one
// conditional write. After an error memory is gone. With deaf, dead letters are
// left out: a replay does not report them again.
func (f *folder) save(ctx context.Context, cursor int64, deaf bool) error {
	type counter struct {
		key    string
		counts popular.Counts
	}
	var counters []counter
	if f.popular != nil {
		f.memory.Counters(func(key string, c popular.Counts) { counters = append(counters, counter{key, c}) })
	}
	c, err := f.memory.Commit(cursor)
	if err == nil {
		if deaf {
			c.Dead = nil
		}
		err = f.state.Save(ctx, f.partition, f.cursor, c)
	}
	if err != nil {
		f.drop()
		return fmt.Errorf("save partition %d up to offset %d: %w", f.partition, cursor, err)
	}
	f.cursor = cursor
	f.recall.saved(c)
	clear(f.skips)
	clear(f.panics)
	f.memory.Shrink(f.cached, f.bytes)
	for _, c := range counters {
		f.popular.Set(f.partition, c.key, c.counts)
	}
	return nil
}
