package slot

import (
	"cmp"
	"slices"

	"kindred/data"
	"kindred/features/window"
)

// Value is what an event carries in a field, and what a slot's value is: nothing, a
// number or a text. Conditions are numbers, 1 where they hold.
type Value struct {
	Number float64
	Text   string
	Kind   ValueKind
}

// ValueKind tells what a Value is.
type ValueKind uint8

// The kinds of values. None is the value of what no event has given one.
const (
	None ValueKind = iota
	Number
	Text
)

// Of is a number as a Value.
func Of(x float64) Value { return Value{Number: x, Kind: Number} }

// Event is what a slot sees of one event: when it was, its message id's hash, which
// orders events of the same time, the value of the spec's field, and the session that
// is open once the event is folded, or 0 if the event belongs to an earlier one.
type Event struct {
	At      int64
	ID      uint64
	Value   Value
	Session int64
}

// pane is the sums of some events.
type pane struct {
	index         int64
	count         uint32 // of the events, or, with a field, of those that have a number there
	sum, min, max float64
}

// seenValue is one of different values: its hash, and when it was seen last.
type seenValue struct {
	hash uint64
	at   int64
}

// State is what a person's events have made of a spec. The zero State is that of no
// event. Its slices keep their room when it is decoded into again.
type State struct {
	session int64 // whose events these are, of a Session scope
	panes   []pane
	times   [][]int64 // rings, oldest first: of the only source, or of each step
	values  []seenValue
	faded   data.Decayed
	at      int64 // of the point; known says whether there is one
	id      uint64
	value   Value
	known   bool
	last    [2]int64 // latest times of two sources
	has     [2]bool
}

// Reset makes the State that of no event.
func (st *State) Reset() {
	for i := range st.times {
		st.times[i] = st.times[i][:0]
	}
	*st = State{panes: st.panes[:0], times: st.times, values: st.values[:0]}
}

// Empty reports whether the State is that of no event.
func (st *State) Empty() bool {
	for _, t := range st.times {
		if len(t) > 0 {
			return false
		}
	}
	return len(st.panes) == 0 && len(st.values) == 0 && st.faded.S == 0 && !st.known && !st.has[0] && !st.has[1]
}

// Add adds an event that matches the source at place step of the spec's Sources. Events
// come in any order; now is the time of the log, at or after the event's.
func (s *Spec) Add(st *State, step int, e Event, now int64) {
	if s.Scope.Reach == Session {
		if e.Session == 0 || e.Session < st.session {
			return
		}
		if e.Session != st.session {
			st.Reset()
			st.session = e.Session
		}
	}
	switch s.shape() {
	case sums, paned:
		p := pane{count: 1}
		if s.Field != 0 {
			if e.Value.Kind != Number {
				return
			}
			x := window.Bounded(e.Value.Number)
			p.sum, p.min, p.max = x, x, x
		}
		if s.shape() == paned {
			p.index = s.panes().Index(e.At)
			if p.index <= s.panes().Index(now)-int64(s.panes().N) {
				return
			}
		}
		st.panes = addPane(st.panes, p)
		s.trimPanes(st, now)
	case ring:
		st.grow(1)
		if e.At > now-s.Scope.From {
			st.times[0] = window.AddRing(st.times[0], e.At, s.Cap+1)
		}
	case values:
		if e.Value.Kind == None || s.Scope.Reach == Within && e.At <= now-s.Scope.From {
			return
		}
		st.values = addValue(st.values, seenValue{hashOf(e.Value), e.At})
		s.trimValues(st, now)
	case point:
		if s.Field != 0 && e.Value.Kind == None {
			return
		}
		s.addPoint(st, e.At, e.ID, e.Value)
	case fading:
		st.faded = window.Decay(st.faded, e.At, s.weight(step), s.HalfLife)
	case latest:
		if !st.has[step] || e.At > st.last[step] {
			st.last[step], st.has[step] = e.At, true
		}
	case stepped:
		st.grow(len(s.Sources))
		s.addStep(st, step, e.At, now)
	}
}

// weight is what an event of a source adds to a Decayed sum.
func (s *Spec) weight(step int) float64 {
	if s.Weights == nil {
		return 1
	}
	return s.Weights[step]
}

func (st *State) grow(n int) {
	for len(st.times) < n {
		st.times = append(st.times, nil)
	}
}

// addPane adds p to the ordered panes.
func addPane(panes []pane, p pane) []pane {
	i, found := slices.BinarySearchFunc(panes, p.index, func(q pane, x int64) int { return cmp.Compare(q.index, x) })
	if !found {
		return slices.Insert(panes, i, p)
	}
	q := &panes[i]
	q.count = uint32(min(uint64(q.count)+uint64(p.count), 1<<31))
	q.sum = window.Bounded(q.sum + p.sum)
	q.min, q.max = min(q.min, p.min), max(q.max, p.max)
	return panes
}

// trimPanes drops the panes that no reading at or after now covers.
func (s *Spec) trimPanes(st *State, now int64) {
	if s.shape() != paned {
		return
	}
	w := s.panes()
	oldest := w.Index(now) - int64(w.N)
	drop := 0
	for drop < len(st.panes) && st.panes[drop].index <= oldest {
		drop++
	}
	if drop > 0 {
		st.panes = append(st.panes[:0], st.panes[drop:]...)
	}
}

// Trim drops what no reading at or after now sees, where session is the open one or 0: the
// State may be Empty afterwards. Values stay as they are.
func (s *Spec) Trim(st *State, now, session int64) {
	if s.Scope.Reach == Session && st.session != session {
		st.Reset()
		return
	}
	s.trimPanes(st, now)
	switch s.shape() {
	case ring:
		if len(st.times) > 0 {
			st.times[0] = slices.DeleteFunc(st.times[0], func(t int64) bool { return t <= now-s.Scope.From })
		}
	case values:
		s.trimValues(st, now)
	case point:
		if s.Scope.Reach == Within && st.at <= now-s.Scope.From {
			st.Reset()
		}
	case stepped:
		if len(st.times) > 0 && !st.isDone() {
			s.settle(st, now)
		}
	}
}

// addValue puts v into the values, which are ordered by hash.
func addValue(values []seenValue, v seenValue) []seenValue {
	i, found := slices.BinarySearchFunc(values, v.hash, func(q seenValue, h uint64) int { return cmp.Compare(q.hash, h) })
	if !found {
		return slices.Insert(values, i, v)
	}
	values[i].at = max(values[i].at, v.at)
	return values
}

// trimValues drops values that are out of the window, and beyond MaxDistinct the least
// recently seen; of the same time, those of the larger hash.
func (s *Spec) trimValues(st *State, now int64) {
	if s.Scope.Reach == Within {
		st.values = slices.DeleteFunc(st.values, func(v seenValue) bool { return v.at <= now-s.Scope.From })
	}
	for len(st.values) > MaxDistinct {
		worst := 0
		for i, v := range st.values {
			if v.at <= st.values[worst].at {
				worst = i
			}
		}
		st.values = slices.Delete(st.values, worst, worst+1)
	}
}

// addPoint keeps the first or the last of the State's event and this one.
func (s *Spec) addPoint(st *State, at int64, id uint64, v Value) {
	if st.known {
		order := cmp.Or(cmp.Compare(at, st.at), cmp.Compare(id, st.id))
		if s.Kind == First && order >= 0 || s.Kind != First && order <= 0 {
			return
		}
	}
	if s.Field == 0 {
		v = Value{}
	}
	if len(v.Text) > MaxText {
		v.Text = v.Text[:MaxText]
	}
	st.at, st.id, st.value, st.known = at, id, v, true
}

// done marks, of a stepped slot, that the steps have been made: its ring of the first
// source is this one time and no other ring has any.
const done = int64(-1 << 62)

func (st *State) isDone() bool {
	return len(st.times) > 0 && len(st.times[0]) == 1 && st.times[0][0] == done
}

func (st *State) finish() {
	for i := range st.times {
		st.times[i] = st.times[i][:0]
	}
	st.times[0] = append(st.times[0], done)
}

// addStep puts a time into the step's ring. Once the steps have been made, that is all
// there is to know.
func (s *Spec) addStep(st *State, step int, at, now int64) {
	if st.isDone() {
		return
	}
	st.times[step] = window.AddRing(st.times[step], at, MaxSteps)
	s.settle(st, now)
}

// settle drops times that no event still to come can be paired with, and looks whether
// the steps have been made.
func (s *Spec) settle(st *State, now int64) {
	oldest := now - s.Horizon - s.Scope.From
	for i, ts := range st.times {
		drop := 0
		for drop < len(ts) && ts[drop] < oldest {
			drop++
		}
		if drop > 0 {
			st.times[i] = append(ts[:0], ts[drop:]...)
		}
	}
	if made(st.times[:len(s.Sources)], s.Scope.From) {
		st.finish()
	}
}

// made reports whether there are times s₁ < s₂ < … of the lists in order, the last at
// most w after the first.
func made(steps [][]int64, w int64) bool {
	for _, first := range steps[0] {
		at := first
		for _, next := range steps[1:] {
			i, _ := slices.BinarySearch(next, at+1)
			if i == len(next) {
				return false // nor does any later first find one
			}
			at = next[i]
		}
		if at <= first+w {
			return true
		}
	}
	return false
}
