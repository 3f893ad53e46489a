package features

import (
	"slices"
	"strings"
	"time"

	"kindred/data"
	"kindred/features/compact"
)

// NewBackfill is the event that brings a profile what its events of before a version of the rules
// have made of the slots that are new in it. from says whose share it is, the profile's own or
// that of an absorb which was on its way; at is the time of the version's marker. The same arguments
// give the same message id, and folding it twice changes nothing.
func NewBackfill(version, from string, to data.ProfileID, state []byte, at time.Time) data.Event {
	return data.Event{
		V: data.EventVersion, ID: "backfill/" + version + "/" + from, Source: systemSource, Type: data.System, Name: data.SysBackfill, Profile: to,
		Times: data.Times{Event: at, Received: at}, Absorb: &data.Absorb{State: state},
	}
}

// backfill merges a share of the time before a version of the rules, once. Slots that the live
// rules do not have, any more, are left out.
func (f *fold) backfill(e data.Event) (Outcome, error) {
	if e.Absorb == nil || e.Profile == "" {
		return f.reject(e, "the backfill carries no state or names no profile"), nil
	}
	var err error
	if f.who, err = f.m.hold(f.ctx, e.Profile); err != nil {
		return 0, err
	}
	at := millis(e.Times.Event)
	p := f.m.open(f.who)
	switch {
	case p.Redirect != "":
		f.forward(e, p.Redirect)
		return Forwarded, nil
	case f.now-at > f.b.maxAge: // its id may be forgotten
		return Late, nil
	case p.Version == 0 || p.Deleted || p.FirstSeen > at: // erased since then, and perhaps back
		return Erased, nil
	case unmergedSince(p, at): // the share has what is the other's, and the rebuild brings what is theirs
		return Erased, nil
	}
	place := idPlaces{hash: messageHash(e.Source, e.ID), days: [3]int32{dayOf(at)}, n: 1}
	if dup, err := f.duplicate(place, false); err != nil || dup {
		return Duplicate, err
	}
	if err := f.remember(place, false); err != nil {
		return 0, err
	}
	f.touch(p)
	return Applied, f.segmentsMerged(e.Absorb.State)
}

// unmergedSince reports whether a merge of p was undone at or after log time at.
func unmergedSince(p *data.Profile, at int64) bool {
	return slices.ContainsFunc(p.Merges, func(m data.Merge) bool { return strings.HasPrefix(m.Source, unmergedPrefix) && m.At >= at })
}

// Discard forgets, like a Commit, what changed, and makes nothing of it: for a memory without a
// Source whose people are all that is wanted.
func (m *Memory) Discard() {
	for _, r := range m.touched {
		m.people.At(r).Flags &^= compact.Touched
	}
	for _, i := range m.counters.changed {
		m.counters.all[i].changed = false
	}
	m.touched, m.counters.changed = m.touched[:0], m.counters.changed[:0]
	if m.ids.horizon != m.ids.dropped {
		m.ids.dropped = m.ids.horizon
		m.people.Everybody(func(r compact.Ref, _ *compact.Person) { m.people.DropIDsBefore(r, m.ids.horizon) })
	}
	for _, k := range m.ids.changed {
		m.people.MarkSaved(k)
	}
	m.ids.changed, m.ids.loaded = m.ids.changed[:0], m.ids.loaded[:0]
	m.takeTimers(nil, nil)
	m.changes, m.links, m.late, m.dead, m.emitted = m.changes[:0], nil, nil, nil, nil
	m.batch++
	m.ahead = nil
}

// Changes are those since the last Commit or Discard, which use their memory again.
func (m *Memory) Changes() []data.Change { return m.changes }

// SegmentStates calls fn with everybody's state of the segment rules, in no certain order; it
// is good until fn returns.
func (m *Memory) SegmentStates(fn func(id data.ProfileID, state []byte)) {
	m.people.Everybody(func(r compact.Ref, _ *compact.Person) {
		if b := m.people.Segments(r); len(b) > 0 {
			fn(m.people.ID(r), b)
		}
	})
}
