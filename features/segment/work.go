package segment

import (
	"math/bits"

	"kindred/data"
	"kindred/features/expr/rawjson"
	"kindred/features/segment/slot"
)

// Work is the memory in which a Set folds one person after another. It is not safe for
// concurrent use; nothing of a person stays in it.
type Work struct {
	set *Set

	state   []byte
	decided uint32 // version of the set that decided last, 0: none
	due     int64

	members     []member // by rule
	memberBytes []byte   // of the state
	moved       bool     // a member is not what memberBytes say
	kept        []int    // rules whose member is not the zero one, or was not
	isKept      []bool
	was         []bool // in, before this call

	states                    []slot.State // by slot, where read
	read                      []bool
	dirty                     []bool
	parts                     []part // of state, by slot
	present                   []int  // slots that have bytes, or are dirty
	used                      []int  // slots to reset: read
	loadedKept, loadedPresent int    // of kept and present, those that the bytes had, in their order

	touched   []uint64 // units to look at, a bit each
	ready     []bool   // of the unit
	standings []standing

	session int64
	now     int64
	changes []Change
	unknown []int
	scratch []byte
	out     []byte
	spare   []byte // the last out, so that a person's bytes can be given back at once

	recount func(slot int) slot.Value // for tests: what slots are by their definition
}

// Change is one entry into or exit from a segment.
type Change struct {
	Segment string
	Entered bool
	At      int64 // log time, Unix ms
}

// Result is what one call changed.
type Result struct {
	State   []byte   // the person's bytes; the Work's until its next use
	Due     int64    // when Due has to be called although nothing happens, or 0
	Changes []Change // in the order of evaluation; the Work's, too
	Unknown []int    // places of rules whose condition was unknown; the Work's, too
}

// NewWork returns memory for folding people with the set.
func (s *Set) NewWork() *Work {
	n, k := len(s.rules), len(s.slots)
	return &Work{set: s, members: make([]member, n), isKept: make([]bool, n), was: make([]bool, n), touched: make([]uint64, (len(s.units)+63)/64),
		states: make([]slot.State, k), read: make([]bool, k), dirty: make([]bool, k), parts: make([]part, k)}
}

func (w *Work) reset() {
	for _, i := range w.kept {
		w.members[i], w.isKept[i], w.was[i] = member{}, false, false
	}
	for _, i := range w.used {
		w.read[i], w.dirty[i] = false, false
	}
	for _, i := range w.present {
		w.parts[i], w.dirty[i] = part{}, false
	}
	w.kept, w.used, w.present = w.kept[:0], w.used[:0], w.present[:0]
	w.changes, w.unknown = w.changes[:0], w.unknown[:0]
	w.decided, w.due = 0, never
	w.loadedKept, w.loadedPresent = 0, 0
	w.memberBytes, w.moved = nil, false
	clear(w.touched)
}

func (w *Work) put(i int, m member) {
	w.keep(i)
	w.members[i], w.was[i] = m, m.in
}

func (w *Work) keep(i int) {
	if !w.isKept[i] {
		w.isKept[i] = true
		w.kept = append(w.kept, i)
	}
}

// of is the state of slot i.
func (w *Work) of(i int) *slot.State {
	if !w.read[i] {
		w.read[i] = true
		w.used = append(w.used, i)
		p := w.parts[i]
		if w.set.slots[i].Decode(w.state[p.from:p.to], &w.states[i]) != nil {
			w.states[i].Reset() // bytes that cannot be: as if nothing had happened
		}
	}
	return &w.states[i]
}

func (w *Work) value(in *input, i int) slot.Value {
	if w.recount != nil {
		return w.recount(i)
	}
	if !w.read[i] && w.parts[i].to == 0 {
		return w.set.slots[i].Value(&empty, in.now, w.session)
	}
	return w.set.slots[i].Value(w.of(i), in.now, w.session)
}

var empty slot.State

func (w *Work) next(in *input, i int, threshold float64) int64 {
	if !w.read[i] && w.parts[i].to == 0 {
		return never
	}
	if at, ok := w.set.slots[i].Next(w.of(i), in.now, threshold); ok {
		return at
	}
	return never
}

// changed is the state of slot i, which will be written.
func (w *Work) changed(i int) *slot.State {
	st := w.of(i)
	if !w.dirty[i] {
		w.dirty[i] = true
		if w.parts[i].to == 0 {
			w.present = append(w.present, i)
		}
	}
	return st
}

// Affected says what of a person an event changed besides slots.
type Affected struct {
	Traits, Consent, Session, Behaviour bool
}

// Event folds an event into a person's bytes; now is the time of the log, p the profile
// after the event. It costs what the slots and rules that the event touches cost.
func (s *Set) Event(w *Work, state []byte, e Event, p Person, a Affected, now int64) (Result, error) {
	in, err := w.begin(state, p, now)
	if err != nil {
		return Result{}, err
	}
	in.e = e.Event
	for _, f := range s.byName[NameOf(e.Event)] {
		w.filter(&in, f, e)
	}
	for _, f := range s.others {
		w.filter(&in, f, e)
	}
	in.e = nil
	for what, changed := range [...]bool{a.Traits, a.Consent, a.Session, a.Behaviour} {
		if changed {
			w.touch(s.reading[what])
		}
	}
	return w.finish(&in), nil
}

// Due looks at a person whose time has come, or whose profile changed other than by an
// event; the latter is what a says.
func (s *Set) Due(w *Work, state []byte, p Person, a Affected, now int64) (Result, error) {
	in, err := w.begin(state, p, now)
	if err != nil {
		return Result{}, err
	}
	for what, changed := range [...]bool{a.Traits, a.Consent, a.Session, a.Behaviour} {
		if changed {
			w.touch(s.reading[what])
		}
	}
	return w.finish(&in), nil
}

func (w *Work) begin(state []byte, p Person, now int64) (input, error) {
	if err := w.load(state); err != nil {
		return input{}, err
	}
	w.now = now
	w.session, _, _, _ = p.Session()
	return input{s: w.set, w: w, p: p, now: now}, nil
}

func (w *Work) touch(rules []int) {
	for _, i := range rules {
		u := w.set.unitOf[i]
		w.touched[u/64] |= 1 << (u % 64)
	}
}

// filter adds the event to the slots of a filter that it passes.
func (w *Work) filter(in *input, f int, e Event) {
	fl := &w.set.filters[f]
	if fl.kinds != "" && e.Type != data.Page && e.Type != data.Screen {
		return
	}
	for _, n := range fl.where {
		if !n.eval(in).isTrue() {
			return
		}
	}
	for _, u := range w.set.usedBy[f] {
		sl := &w.set.slots[u.slot]
		seen := slot.Event{At: e.At, ID: e.Hash, Session: e.Session}
		if sl.Field != 0 {
			seen.Value = w.fieldOf(e.Event, w.set.paths[sl.Field])
			if seen.Value.Kind == slot.None {
				continue
			}
		}
		st := w.changed(u.slot)
		if sl.Kind == slot.Last {
			if before := sl.Value(st, w.now, w.session); before.Kind != slot.None && before == seen.Value {
				sl.Add(st, u.step, seen, w.now) // says the same
				if sl.Value(st, w.now, w.session) == before {
					continue
				}
			}
		}
		sl.Add(st, u.step, seen, w.now)
		w.touch(sl.rules)
	}
}

func (w *Work) fieldOf(e *data.Event, path []string) slot.Value {
	v := eventPart(e, path[0])
	if len(path) > 1 {
		if v.kind != raw {
			return slot.Value{}
		}
		v = ofJSON(rawjson.Get(v.raw, path[1:]...))
	}
	return toSlot(v)
}

// finish evaluates the touched rules, and all that time moves if its time has come.
func (w *Work) finish(in *input) Result {
	s := w.set
	switch {
	case w.decided != s.version:
		w.due = never
		for u := range s.units {
			w.touched[u/64] |= 1 << (u % 64)
		}
		for _, i := range w.present {
			if w.parts[i].to > 0 {
				s.slots[i].Trim(w.changed(i), w.now, w.session)
			}
		}
	case w.due <= w.now:
		w.late()
	}
	for k := range w.touched {
		for w.touched[k] != 0 { // units touch only later ones
			u := bits.TrailingZeros64(w.touched[k])
			w.touched[k] &^= 1 << u
			w.unit(in, s.units[64*k+u])
		}
	}
	r := Result{State: w.save(), Changes: w.changes, Unknown: w.unknown}
	if w.due != never {
		r.Due = w.due
	}
	return r
}

// late touches the rules that can be others than just before the person was due, until when
// none was: those over slots whose values have changed, and those that go by more than slots. The
// next change of the other slots is when to look again.
func (w *Work) late() {
	s, before := w.set, w.due-1
	w.due = never
	w.touch(s.always)
	for _, i := range w.kept {
		if s.rules[i].waits() {
			w.touch(s.rules[i].itself[:])
		}
	}
	for _, i := range w.present {
		sl := &s.slots[i]
		switch sl.moves {
		case fading:
			w.touch(sl.rules)
		case stepped:
			st := w.of(i)
			if at, ok := sl.Next(st, before, 0); ok && at <= w.now {
				if w.parts[i].to > 0 {
					sl.Trim(w.changed(i), w.now, w.session)
				}
				w.touch(sl.rules)
			}
			if at, ok := sl.Next(st, w.now, 0); ok {
				w.due = min(w.due, at)
			}
		}
	}
}

// waits reports whether a membership of the rule can change for itself.
func (r *rule) waits() bool {
	return r.For > 0 || r.Cooldown > 0 || r.MinStay > 0 || r.TTL > 0 || r.group >= 0
}

// unit evaluates one rule, or those of a group.
func (w *Work) unit(in *input, unit []int) {
	s := w.set
	w.ready, w.standings = w.ready[:0], w.standings[:0]
	for _, i := range unit {
		r := &s.rules[i]
		before := w.members[i]
		st := r.standing(in)
		if st.unknown {
			w.unknown = append(w.unknown, i)
		}
		ready, next := r.step(&w.members[i], st, w.now)
		w.ready, w.standings = append(w.ready, ready), append(w.standings, st)
		w.due = min(w.due, next, r.when.next(in))
		if r.exit != nil {
			w.due = min(w.due, r.exit.next(in))
		}
		if now := w.members[i]; before != now {
			w.keep(i)
			w.moved = true
		}
	}
	s.decide(in, unit, w.ready)
	for k, i := range unit {
		m := &w.members[i]
		if m.in == w.was[i] && !(m.in && m.since == w.now) {
			continue
		}
		w.moved = true
		_, next := s.rules[i].step(m, w.standings[k], w.now) // what follows from being in, or out, now
		w.due = min(w.due, next)
		w.keep(i)
		if m.in == w.was[i] {
			continue
		}
		w.changes = append(w.changes, Change{s.rules[i].Segment, m.in, w.now})
		w.touch(s.dependents[i])
	}
}

// standing evaluates a rule's conditions.
func (r *rule) standing(in *input) standing {
	v := r.when.eval(in)
	st := standing{when: v.isTrue(), unknown: v.kind != boolean, allowed: true}
	if r.exit != nil {
		st.exit = r.exit.eval(in).isTrue()
	}
	if r.parent >= 0 {
		st.allowed = in.w.members[r.parent].in
	}
	if st.allowed && r.Consent != "" {
		st.allowed = agreed(in.p.Consent(), r.Consent)
	}
	return st
}

// agreed reports whether a consent object says yes to a purpose, by itself or among its
// categoryPreferences, as Segment's trackers write it.
func agreed(consent []byte, purpose string) bool {
	if len(consent) == 0 || consent[0] != '{' {
		return false
	}
	return ofJSON(rawjson.Field(consent, purpose)).isTrue() || ofJSON(rawjson.Get(consent, "categoryPreferences", purpose)).isTrue()
}
