package features

import (
	"kindred/data"
	"kindred/features/compact"
)

// segmentSlot is the slot of the timers by which segment rules look again.
const segmentSlot = "segments"

// segmentTimers are the timers of people's segments, as far as the fold has seen them.
type segmentTimers struct {
	of      map[compact.Ref]segmentTimer
	queue   timers // only its heap
	changed []compact.Ref
}

// segmentTimer is when somebody's segments have to be looked at, or 0.
type segmentTimer struct {
	at      int64
	changed bool // since the last commit
}

func (m *Memory) setSegmentTimer(r compact.Ref, at int64) {
	t := &m.segments.timers
	if t.of == nil {
		t.of = map[compact.Ref]segmentTimer{}
	}
	old, known := t.of[r]
	if known && old.at == at {
		return
	}
	if !old.changed {
		t.changed = append(t.changed, r)
	}
	t.of[r] = segmentTimer{at, true}
	if at != 0 {
		t.queue.push(due{at: at, who: r}, m.people)
	}
}

// clearSegmentTimer clears it, also where nobody knows whether there is one.
func (m *Memory) clearSegmentTimer(r compact.Ref) {
	if m.segments.find != nil {
		m.setSegmentTimer(r, 0)
	}
}

// loadSegmentTimer brings a stored timer into memory, unless the fold knows better.
func (m *Memory) loadSegmentTimer(r compact.Ref, at int64) {
	t := &m.segments.timers
	if _, known := t.of[r]; known {
		return
	}
	if t.of == nil {
		t.of = map[compact.Ref]segmentTimer{}
	}
	t.of[r] = segmentTimer{at: at}
	t.queue.push(due{at: at, who: r}, m.people)
}

// nextSegmentTimer is the first segment timer at or before until, which stays.
func (m *Memory) nextSegmentTimer(until int64) (who compact.Ref, at int64, ok bool) {
	t := &m.segments.timers
	for len(t.queue.queue) > 0 && t.queue.queue[0].at <= until {
		x := t.queue.queue[0]
		if t.of[x.who].at == x.at {
			return x.who, x.at, true
		}
		t.queue.pop(m.people) // moved since
	}
	return 0, 0, false
}

// takeSegmentTimers appends what changed to set and cleared. With a source it then forgets
// everything: the store will know.
func (m *Memory) takeSegmentTimers(set, cleared []data.Timer) ([]data.Timer, []data.Timer) {
	t := &m.segments.timers
	for _, r := range t.changed {
		x := t.of[r]
		timer := data.Timer{At: x.at, Profile: m.people.ID(r), Slot: segmentSlot}
		if x.at == 0 {
			cleared = append(cleared, timer)
		} else {
			set = append(set, timer)
		}
		x.changed = false
		t.of[r] = x
	}
	t.changed = t.changed[:0]
	if m.src != nil {
		clear(t.of)
		t.queue.queue = t.queue.queue[:0]
	}
	return set, cleared
}
