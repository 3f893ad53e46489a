package segment

import (
	"bytes"
	"iter"
	"math"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// Moment is one step of a person's past: an event, or a change of the profile without one.
type Moment struct {
	Now     int64  // log time: when it was received
	Event   *Event // nil: only the profile changed
	Person  Person // the profile after it
	Affects Affected
}

// History is a person's past, in the order of the log. Timers on the way to a Moment see
// the Person of the one before, as that is by then: who changes one in place gives a Moment
// without an event first, whose time is that of the change.
type History struct {
	Profile string
	Moments iter.Seq[Moment]
}

const day = 24 * 3600 * 1000

// Backtested is what a rule set would have done over some days. The zero value of its counts is that of
// nobody; those of disjoint people add up.
type Backtested struct {
	From     time.Time   `json:"from"` // day 0 begins
	Days     int         `json:"days"`
	People   int         `json:"people"`
	Segments []Backtest  `json:"segments"` // in the set's order
	Both     map[int]int `json:"-"`        // people in two segments at the end, by their places a·n + b, a < b
	version  uint32
}

// Backtest is that of one segment.
type Backtest struct {
	Segment string  `json:"segment"`
	Size    []int   `json:"size"` // members at the end of each day
	Entries []int   `json:"entries"`
	Exits   []int   `json:"exits"`
	Ever    int     `json:"ever"`    // people who were in it at some time of these days
	Unknown int     `json:"unknown"` // evaluations whose condition was unknown
	Stays   Lengths `json:"-"`       // of those who left
	Gaps    Lengths `json:"-"`       // from an exit to the next entry of the same person
}

// Lengths counts lengths of time in classes that grow by an eighth of a doubling, so that
// their quantiles are known to 5 %.
type Lengths map[int]int

func (l Lengths) add(ms int64) {
	ms = max(1, ms)
	whole := bits.Len64(uint64(ms)) - 1
	l[whole*8+int(8*(float64(ms)/float64(int64(1)<<whole)-1))]++
}

// top is where class c ends.
func top(c int) int64 {
	return int64(math.Ldexp(1+float64(c%8+1)/8, c/8))
}

// Quantile is a length that a share q of them does not exceed, and how many there are.
func (l Lengths) Quantile(q float64) (time.Duration, int) {
	var classes []int
	n := 0
	for c, k := range l {
		classes = append(classes, c)
		n += k
	}
	slices.Sort(classes)
	seen := 0
	for _, c := range classes {
		if seen += l[c]; float64(seen) >= q*float64(n) {
			return time.Duration(top(c)) * time.Millisecond, n
		}
	}
	return 0, 0
}

// Upto is how many are at most as long as d, to the width of a class.
func (l Lengths) Upto(d time.Duration) (n int) {
	for c, k := range l {
		if top(c) <= d.Milliseconds() {
			n += k
		}
	}
	return n
}

// Churn is exits a member-day: those who left on a day of those who were in it at its end or left.
func (b *Backtest) Churn() float64 {
	left, there := 0, 0
	for d := range b.Size {
		left += b.Exits[d]
		there += b.Size[d] + b.Exits[d]
	}
	if there == 0 {
		return 0
	}
	return float64(left) / float64(there)
}

// NewBacktested is that of nobody, over the days from from on, Unix ms.
func (s *Set) NewBacktested(from int64, days int) *Backtested {
	b := &Backtested{From: time.UnixMilli(from).UTC(), Days: days, Both: map[int]int{}, version: s.version}
	for i := range s.rules {
		b.Segments = append(b.Segments, Backtest{Segment: s.rules[i].Segment, Size: make([]int, days), Entries: make([]int, days),
			Exits: make([]int, days), Stays: Lengths{}, Gaps: Lengths{}})
	}
	return b
}

// Backtest plays people's pasts under the set, timers included, and counts the days from from on.
// What came before brings them there and is counted as their size, not as entries. Memory
// is that of the counts; nobody is kept.
func (s *Set) Backtest(people iter.Seq[History], from int64, days int) (*Backtested, error) {
	out, w := s.NewBacktested(from, days), s.NewWork()
	one := tester{set: s, out: out, begin: from, end: from + int64(days)*day, since: make([]int64, len(s.rules)), left: make([]int64, len(s.rules)), ever: make([]bool, len(s.rules))}
	one.place = map[string]int{}
	for i := range s.rules {
		one.place[s.rules[i].Segment] = i
	}
	for h := range people {
		if err := one.play(w, h); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// tester plays one person after another.
type tester struct {
	set        *Set
	out        *Backtested
	begin, end int64
	place      map[string]int
	since      []int64 // entered at, or 0
	left       []int64 // left at, or 0
	ever       []bool
	in         []int
	state      []byte
	due        int64
}

func (t *tester) play(w *Work, h History) error {
	clear(t.since)
	clear(t.left)
	clear(t.ever)
	t.state, t.due = t.state[:0], 0
	t.out.People++
	var last Person
	for m := range h.Moments {
		if m.Now >= t.end {
			break
		}
		if last != nil {
			if err := t.timers(w, last, m.Now); err != nil {
				return err
			}
		}
		var r Result
		var err error
		if m.Event != nil {
			r, err = t.set.Event(w, t.state, *m.Event, m.Person, m.Affects, m.Now)
		} else {
			r, err = t.set.Due(w, t.state, m.Person, m.Affects, m.Now)
		}
		if err != nil {
			return err
		}
		t.took(r)
		last = m.Person
	}
	if last != nil {
		if err := t.timers(w, last, t.end-1); err != nil {
			return err
		}
	}
	t.in = t.in[:0]
	for i := range t.set.rules {
		if t.since[i] != 0 {
			t.stayed(i, t.end)
			t.in = append(t.in, i)
		}
		if t.ever[i] {
			t.out.Segments[i].Ever++
		}
	}
	for k, a := range t.in {
		for _, b := range t.in[k+1:] {
			t.out.Both[a*len(t.set.rules)+b]++
		}
	}
	return nil
}

func (t *tester) timers(w *Work, p Person, until int64) error {
	for t.due != 0 && t.due <= until {
		r, err := t.set.Due(w, t.state, p, Affected{}, t.due)
		if err != nil {
			return err
		}
		t.took(r)
	}
	return nil
}

func (t *tester) took(r Result) {
	t.state, t.due = append(t.state[:0], r.State...), r.Due
	for _, i := range r.Unknown {
		t.out.Segments[i].Unknown++
	}
	for _, c := range r.Changes {
		i := t.place[c.Segment]
		b, d := &t.out.Segments[i], int((c.At-t.begin)/day)
		if c.Entered {
			t.since[i] = c.At
			if c.At >= t.begin {
				b.Entries[d]++
				if t.left[i] != 0 {
					b.Gaps.add(c.At - t.left[i])
				}
			}
			continue
		}
		if c.At >= t.begin {
			b.Exits[d]++
			b.Stays.add(c.At - t.since[i])
		}
		t.stayed(i, c.At)
		t.since[i], t.left[i] = 0, c.At
	}
}

// stayed counts a membership that ended at until on the days at whose ends it was one.
func (t *tester) stayed(i int, until int64) {
	b := &t.out.Segments[i]
	if until > t.begin {
		t.ever[i] = true
	}
	first := max(0, (max(t.since[i], t.begin)-t.begin)/day)
	for d := first; d < int64(t.out.Days); d++ {
		if end := t.begin + (d+1)*day; end > until {
			return
		}
		b.Size[d]++
	}
}

// Add adds the counts of other people under the same set and days. It reports false, and adds
// nothing, if those are others.
func (b *Backtested) Add(other *Backtested) bool {
	if b.version != other.version || !b.From.Equal(other.From) || b.Days != other.Days {
		return false
	}
	b.People += other.People
	for i := range b.Segments {
		x, y := &b.Segments[i], &other.Segments[i]
		for d := range x.Size {
			x.Size[d] += y.Size[d]
			x.Entries[d] += y.Entries[d]
			x.Exits[d] += y.Exits[d]
		}
		x.Ever += y.Ever
		x.Unknown += y.Unknown
		for c, n := range y.Stays {
			x.Stays[c] += n
		}
		for c, n := range y.Gaps {
			x.Gaps[c] += n
		}
	}
	for k, n := range other.Both {
		b.Both[k] += n
	}
	return true
}

// Overlap is how much two segments have in common at the end of the last day.
type Overlap struct {
	A     string  `json:"a"`
	B     string  `json:"b"`
	Both  int     `json:"both"`
	Share float64 `json:"share"` // of the smaller one
	// Jaccard is both / either.
	Jaccard float64 `json:"jaccard"`
}

// Overlaps are all pairs with somebody in both, in the order of the set.
func (b *Backtested) Overlaps() (out []Overlap) {
	n := len(b.Segments)
	var pairs []int
	for k := range b.Both {
		pairs = append(pairs, k)
	}
	slices.Sort(pairs)
	for _, k := range pairs {
		x, y, both := &b.Segments[k/n], &b.Segments[k%n], b.Both[k]
		p, q := x.Size[b.Days-1], y.Size[b.Days-1]
		out = append(out, Overlap{x.Segment, y.Segment, both, float64(both) / float64(min(p, q)), float64(both) / float64(p+q-both)})
	}
	return out
}

// Standing is somebody as the store has them.
type Standing struct {
	Profile string
	State   []byte
	Person  Person
	Now     int64
}

// Difference is who would change in one segment.
type Difference struct {
	Segment string   `json:"segment"`
	Before  int      `json:"before"`
	After   int      `json:"after"`
	Enter   []string `json:"enter"` // some of them, as many as asked for
	Leave   []string `json:"leave"`
	Enters  int      `json:"enters"`
	Leaves  int      `json:"leaves"`
}

// Diff is who would enter and leave if next took the place of old now, by segment's name. Slots that only next has
// begin empty: what they would hold of the past is for Backtest to say.
func Diff(old, next *Set, people iter.Seq[Standing], samples int) ([]Difference, error) {
	by := map[string]*Difference{}
	for _, s := range []*Set{old, next} {
		for i := range s.rules {
			by[s.rules[i].Segment] = &Difference{Segment: s.rules[i].Segment}
		}
	}
	w := next.NewWork()
	for p := range people {
		before, err := old.Members(p.State)
		if err != nil {
			return nil, err
		}
		r, err := next.Due(w, bytes.Clone(p.State), p.Person, Affected{true, true, true, true}, p.Now)
		if err != nil {
			return nil, err
		}
		after, err := next.Members(r.State)
		if err != nil {
			return nil, err
		}
		has := func(in []Membership, name string) bool {
			_, ok := slices.BinarySearchFunc(in, name, func(m Membership, name string) int { return strings.Compare(m.Segment, name) })
			return ok
		}
		for _, m := range before {
			d := by[m.Segment]
			if d.Before++; !has(after, m.Segment) {
				if d.Leaves++; len(d.Leave) < samples {
					d.Leave = append(d.Leave, p.Profile)
				}
			}
		}
		for _, m := range after {
			d := by[m.Segment]
			if d.After++; !has(before, m.Segment) {
				if d.Enters++; len(d.Enter) < samples {
					d.Enter = append(d.Enter, p.Profile)
				}
			}
		}
	}
	var out []Difference
	for _, d := range by {
		out = append(out, *d)
	}
	slices.SortFunc(out, func(a, b Difference) int { return strings.Compare(a.Segment, b.Segment) })
	return out, nil
}
