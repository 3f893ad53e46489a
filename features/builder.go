package features

import (
	"context"
	"slices"
	"time"

	"kindred/data"
	"kindred/data/event"
	"kindred/features/compact"
	"kindred/features/segment"
	"kindred/model/popular"
)

// Outcome says what became of an event.
type Outcome int

// The outcomes.
const (
	Applied   Outcome = iota // it changed its profile, or was a system record and took effect
	Duplicate                // it had been applied before
	Late                     // it was older than MaxEventAge by log time; kept in Commit.Late
	Forwarded                // its profile was merged into another; sent there
	Erased                   // it happened before its profile was erased
	Rejected                 // it makes no sense; kept in Commit.Dead
	outcomes
)

// Outcomes is how many outcomes there are.
const Outcomes = int(outcomes)

// String is the outcome's name in metrics.
func (o Outcome) String() string {
	return [...]string{"applied", "duplicate", "late", "forwarded", "erased", "dead"}[o]
}

// Builder folds events into profiles. It is immutable and safe for concurrent use
// on different memories.
type Builder struct {
	cfg     Config
	slots   []slot
	popular popular.Config // half-lives of the counters
	gap     int64          // SessionGap in ms
	maxAge  int64          // MaxEventAge in ms

	countedSlots [len(counted)]int // places in slots
	revenueSlot  int
	slotsOf      [data.Hide + 1]compact.SlotSet // by kind, where an act of it counts

	whole bool // for tests: no event is usual
}

// NewBuilder returns the fold of a configuration. A cfg that Validate refuses panics.
func NewBuilder(cfg Config) *Builder {
	if err := cfg.Validate(); err != nil {
		panic(err)
	}
	b := &Builder{cfg: cfg, slots: builtinSlots(), popular: popular.Default(),
		gap: cfg.SessionGap.Milliseconds(), maxAge: cfg.MaxEventAge.Milliseconds()}
	for i, c := range counted {
		b.countedSlots[i] = slices.IndexFunc(b.slots, func(s slot) bool {
			return s.kinds == 1<<c.act && !s.sum && s.width == time.Duration(c.days)*24*time.Hour
		})
	}
	for i, s := range b.slots {
		for k := range b.slotsOf {
			if s.kinds&(1<<k) != 0 {
				b.slotsOf[k] |= 1 << i
			}
		}
	}
	b.revenueSlot = slices.IndexFunc(b.slots, func(s slot) bool { return s.sum })
	return b
}

// fold is one record being folded.
type fold struct {
	b      *Builder
	ctx    context.Context // of this call only, for loads
	m      *Memory
	offset int64
	now    int64       // log time with this record
	who    compact.Ref // whose record it is
	k      int32       // changes so far
	sent   int         // emitted events so far
}

// Fold applies the event at the given offset of the memory's partition. First log
// time moves to the event's received stamp and every timer due by then fires.
//
// What it changed is in m until m.Commit; m keeps no part of e beyond that. The error
// is the Source's, wrapped; m must then be thrown away. An ordinary event of a known
// person changes their compact profile in place and allocates nothing; anything else
// costs O(size of the profile). Loads of what Prefetch did not bring come on top.
func (b *Builder) Fold(ctx context.Context, m *Memory, offset int64, e data.Event) (Outcome, error) {
	m.event = e // where a pointer to it costs no allocation
	o, err := b.FoldEvent(ctx, m, offset, &m.event)
	m.event = data.Event{}
	return o, err
}

// FoldEvent is Fold without copying the event, which it does not change.
func (b *Builder) FoldEvent(ctx context.Context, m *Memory, offset int64, e *data.Event) (Outcome, error) {
	m.passing()
	m.fold = fold{b: b, ctx: ctx, m: m, offset: offset, now: max(m.State.Now, millis(e.Times.Received))}
	o, err := m.fold.record(e)
	m.counters.bound(b.cfg.MaxCounters, m.State.Now, b.popular.HalfLife)
	m.closeOpened()
	m.fold.ctx = nil
	return o, err
}

func (f *fold) record(e *data.Event) (Outcome, error) {
	m := f.m
	if err := f.fireTimers(); err != nil {
		return 0, err
	}
	m.State.Now = f.now
	m.ids.horizon = max(m.ids.horizon, f.b.dedupHorizon(f.now))
	if e.Type == data.System {
		return f.system(detached(e))
	}
	return f.ordinary(e)
}

// fireTimers fires what is due at or before the new now, in (At, Profile, Slot) order.
func (f *fold) fireTimers() error {
	if err := f.m.loadTimers(f.ctx, f.now); err != nil {
		return err
	}
	f.m.timers.passOthers(f.now)
	for {
		r, due, segments := f.m.nextSegmentTimer(f.now)
		until := f.now
		if segments {
			until = due
		}
		who, at, session := f.m.nextTimer(until)
		switch {
		case session && (!segments || at < due || f.m.people.Compare(who, r) < 0):
			if err := f.sessionTimer(who, at); err != nil {
				return err
			}
		case segments:
			if session { // its turn comes later
				f.m.setTimer(who, f.m.people.At(who), at)
			}
			f.who = r
			f.m.people.At(r).Used = uint16(f.m.batch)
			if err := f.segmentsDue(due, segment.Affected{}); err != nil {
				return err
			}
			if x := f.m.segments.timers.of[r]; x.at == due { // without live rules nothing moved it
				f.m.clearSegmentTimer(r)
			}
		default:
			return nil
		}
	}
}

// system applies a record that Kindred itself appended.
func (f *fold) system(e data.Event) (Outcome, error) {
	switch e.Name {
	case data.SysMarker:
		if e.Marker != nil && e.Marker.Rules != "" {
			f.m.State.Rules = e.Marker.Rules
		}
		if e.Marker != nil && e.Marker.Models != "" {
			f.m.State.Models = e.Marker.Models
		}
	case data.SysAbsorb:
		return f.absorb(e)
	case data.SysBackfill:
		return f.backfill(e)
	case data.SysDelete:
		return f.erase(e)
	case data.SysUnmerge:
		return f.unmerge(e)
	case data.SysAlias:
		return f.alias(e)
	}
	return Applied, nil // ticks move time only; flush, skip and impression are for others
}

// ordinary applies a person's event.
func (f *fold) ordinary(e *data.Event) (Outcome, error) {
	if e.Profile == "" {
		return f.reject(detached(e), "the event names no profile"), nil
	}
	ids := f.b.cfg.Identity.OfIDs(e.IDs, e.Imported)
	happened := e.Times.Event
	if happened.After(e.Times.Received) {
		happened = e.Times.Received
	}
	at := millis(happened)
	var err error
	if f.who, err = f.m.hold(f.ctx, e.Profile); err != nil {
		return 0, err
	}
	places := placesOf(e, happened)
	plan, usual := f.plan(e, ids, at)
	late := !e.Imported && f.now-at > f.b.maxAge // by log time, as ids are forgotten: an event forwarded once more may be old
	if usual && !late && places.n == 1 {
		if dup, err := f.meet(places.days[0], e.Imported, places.hash); err != nil || dup {
			return Duplicate, err
		}
		return Applied, f.applyInPlace(plan)
	}
	if dup, err := f.duplicate(places, e.Imported); err != nil || dup {
		return Duplicate, err
	}
	var p *data.Profile // the whole profile, where the event is not usual
	if !usual {
		p = f.m.open(f.who)
		if f.sendOn(p, e, ids) {
			return Forwarded, nil
		}
	}
	switch {
	case late:
		f.m.late = append(f.m.late, data.Record{Partition: f.m.partition, Offset: f.offset, Value: event.Seal(*e)})
		return Late, nil
	case p != nil && p.Deleted && at <= p.LastSeen:
		return Erased, nil
	}
	if err := f.remember(places, e.Imported); err != nil {
		return 0, err
	}
	if usual {
		return Applied, f.applyInPlace(plan)
	}
	whole := detached(e)
	whole.IDs, whole.Times.Event = detachedIDs(ids), happened
	return Applied, f.apply(p, whole, at)
}

// apply is the order of effects on a profile that the event belongs to. applyInPlace
// does the same to a compact one; the tests compare them.
func (f *fold) apply(p *data.Profile, e data.Event, at int64) error {
	f.touch(p)
	p.Deleted = false // a new life after an erasure
	if p.FirstSeen == 0 || at < p.FirstSeen {
		p.FirstSeen = at
	}
	p.LastSeen = max(p.LastSeen, at)

	link := f.identify(p, e, at)
	if len(e.Consent) > 0 {
		p.Consent = e.Consent
	}
	if e.Type == data.Identify {
		setTraits(p, e.Traits, at, e.ID)
	}
	acts := event.Interactions(e)
	f.session(p, e, at, acts)
	addRecent(p, e, at, f.b.cfg.RecentCap)
	f.interact(p, e, at, acts)
	shrink(p, f.b.cfg.MaxProfileBytes)
	if link != "" {
		if err := f.segmentsOf(&e, at, e.Type == data.Identify); err != nil {
			return err
		}
		return f.leave(p, link, at)
	}
	if err := f.assign(p); err != nil {
		return err
	}
	return f.segmentsOf(&e, at, e.Type == data.Identify)
}

// touch marks the profile as changed by this record.
func (f *fold) touch(p *data.Profile) {
	f.m.touch(f.who, f.m.people.At(f.who))
	p.Version++
	p.LastOffset = f.offset
}

// change publishes one effect of this record, stamped with log time at.
func (f *fold) change(c data.Change, at int64) {
	c.Partition, c.Offset, c.K = f.m.partition, f.offset, f.k
	c.At = time.UnixMilli(at).UTC()
	f.k++
	f.m.changes = append(f.m.changes, c)
}

// reject keeps an event that makes no sense, with the reason.
func (f *fold) reject(e data.Event, reason string) Outcome {
	f.m.Reject(data.DeadLetter{At: time.UnixMilli(f.now).UTC(), Source: e.Source, Reason: reason, Raw: event.Append(nil, e)})
	return Rejected
}

// millis is t in Unix milliseconds; the zero time is 0, "never".
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
