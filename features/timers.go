package features

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"kindred/data"
	"kindred/features/compact"
)

// timers is the partition's timers as far as the fold has seen them: those loaded
// from the source, under those set and cleared since. A session's timer moves with
// every event of its person, so when it is due is kept with the person
// (Person.Due), and the queue holds a time that is not after it: what comes up too
// early is put back for its new time.
type timers struct {
	queue   []due         // a heap in (At, Profile) order
	changed []compact.Ref // since the last take
	known   []compact.Ref // with a source: whose timer is in memory
	others  []data.Timer  // due ones of a later build: no effect in this one
	ended   []data.Timer  // of them, those whose time has come, since the last take
	loaded  int64         // stored timers at or before it are all here
}

// due is an entry of the queue; it counts if it is its person's latest, Person.Queued.
type due struct {
	at    int64
	who   compact.Ref
	entry uint16
}

func newTimers() timers { return timers{loaded: math.MinInt64} }

// setTimer sets or moves the session timer of the person.
func (m *Memory) setTimer(r compact.Ref, p *compact.Person, at int64) {
	if p.Flags&compact.TimerSet != 0 && p.Due == at {
		return
	}
	m.timerChanged(r, p)
	p.Flags |= compact.TimerSet
	earlier := at < p.Due
	if p.Due = at; earlier || p.Flags&compact.TimerQueued == 0 {
		m.queueTimer(r, p)
	}
}

// clearTimer clears it, also where nobody knows whether there is one.
func (m *Memory) clearTimer(r compact.Ref, p *compact.Person) {
	m.timerChanged(r, p)
	p.Flags &^= compact.TimerSet
}

func (m *Memory) timerChanged(r compact.Ref, p *compact.Person) {
	m.timerKnown(r, p)
	if p.Flags&compact.TimerChanged == 0 {
		p.Flags |= compact.TimerChanged
		m.timers.changed = append(m.timers.changed, r)
	}
}

func (m *Memory) timerKnown(r compact.Ref, p *compact.Person) {
	if p.Flags&compact.TimerKnown == 0 {
		p.Flags |= compact.TimerKnown
		if m.src != nil {
			m.timers.known = append(m.timers.known, r)
		}
	}
}

// queueTimer puts the person into the queue for when the timer is due; an entry that
// is there counts no more.
func (m *Memory) queueTimer(r compact.Ref, p *compact.Person) {
	p.Flags |= compact.TimerQueued
	p.Queued++
	m.timers.push(due{p.Due, r, p.Queued}, m.people)
}

// nextTimer takes the first session timer at or before until.
func (m *Memory) nextTimer(until int64) (who compact.Ref, at int64, ok bool) {
	for len(m.timers.queue) > 0 && m.timers.queue[0].at <= until {
		x := m.timers.pop(m.people)
		p := m.people.At(x.who)
		if p.Flags&compact.TimerQueued == 0 || p.Queued != x.entry {
			continue // it was put forward since
		}
		p.Flags &^= compact.TimerQueued
		switch {
		case p.Flags&compact.TimerSet == 0:
		case p.Due > x.at:
			m.queueTimer(x.who, p)
		default:
			m.clearTimer(x.who, p)
			return x.who, x.at, true
		}
	}
	return 0, 0, false
}

// loadTimers brings the stored timers at or before until, and their people, into memory.
func (m *Memory) loadTimers(ctx context.Context, until int64) error {
	if m.src == nil || until <= m.timers.loaded {
		return nil
	}
	for limit := 1024; ; limit *= 2 {
		found, err := m.src.DueTimers(ctx, m.partition, until, limit)
		if err != nil {
			return fmt.Errorf("load due timers of partition %d: %w", m.partition, err)
		}
		if len(found) >= limit {
			continue // the store pages from the start only
		}
		var missing []data.ProfileID
		for _, x := range found {
			if m.ours(x.Slot) && m.people.Find(x.Profile) == 0 {
				missing = append(missing, x.Profile)
			}
		}
		if err := m.loadProfiles(ctx, missing); err != nil {
			return err
		}
		for _, x := range found {
			if !m.ours(x.Slot) {
				if x.At > m.timers.loaded {
					m.timers.others = append(m.timers.others, x)
				}
				continue
			}
			r := m.people.Find(x.Profile)
			if x.Slot == segmentSlot {
				m.loadSegmentTimer(r, x.At)
				continue
			}
			if p := m.people.At(r); p.Flags&compact.TimerKnown == 0 {
				m.timerKnown(r, p)
				p.Flags |= compact.TimerSet
				p.Due = x.At
				m.queueTimer(r, p)
			}
		}
		m.timers.loaded = until
		return nil
	}
}

// ours reports whether this fold fires timers of the slot.
func (m *Memory) ours(slot string) bool {
	return slot == sessionSlot || slot == segmentSlot && m.segments.find != nil
}

// passOthers ends the timers of a later build that are due.
func (t *timers) passOthers(now int64) {
	for len(t.others) > 0 && t.others[0].At <= now {
		t.ended, t.others = append(t.ended, t.others[0]), t.others[1:]
	}
}

// takeTimers appends what changed to set and cleared, ordered. With a source it then
// forgets everything: the store will know.
func (m *Memory) takeTimers(set, cleared []data.Timer) ([]data.Timer, []data.Timer) {
	t := &m.timers
	for _, r := range t.changed {
		p := m.people.At(r)
		p.Flags &^= compact.TimerChanged
		x := data.Timer{Profile: m.people.ID(r), Slot: sessionSlot}
		if p.Flags&compact.TimerSet == 0 {
			cleared = append(cleared, x)
			continue
		}
		x.At = p.Due
		set = append(set, x)
	}
	for _, x := range t.ended {
		cleared = append(cleared, data.Timer{Profile: x.Profile, Slot: x.Slot})
	}
	t.changed, t.ended = t.changed[:0], nil
	set, cleared = m.takeSegmentTimers(set, cleared)
	if m.src != nil {
		for _, r := range t.known {
			m.people.At(r).Flags &^= compact.TimerKnown | compact.TimerSet | compact.TimerQueued
		}
		t.known, t.queue, t.others, t.loaded = t.known[:0], t.queue[:0], nil, math.MinInt64
	}
	slices.SortFunc(set, compareTimers)
	slices.SortFunc(cleared, compareTimers)
	return set, cleared
}

func compareTimers(a, b data.Timer) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Profile, b.Profile), cmp.Compare(a.Slot, b.Slot))
}

// less is the order of the queue.
func (t *timers) less(i, j int, people *compact.Store) bool {
	a, b := t.queue[i], t.queue[j]
	return a.at < b.at || a.at == b.at && people.Compare(a.who, b.who) < 0
}

func (t *timers) push(x due, people *compact.Store) {
	t.queue = append(t.queue, x)
	for i := len(t.queue) - 1; i > 0; {
		up := (i - 1) / 2
		if !t.less(i, up, people) {
			return
		}
		t.queue[i], t.queue[up] = t.queue[up], t.queue[i]
		i = up
	}
}

func (t *timers) pop(people *compact.Store) due {
	q := t.queue
	first, n := q[0], len(q)-1
	q[0], t.queue = q[n], q[:n]
	for i := 0; ; {
		least := i
		for _, down := range [2]int{2*i + 1, 2*i + 2} {
			if down < n && t.less(down, least, people) {
				least = down
			}
		}
		if least == i {
			return first
		}
		q[i], q[least] = q[least], q[i]
		i = least
	}
}
