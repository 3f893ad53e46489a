package stream

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"time"

	"kindred/data"
	"kindred/data/event"
	"kindred/features"
	"kindred/features/segment"
)

// BackfillOptions say what is folded again. Log, Partitions and Rules are required.
type BackfillOptions struct {
	Log        Log
	History    History // needed when the log does not start at 0
	Partitions int32
	Features   features.Config // zero: features.Default
	Clusterers features.Clusterers

	Version string       // whose markers end it; "" ends it where the log ended when it began
	Rules   *segment.Set // of the version
	Former  *segment.Set // of the version before, or nil: slots that it has are not brought
	// Share is called with every event to append; an error ends the backfill. May be nil.
	Share func(data.Event) error
	// Change and Person are called with every change on the way and with everybody at the end; may
	// be nil. A person may be changed and is good until the next.
	Change func(data.Change)
	Person func(data.Profile)
	// Progress is called now and then; may be nil.
	Progress func(folded, end int64)
}

// Backfill folds what every partition has before its first marker of the version, in memory and under
// the version's rules, and gives each profile what that has made of its new slots. An absorb that
// the log carries was made under the rules of its time; here its state is made anew, so the
// partition that it came from is folded first, up to the record that caused it. Nothing is
// appended or saved; the same log gives the same events in the same order.
func Backfill(ctx context.Context, opt BackfillOptions) error {
	if opt.Features.SessionGap == 0 {
		opt.Features = features.Default()
	}
	b := &backfill{opt: opt, builder: features.NewBuilder(opt.Features), absorbs: map[string]*absorb{}}
	rules := func(context.Context, string) (*segment.Set, error) { return opt.Rules, nil }
	for n := range opt.Partitions {
		if n := opt.Log.Start(n); n > 0 && opt.History == nil {
			return fmt.Errorf("backfill: the log starts at offset %d and there is no lake to read what was before", n)
		}
		m := features.NewMemory(n, features.State{Rules: cmp.Or(opt.Version, "recount")}, nil, opt.Clusterers).WithRules(rules)
		b.parts = append(b.parts, &backfilled{n: n, memory: m, end: opt.Log.End(n)})
		b.end += opt.Log.End(n)
	}
	for _, p := range b.parts {
		if err := b.findSkips(ctx, p); err != nil {
			return fmt.Errorf("backfill: partition %d: %w", p.n, err)
		}
	}
	for _, p := range b.parts {
		if err := b.advance(ctx, p, p.end); err != nil {
			return fmt.Errorf("backfill: partition %d: %w", p.n, err)
		}
		if p.at.IsZero() && opt.Version != "" {
			return fmt.Errorf("backfill: partition %d has no marker of rules %s: %w", p.n, opt.Version, data.ErrNotFound)
		}
	}
	for _, p := range b.parts {
		b.changed(p)
		if opt.Person != nil {
			p.memory.Profiles(opt.Person)
		}
	}
	if opt.Share == nil {
		return nil
	}
	return b.share()
}

// changed tells of changes since the last Discard.
func (b *backfill) changed(p *backfilled) {
	if b.opt.Change != nil {
		for _, c := range p.memory.Changes() {
			b.opt.Change(c)
		}
	}
}

type backfill struct {
	opt     BackfillOptions
	builder *features.Builder
	parts   []*backfilled
	absorbs map[string]*absorb // by message id
	order   []string           // of their ids
	folded  int64
	end     int64
}

// absorb is one that the fold emitted.
type absorb struct {
	to       data.ProfileID
	state    []byte
	absorbed bool
}

// backfilled is one partition.
type backfilled struct {
	n       int32
	memory  *features.Memory
	next    int64 // offset of the next record to fold
	end     int64
	at      time.Time // of the marker, once it is met
	skips   map[int64]bool
	batch   []data.Record // read ahead
	older   []data.Record // that the log has no more, once they are read
	decoder event.Decoder
	fresh   int // events that it emitted since the last Discard and that were taken
}

// findSkips notes which records the fold skipped.
func (b *backfill) findSkips(ctx context.Context, p *backfilled) error {
	p.skips = map[int64]bool{}
	note := func(r data.Record) {
		if !bytes.Contains(r.Value, []byte(`"`+data.SysSkip+`"`)) {
			return
		}
		if e, err := event.Open(r.Value); err == nil && e.Type == data.System && e.Name == data.SysSkip && e.Skip != nil {
			p.skips[*e.Skip] = true
		}
	}
	start := b.opt.Log.Start(p.n)
	if start > 0 {
		err := b.opt.History.Events(ctx, p.n, func(r data.Record, _ data.Event) error {
			if r.Offset < start {
				note(r)
				r.Value = bytes.Clone(r.Value)
				p.older = append(p.older, r)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("read the lake: %w", err)
		}
	}
	for next := start; next < p.end; {
		recs, err := b.opt.Log.Read(ctx, p.n, next, backfillBatch)
		if err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		if len(recs) == 0 {
			return fmt.Errorf("the log ends at offset %d, before %d", next, p.end)
		}
		for _, r := range recs {
			note(r)
			next = r.Offset + 1
		}
	}
	return nil
}

const backfillBatch = 2048

// read gives the partition's next record.
func (b *backfill) read(ctx context.Context, p *backfilled) (r data.Record, err error) {
	if len(p.batch) == 0 {
		b.changed(p)
		p.memory.Discard() // before the memory of the records that were folded is used again
		p.decoder.Reset()
		p.fresh = 0
		if p.batch, p.older = p.older, nil; len(p.batch) == 0 {
			if p.batch, err = b.opt.Log.Read(ctx, p.n, p.next, backfillBatch); err != nil {
				return r, fmt.Errorf("read the log: %w", err)
			}
		}
		if len(p.batch) == 0 {
			return r, fmt.Errorf("the log ends at offset %d, before %d", p.next, p.end)
		}
		if b.opt.Progress != nil {
			b.opt.Progress(b.folded, b.end)
		}
	}
	r, p.batch = p.batch[0], p.batch[1:]
	if r.Offset != p.next {
		return r, fmt.Errorf("offset %d is missing; the next one is %d", p.next, r.Offset)
	}
	p.next++
	b.folded++
	return r, nil
}

// advance folds the partition's records before the offset, or before the marker.
func (b *backfill) advance(ctx context.Context, p *backfilled, before int64) error {
	for p.next < before && p.at.IsZero() {
		r, err := b.read(ctx, p)
		if err != nil {
			return err
		}
		var e data.Event
		if p.skips[r.Offset] || p.decoder.Open(r.Value, &e) != nil {
			continue
		}
		if e.Type == data.System {
			if e.Name == data.SysBackfill {
				continue // of another version; what it brought is counted here from the events
			}
			if e.Name == data.SysMarker && e.Marker != nil && e.Marker.Rules != "" && e.Marker.Rules == b.opt.Version {
				p.at = e.Times.Received
				return nil
			}
			if err := b.renew(ctx, &e); err != nil {
				return err
			}
		}
		if _, err := b.builder.FoldEvent(ctx, p.memory, r.Offset, &e); err != nil {
			return fmt.Errorf("fold offset %d: %w", r.Offset, err)
		}
		b.take(p)
	}
	return nil
}

// renew gives an absorb the state that it has under the version's rules.
func (b *backfill) renew(ctx context.Context, e *data.Event) error {
	from, ok := features.ParsePosition(e.ID)
	if e.Name != data.SysAbsorb || e.Absorb == nil || !ok || from.Partition < 0 || int(from.Partition) >= len(b.parts) {
		return nil
	}
	source := b.parts[from.Partition]
	if err := b.advance(ctx, source, min(from.Offset+1, source.end)); err != nil {
		return fmt.Errorf("partition %d: %w", source.n, err)
	}
	if a := b.absorbs[e.ID]; a != nil {
		e.Absorb = &data.Absorb{From: e.Absorb.From, State: a.state, Dedup: e.Absorb.Dedup}
		a.absorbed = true
	}
	return nil
}

// take keeps the absorbs that the last record made.
func (b *backfill) take(p *backfilled) {
	emitted := p.memory.Emitted()
	for _, e := range emitted[p.fresh:] {
		if e.Type == data.System && e.Name == data.SysAbsorb && b.absorbs[e.ID] == nil {
			b.absorbs[e.ID] = &absorb{to: e.Profile, state: e.Absorb.State}
			b.order = append(b.order, e.ID)
		}
	}
	p.fresh = len(emitted)
}

// share hands out what everybody has in new slots, and what absorbs had that were on their way.
func (b *backfill) share() (err error) {
	for _, p := range b.parts {
		p.memory.SegmentStates(func(id data.ProfileID, state []byte) {
			if err == nil {
				err = b.one(string(id), id, state, p.at)
			}
		})
		if err != nil {
			return err
		}
	}
	for _, id := range b.order {
		a := b.absorbs[id]
		if a.absorbed {
			continue
		}
		var p data.Profile
		if err := p.UnmarshalBinary(a.state); err != nil {
			return err
		}
		if len(p.Segments) > 0 {
			home := b.parts[data.PartitionOf(string(a.to), b.opt.Partitions)]
			if err := b.one(id, a.to, p.Segments, home.at); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *backfill) one(from string, to data.ProfileID, state []byte, at time.Time) error {
	gained, some, err := b.opt.Rules.Gained(state, b.opt.Former)
	if err != nil || !some {
		return err
	}
	return b.opt.Share(features.NewBackfill(b.opt.Version, from, to, gained, at))
}
