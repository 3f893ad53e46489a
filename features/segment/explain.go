package segment

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"kindred/features/segment/slot"
)

// Explanation says why somebody is in segments and in others not, and what comes next.
type Explanation struct {
	At       time.Time `json:"at"`
	Segments []Why     `json:"segments"`
	// Until is how far the future was looked at; without it nothing more changes by itself.
	Until time.Time `json:"until,omitzero"`
}

// Why is the explanation of one segment.
type Why struct {
	Segment string    `json:"segment"`
	Title   string    `json:"title,omitempty"`
	Member  bool      `json:"member"`
	Since   time.Time `json:"since,omitzero"`          // of a member: entered at
	Pending time.Time `json:"pending_since,omitzero"`  // since when the condition for entry, or for exit, has held
	Cooling time.Time `json:"cooldown_until,omitzero"` // no entry before
	Stays   time.Time `json:"stays_until,omitzero"`    // no exit before, by min_stay
	Ends    time.Time `json:"ends_at,omitzero"`        // out at the latest, by ttl
	Blocked bool      `json:"blocked,omitempty"`       // left by ttl; the condition has to fail before the next entry
	Bars    []string  `json:"bars,omitempty"`          // what keeps them out besides the conditions: the parent, the consent
	When    Truth     `json:"when"`
	Exit    *Truth    `json:"exit,omitempty"`
	Slots   []Reading `json:"slots,omitempty"`
	Next    *Flip     `json:"next,omitempty"` // the next change if nothing happens; sessions stay as they are
}

// Flip is an entry or exit to come.
type Flip struct {
	At     time.Time `json:"at"`
	Enters bool      `json:"enters"`
}

// Truth is a part of a condition with its value.
type Truth struct {
	Says  string  `json:"says"`  // in the rule language
	Value any     `json:"value"` // null where unknown
	Is    string  `json:"is"`    // true, false or unknown; of what is no condition: known or unknown
	Why   string  `json:"why,omitempty"`
	Parts []Truth `json:"parts,omitempty"`
}

// Reading is the value of a slot.
type Reading struct {
	Slot   string      `json:"slot"`
	Value  any         `json:"value"`
	Exact  string      `json:"exact"`
	From   time.Time   `json:"from,omitzero"` // the window's bounds
	To     time.Time   `json:"to,omitzero"`
	Events int64       `json:"events"`          // that it is made of; of a decayed sum not known
	Times  []time.Time `json:"times,omitempty"` // of those that are known one by one
}

// maxSteps bounds how many timers of a person Explain goes through.
const maxSteps = 256

// Explain explains somebody's relation to the named segments, or to all, at now. Timers
// that are due go first. It costs what looking at all rules costs, and as much for each timer
// on the way to the next changes, of which it takes 256.
func (s *Set) Explain(w *Work, state []byte, p Person, now int64, segments ...string) (Explanation, error) {
	out := Explanation{At: when(now)}
	state, due, err := s.current(w, state, p, now)
	if err != nil {
		return out, err
	}
	in, err := w.begin(state, p, now)
	if err != nil {
		return out, err
	}
	for i := range s.rules {
		if len(segments) == 0 || slices.Contains(segments, s.rules[i].Segment) {
			out.Segments = append(out.Segments, w.why(&in, i))
		}
	}
	missing := len(out.Segments)
	for range maxSteps {
		if due == 0 || missing == 0 {
			break
		}
		out.Until = when(due)
		r, err := s.Due(w, state, p, Affected{}, due)
		if err != nil {
			return out, err
		}
		for _, c := range r.Changes {
			if i := slices.IndexFunc(out.Segments, func(y Why) bool { return y.Segment == c.Segment }); i >= 0 && out.Segments[i].Next == nil {
				out.Segments[i].Next = &Flip{when(c.At), c.Entered}
				missing--
			}
		}
		state, due = bytes.Clone(r.State), r.Due
	}
	if due == 0 {
		out.Until = time.Time{}
	}
	return out, nil
}

// current is somebody's bytes once all that is due at now has come to pass.
func (s *Set) current(w *Work, state []byte, p Person, now int64) (_ []byte, due int64, err error) {
	if err := w.load(state); err != nil {
		return nil, 0, err
	}
	due = w.due
	if w.decided != s.version || len(state) == 0 {
		due = now
	}
	state = bytes.Clone(state)
	for n := 0; due <= now; n++ {
		if n == maxSteps { // long not looked at: at once
			due = now
		}
		r, err := s.Due(w, state, p, Affected{}, due)
		if err != nil {
			return nil, 0, err
		}
		if state, due = bytes.Clone(r.State), r.Due; due == 0 {
			return state, 0, nil
		}
	}
	if due == never {
		due = 0
	}
	return state, due, nil
}

func when(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func (w *Work) why(in *input, i int) Why {
	r, m := &w.set.rules[i], w.members[i]
	y := Why{Segment: r.Segment, Title: r.Title, Member: m.in, Since: when(m.since), Pending: when(m.pending), Blocked: m.blocked, When: r.when.explain(in)}
	if m.until > in.now {
		y.Cooling = when(m.until)
	}
	if m.in && r.TTL > 0 {
		y.Ends = when(m.since + r.TTL.ms())
	}
	if stays := m.since + r.MinStay.ms(); m.in && stays > in.now {
		y.Stays = when(stays)
	}
	if r.exit != nil {
		x := r.exit.explain(in)
		y.Exit = &x
	}
	if r.parent >= 0 && !w.members[r.parent].in {
		y.Bars = append(y.Bars, "not in the parent, "+r.Parent)
	}
	if r.Consent != "" && !agreed(in.p.Consent(), r.Consent) {
		y.Bars = append(y.Bars, "no consent to "+r.Consent)
	}
	if r.group >= 0 && !m.in {
		for k := range w.set.rules {
			if o := &w.set.rules[k]; o.group == r.group && w.members[k].in {
				y.Bars = append(y.Bars, fmt.Sprintf("in %s, of the same group %s", o.Segment, r.Group))
			}
		}
	}
	for _, k := range sortedKeys(r.reads.slots) {
		y.Slots = append(y.Slots, w.reading(in, k))
	}
	return y
}

func (w *Work) reading(in *input, i int) Reading {
	sl := &w.set.slots[i]
	v := w.value(in, i)
	e := sl.Evidence(w.of(i), in.now, w.session)
	out := Reading{Slot: w.set.Describe(i), Value: ofSlot(v).plain(), Exact: sl.Exactness().String(), From: when(e.From), To: when(e.To), Events: e.Events}
	if sl.Kind == slot.LastAt && v.Kind == slot.Number {
		out.Value = value{kind: instant, n: v.Number}.plain()
	}
	for _, t := range e.Times {
		out.Times = append(out.Times, when(t))
	}
	return out
}

// explain is the node with its value, and so its parts.
func (n *node) explain(in *input) Truth {
	v := n.eval(in)
	t := Truth{Says: n.label, Value: v.plain(), Is: "known"}
	switch {
	case v.kind == unknown:
		t.Is = "unknown"
	case v.kind == boolean:
		t.Is = fmt.Sprint(v.n != 0)
	}
	for _, a := range n.args {
		if a.label != "" && a.op != opConst && a.op != opConsent {
			t.Parts = append(t.Parts, a.explain(in))
		}
	}
	if v.kind == unknown {
		t.Why = n.reason(in)
	}
	return t
}

// reason is why the node's value is unknown.
func (n *node) reason(in *input) string {
	var missing, kinds []string
	for _, a := range n.args {
		x := a.eval(in)
		switch {
		case x.kind == unknown && a.label != "":
			missing = append(missing, a.label)
		case x.kind != unknown:
			kinds = append(kinds, x.kind.String())
		}
	}
	switch {
	case len(missing) > 0:
		return strings.Join(missing, " and ") + " unknown"
	case len(kinds) > 0:
		return "it is not for " + strings.Join(kinds, " and ")
	}
	return "nothing is known of it"
}

func (k kind) String() string {
	return [...]string{"nothing", "null", "a truth value", "a number", "a text", "a time", "a length of time", "an object or list"}[k]
}

// plain is the value as JSON has it: times and lengths of time as texts.
func (v value) plain() any {
	switch v.kind {
	case boolean:
		return v.n != 0
	case number:
		if math.IsInf(v.n, 0) || math.IsNaN(v.n) {
			return fmt.Sprint(v.n)
		}
		return v.n
	case text:
		return strings.Clone(v.s)
	case instant:
		return time.UnixMilli(int64(v.n)).UTC().Format(time.RFC3339Nano)
	case span:
		return ofMS(int64(v.n)).String()
	case raw:
		return json.RawMessage(bytes.Clone(v.raw))
	}
	return nil
}
