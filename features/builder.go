package features

import (
	"context"
	"fmt"
	"time"

	"kindred/data"
	"kindred/data/event"
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
	cfg    Config
	slots  []slot
	gap    int64 // SessionGap in ms
	maxAge int64 // MaxEventAge in ms
}

// NewBuilder returns the fold of a configuration. A cfg that Validate refuses panics.
func NewBuilder(cfg Config) *Builder {
	if err := cfg.Validate(); err != nil {
		panic(err)
	}
	return &Builder{cfg: cfg, slots: builtinSlots(), gap: cfg.SessionGap.Milliseconds(), maxAge: cfg.MaxEventAge.Milliseconds()}
}

// fold is one record being folded.
type fold struct {
	b      *Builder
	ctx    context.Context // of this call only, for loads
	m      *Memory
	offset int64
	now    int64 // log time with this record
	k      int32 // changes so far
	sent   int   // emitted events so far
}

// Fold applies the event at the given offset of the memory's partition. First log
// time moves to the event's received stamp and every timer due by then fires.
//
// What it changed is in m until m.Commit. The error is the Source's, wrapped; m
// must then be thrown away. Cost is O(size of the profile), plus loads of what
// Prefetch did not bring.
func (b *Builder) Fold(ctx context.Context, m *Memory, offset int64, e data.Event) (Outcome, error) {
	f := &fold{b: b, ctx: ctx, m: m, offset: offset, now: max(m.State.Now, millis(e.Times.Received))}
	if err := f.fireTimers(); err != nil {
		return 0, err
	}
	m.State.Now = f.now
	m.horizon = max(m.horizon, b.dedupHorizon(f.now))
	if e.Type == data.System {
		return f.system(e)
	}
	return f.ordinary(e)
}

// fireTimers fires what is due at or before the new now, in (At, Profile, Slot) order.
func (f *fold) fireTimers() error {
	if err := f.m.timers.load(f.ctx, f.m.src, f.m.partition, f.now); err != nil {
		return err
	}
	for {
		t, ok := f.m.timers.next(f.now)
		if !ok {
			return nil
		}
		if t.Slot != sessionSlot {
			continue // of a later build; no effect in this one
		}
		if err := f.sessionTimer(t); err != nil {
			return fmt.Errorf("fire timer %s of profile %s: %w", t.Slot, t.Profile, err)
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
	case data.SysDelete:
		return f.erase(e)
	}
	return Applied, nil // ticks move time only; flush, skip and impression are for others
}

// ordinary applies a person's event.
func (f *fold) ordinary(e data.Event) (Outcome, error) {
	if e.Profile == "" {
		return f.reject(e, "the event names no profile"), nil
	}
	raw := e // as it came, for whoever sees it next
	e.IDs = f.b.cfg.Identity.Of(e)
	if e.Times.Event.After(e.Times.Received) {
		e.Times.Event = e.Times.Received
	}
	h, err := f.m.hold(f.ctx, e.Profile)
	if err != nil {
		return 0, err
	}
	if dup, err := f.duplicate(e); err != nil || dup {
		return Duplicate, err
	}
	at := millis(e.Times.Event)
	switch target := elsewhere(h.p, e.IDs.User); {
	case target != "":
		f.forward(raw, target)
		return Forwarded, nil
	case !e.Imported && f.now-at > f.b.maxAge: // by log time, as ids are forgotten: an event forwarded once more may be old
		f.m.late = append(f.m.late, data.Record{Partition: f.m.partition, Offset: f.offset, Value: event.Seal(raw)})
		return Late, nil
	case h.p.Deleted && at <= h.p.LastSeen:
		return Erased, nil
	}
	if err := f.remember(e); err != nil {
		return 0, err
	}
	return Applied, f.apply(h, e, at)
}

// apply is the order of effects on a profile that the event belongs to.
func (f *fold) apply(h *held, e data.Event, at int64) error {
	p := h.p
	f.touch(h)
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
		return f.leave(p, link, at)
	}
	return f.assign(p)
}

// touch marks the profile as changed by this record.
func (f *fold) touch(h *held) {
	h.touched = true
	h.p.Version++
	h.p.LastOffset = f.offset
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
