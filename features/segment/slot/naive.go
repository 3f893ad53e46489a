package slot

import (
	"cmp"
	"math"
	"slices"
)

// Happened is one event of a person as Naive sees it: the step of the spec's Sources that
// it matches, and what a slot sees of it.
type Happened struct {
	Step int
	Event
}

// Naive is the slot's value at now by its definition in the package's comment, over
// all events that the log accepted: the textbook twin of State. Windows in panes
// take whole panes, as a State does, if edges is set. It takes O(n log n), O(n²) for steps.
func (s *Spec) Naive(events []Happened, now, session int64, edges bool) Value {
	var in []Happened
	for _, e := range events {
		if e.At <= now && s.sees(e.Event, now, session, edges) && (s.Field == 0 || e.Value.Kind != None) {
			in = append(in, e)
		}
	}
	slices.SortStableFunc(in, func(a, b Happened) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID)) })
	switch s.Kind {
	case Count, Sum, Avg, Min, Max:
		total := pane{}
		for _, e := range in {
			if s.Field != 0 && e.Value.Kind != Number {
				continue
			}
			x := e.Value.Number
			if total.count == 0 {
				total.min, total.max = x, x
			}
			total.count, total.sum = total.count+1, total.sum+x
			total.min, total.max = min(total.min, x), max(total.max, x)
		}
		if s.shape() == ring {
			total.count = min(total.count, uint32(s.Cap+1))
		}
		return s.of(total)
	case Distinct:
		different := map[uint64]bool{}
		for _, e := range in {
			different[hashOf(e.Value)] = true
		}
		return Of(float64(min(len(different), MaxDistinct)))
	case First, Last, LastAt:
		if len(in) == 0 {
			return Value{}
		}
		e := in[len(in)-1]
		if s.Kind == First {
			e = in[0]
		}
		if s.Kind == LastAt {
			return Of(float64(e.At))
		}
		if s.Field == 0 {
			return Value{}
		}
		return e.Value
	case Decayed:
		sum := 0.
		for _, e := range in {
			sum += s.weight(e.Step) * math.Exp2(-float64(now-e.At)/float64(s.HalfLife.Milliseconds()))
		}
		return Of(sum)
	case NotFollowed:
		latest := int64(math.MinInt64)
		for _, e := range in {
			if e.Step == 0 {
				latest = e.At
			}
		}
		yes := latest != math.MinInt64 && now >= latest+s.Scope.From
		for _, e := range in {
			yes = yes && !(e.Step == 1 && e.At > latest)
		}
		return holds(yes)
	}
	return holds(s.follow(in, 0, 0, 0))
}

// sees reports whether the scope selects an event at now.
func (s *Spec) sees(e Event, now, session int64, edges bool) bool {
	if s.Scope.Reach == Session {
		return session != 0 && e.Session == session
	}
	if s.shape() == paned && edges {
		from, to := s.covered(now)
		i := s.panes().Index(e.At)
		return i >= from && i <= to
	}
	switch s.Kind {
	case Followed, NotFollowed, Sequence:
		return true
	}
	switch s.Scope.Reach {
	case Within:
		return e.At > now-s.Scope.From
	case Between:
		return e.At > now-s.Scope.From && e.At <= now-s.Scope.To
	}
	return true
}

// follow reports whether the steps from step on can be made after the event at last, the
// first having been at first.
func (s *Spec) follow(in []Happened, step int, first, last int64) bool {
	if step == len(s.Sources) {
		return true
	}
	for _, e := range in {
		if e.Step != step || step > 0 && (e.At <= last || e.At > first+s.Scope.From) {
			continue
		}
		if step == 0 {
			first = e.At
		}
		if s.follow(in, step+1, first, e.At) {
			return true
		}
	}
	return false
}
