package slot

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const (
	second  = int64(1000)
	hour    = 3600 * second
	horizon = 2 * hour // how late events come in these tests
)

// specs draws a valid spec.
func specs(t *rapid.T) Spec {
	s := Spec{Kind: Kind(rapid.IntRange(int(Count), int(Sequence)).Draw(t, "kind")), Sources: []uint32{1}, Horizon: horizon}
	w := rapid.SampledFrom([]int64{second, 10 * second, 7 * 60 * second, hour + 7, 24 * hour}).Draw(t, "window")
	switch s.Kind {
	case Followed, NotFollowed:
		s.Sources, s.Scope = []uint32{1, 2}, Scope{Within, w, 0}
		return s
	case Sequence:
		s.Sources, s.Scope = []uint32{1, 2, 3}, Scope{Within, w, 0}
		return s
	case Decayed:
		s.HalfLife = time.Duration(w) * time.Millisecond
		if rapid.Bool().Draw(t, "weighted") {
			s.Sources, s.Weights = []uint32{1, 2}, []float64{.5, 3}
		}
		return s
	}
	switch s.Scope = (Scope{Reach: Reach(rapid.IntRange(0, 3).Draw(t, "reach"))}); s.Scope.Reach {
	case Within:
		s.Scope.From = w
	case Between:
		s.Scope.From, s.Scope.To = w, max(1, w*rapid.Int64Range(1, 99).Draw(t, "to")/100)
	}
	if s.Kind != Count && s.Kind != LastAt {
		s.Field = 1
	}
	if s.Kind == Count && s.Scope.Reach == Within && rapid.Bool().Draw(t, "ring") {
		s.Cap = rapid.IntRange(1, 6).Draw(t, "cap")
	}
	if s.Validate() != nil {
		s.Scope = Scope{}
	}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	return s
}

// step is an event and the log's time when it comes, or, without an event, a reading.
type step struct {
	now   int64
	event *Happened
}

// timeline draws events, some late, between readings. Sessions begin now and then and
// late events belong to none.
func timeline(t *rapid.T, s Spec, n int) (out []step) {
	now, session := 1_700_000_000_000+rapid.Int64Range(0, hour).Draw(t, "start"), int64(0)
	reach := max(s.Scope.From, s.HalfLife.Milliseconds(), second)
	for i := range rapid.IntRange(1, n).Draw(t, "steps") {
		now += rapid.OneOf(rapid.Int64Range(0, 3), rapid.Int64Range(0, reach/4+1), rapid.Int64Range(0, reach)).Draw(t, "gap")
		if rapid.IntRange(0, 3).Draw(t, "what") == 0 {
			out = append(out, step{now: now})
			continue
		}
		e := &Happened{Step: rapid.IntRange(0, len(s.Sources)-1).Draw(t, "source")}
		e.At, e.ID = now, uint64(i)
		if late := rapid.IntRange(0, 4).Draw(t, "late") == 0; late {
			e.At -= rapid.Int64Range(0, min(horizon, reach)).Draw(t, "by")
		} else {
			if session == 0 || rapid.IntRange(0, 5).Draw(t, "begin") == 0 {
				session = now*10 + int64(i)
			}
			e.Session = session
		}
		switch rapid.IntRange(0, 4).Draw(t, "value") {
		case 0:
			e.Value = Value{Kind: Text, Text: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "text")}
		case 1:
		default:
			e.Value = Of(float64(rapid.IntRange(-20, 20).Draw(t, "number")) / 2)
		}
		out = append(out, step{now, e})
	}
	return out
}

// same compares values; sums and fading ones up to rounding.
func same(s Spec, a, b Value) bool {
	if a.Kind != b.Kind || a.Text != b.Text {
		return false
	}
	return a.Number == b.Number || s.Kind == Decayed && math.Abs(a.Number-b.Number) <= 1e-9*max(1, math.Abs(b.Number))
}

func openSession(steps []step) (session int64) {
	for _, p := range steps {
		if p.event != nil && p.event.Session != 0 {
			session = p.event.Session
		}
	}
	return session
}

func happened(steps []step) (out []Happened) {
	for _, p := range steps {
		if p.event != nil {
			out = append(out, *p.event)
		}
	}
	return out
}

func TestStatesAreWhatTheDefinitionSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := specs(t)
		steps := timeline(t, s, 40)
		var st State
		for i, p := range steps {
			if p.event != nil {
				s.Add(&st, p.event.Step, p.event.Event, p.now)
			}
			b := s.AppendBinary(nil, &st)
			if len(b) > s.MaxBytes() {
				t.Fatalf("%+v takes %d bytes, MaxBytes says %d", s, len(b), s.MaxBytes())
			}
			var again State
			if err := s.Decode(b, &again); err != nil {
				t.Fatal(err)
			}
			st = again
			session, seen := openSession(steps[:i+1]), happened(steps[:i+1])
			if rapid.Bool().Draw(t, "trim") {
				s.Trim(&st, p.now, session)
			}
			got, want := s.Value(&st, p.now, session), s.Naive(seen, p.now, session, true)
			if !same(s, got, want) {
				t.Fatalf("%+v after step %d at %d: %+v, want %+v", s, i, p.now, got, want)
			}
			events := s.Evidence(&st, p.now, session).Events
			if n := float64(events); (s.Kind == Count || s.Kind == Distinct) && n != got.Number || s.Kind == LastAt && (n == 1) != (got.Kind == Number) {
				t.Fatalf("%+v at %d: the value is %+v of %d events", s, p.now, got, events)
			}
		}
	})
}

func TestPanesAreAtMostOneOff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.SampledFrom([]int64{second, 10 * second, 7 * 60 * second, hour + 7, 24 * hour}).Draw(t, "window")
		s := Spec{Kind: Count, Sources: []uint32{1}, Scope: Scope{Within, w, 0}}
		if rapid.Bool().Draw(t, "between") {
			s.Scope = Scope{Between, w, w * rapid.Int64Range(1, 99).Draw(t, "to") / 100}
		}
		steps := timeline(t, s, 40)
		seen, now := happened(steps), steps[len(steps)-1].now
		got := s.Naive(seen, now, 0, true).Number
		narrow, wide := s, s
		narrow.Scope.From, wide.Scope.From = s.Scope.From-s.Pane(), s.Scope.From+s.Pane()
		if s.Scope.Reach == Between {
			narrow.Scope.To, wide.Scope.To = s.Scope.To+s.Pane(), s.Scope.To-s.Pane()
		}
		if least, most := narrow.Naive(seen, now, 0, false).Number, wide.Naive(seen, now, 0, false).Number; got < least || got > most {
			t.Fatalf("%+v at %d: %v events, want between %v and %v", s, now, got, least, most)
		}
	})
}

func TestValuesChangeOnlyWhenNextSaysSo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := specs(t)
		steps := timeline(t, s, 20)
		var st State
		for _, p := range steps {
			if p.event != nil {
				s.Add(&st, p.event.Step, p.event.Event, p.now)
			}
		}
		now, session := steps[len(steps)-1].now, openSession(steps)
		threshold := float64(rapid.IntRange(1, 6).Draw(t, "threshold")) / 2
		read := func(at int64) Value {
			v := s.Value(&st, at, session)
			if s.Kind == Decayed {
				return holds(v.Number > threshold)
			}
			return v
		}
		before := read(now)
		for range 200 {
			next, ok := s.Next(&st, now, threshold)
			last := next - 1
			if !ok {
				last = now + 400*24*hour
			}
			for _, at := range []int64{now, now + (last-now)/2, now + (last-now)*9/10, last} {
				if got := read(at); got != before {
					t.Fatalf("%+v: %+v at %d, %+v at %d, though Next said %d %v", s, before, now, got, at, next, ok)
				}
			}
			if !ok {
				return
			}
			if next <= now {
				t.Fatalf("%+v: Next(%d) = %d", s, now, next)
			}
			now, before = next, read(next)
		}
		t.Fatalf("%+v never comes to rest", s)
	})
}

func TestMergingIsAddingAllEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := specs(t)
		steps := timeline(t, s, 40)
		now, session := steps[len(steps)-1].now, openSession(steps)
		parts := make([]State, 3)
		for _, p := range steps {
			if p.event != nil {
				s.Add(&parts[rapid.IntRange(0, 2).Draw(t, "whose")], p.event.Step, p.event.Event, p.now)
			}
		}
		merged := func(order ...int) State {
			var out State
			for _, i := range order {
				var part State
				if err := s.Decode(s.AppendBinary(nil, &parts[i]), &part); err != nil {
					t.Fatal(err)
				}
				s.Merge(&out, &part, now)
			}
			return out
		}
		a, b := merged(0, 1, 2), merged(2, 1, 0)
		if got, want := s.Value(&a, now, session), s.Naive(happened(steps), now, session, true); !same(s, got, want) {
			t.Fatalf("%+v: %+v merged, want %+v", s, got, want)
		}
		if s.Kind != Decayed && s.Kind != Sum && s.Kind != Avg && !slices.Equal(s.AppendBinary(nil, &a), s.AppendBinary(nil, &b)) {
			t.Fatalf("%+v: the order of merging shows: %+v and %+v", s, a, b)
		}
	})
}

func TestShufflesWithinTheHorizonAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := specs(t)
		if s.Scope.Reach == Session {
			t.Skip() // sessions depend on the order of arrival
		}
		events := happened(timeline(t, s, 30))
		if len(events) == 0 {
			t.Skip()
		}
		first, last := events[0].At, events[0].At
		for _, e := range events {
			first, last = min(first, e.At), max(last, e.At)
		}
		s.Horizon = last - first // any order is within it
		var want Value
		for i, order := range [][]Happened{events, rapid.Permutation(events).Draw(t, "order")} {
			var st State
			for _, e := range order {
				s.Add(&st, e.Step, e.Event, last)
			}
			if got := s.Value(&st, last, 0); i == 0 {
				want = got
			} else if !same(s, got, want) {
				t.Fatalf("%+v: %+v in one order, %+v in another", s, want, got)
			}
		}
	})
}

func TestSpecsThatCannotBeAreRefused(t *testing.T) {
	within := Scope{Within, hour, 0}
	for name, s := range map[string]Spec{
		"no kind":             {Sources: []uint32{1}},
		"no source":           {Kind: Count},
		"one of a pair":       {Kind: Followed, Sources: []uint32{1}, Scope: within},
		"pair without a time": {Kind: NotFollowed, Sources: []uint32{1, 2}},
		"one step":            {Kind: Sequence, Sources: []uint32{1}, Scope: within},
		"two sources":         {Kind: Count, Sources: []uint32{1, 2}},
		"no half-life":        {Kind: Decayed, Sources: []uint32{1}},
		"fading in a window":  {Kind: Decayed, Sources: []uint32{1}, Scope: within, HalfLife: time.Hour},
		"short window":        {Kind: Count, Sources: []uint32{1}, Scope: Scope{Within, 999, 0}},
		"long window":         {Kind: Count, Sources: []uint32{1}, Scope: Scope{Within, maxWindow + 1, 0}},
		"ages turned round":   {Kind: Count, Sources: []uint32{1}, Scope: Scope{Between, hour, 2 * hour}},
		"distinct between":    {Kind: Distinct, Field: 1, Sources: []uint32{1}, Scope: Scope{Between, 2 * hour, hour}},
		"first within":        {Kind: First, Field: 1, Sources: []uint32{1}, Scope: within},
		"large cap":           {Kind: Count, Sources: []uint32{1}, Scope: within, Cap: MaxRing + 1},
	} {
		if err := s.Validate(); err == nil {
			t.Errorf("%s: %+v is not refused", name, s)
		}
	}
}

// TestMoreThanMaxDistinctStaysThere counts up to the bound and no further.
func TestMoreThanMaxDistinctStaysThere(t *testing.T) {
	s := Spec{Kind: Distinct, Sources: []uint32{1}, Field: 1}
	var st State
	for i := range MaxDistinct + 50 {
		s.Add(&st, 0, Event{At: int64(i), Value: Of(float64(i))}, int64(i))
		if got, want := s.Value(&st, int64(i), 0).Number, float64(min(i+1, MaxDistinct)); got != want {
			t.Fatalf("%v different values after %d, want %v", got, i+1, want)
		}
	}
	if n := len(s.AppendBinary(nil, &st)); n > s.MaxBytes() {
		t.Errorf("%d bytes, MaxBytes says %d", n, s.MaxBytes())
	}
}

// TestTheLeastRecentlySeenValuesGoFirst fills a window beyond the bound and lets the older
// ones leave it.
func TestTheLeastRecentlySeenValuesGoFirst(t *testing.T) {
	s := Spec{Kind: Distinct, Sources: []uint32{1}, Field: 1, Scope: Scope{Within, hour, 0}}
	var st State
	for i := range MaxDistinct + 50 {
		s.Add(&st, 0, Event{At: int64(i), Value: Of(float64(i))}, int64(i))
	}
	if got := s.Value(&st, hour+int64(MaxDistinct+50-11), 0).Number; got != 10 {
		t.Errorf("%v values once all but the newest ten have left, want 10", got)
	}
}

func FuzzDecode(f *testing.F) {
	kinds := []Spec{
		{Kind: Count, Sources: []uint32{1}, Scope: Scope{Within, hour, 0}, Cap: 5},
		{Kind: Sum, Field: 1, Sources: []uint32{1}, Scope: Scope{Within, hour, 0}},
		{Kind: Distinct, Field: 1, Sources: []uint32{1}}, {Kind: Last, Field: 1, Sources: []uint32{1}},
		{Kind: Decayed, Sources: []uint32{1}, HalfLife: time.Hour},
		{Kind: NotFollowed, Sources: []uint32{1, 2}, Scope: Scope{Within, hour, 0}},
		{Kind: Sequence, Sources: []uint32{1, 2, 3}, Scope: Scope{Within, hour, 0}},
		{Kind: Count, Sources: []uint32{1}, Scope: Scope{Reach: Session}},
	}
	for i := range kinds {
		f.Add(i, []byte{1, 2, 3, 4})
	}
	f.Fuzz(func(t *testing.T, i int, b []byte) {
		s := kinds[uint(i)%uint(len(kinds))]
		var st, again State
		if s.Decode(b, &st) != nil {
			return
		}
		if err := s.Decode(s.AppendBinary(nil, &st), &again); err != nil {
			t.Fatalf("%+v decodes %x, but not what it encodes of it: %v", s, b, err)
		}
		s.Value(&st, 5, 1)
		s.Next(&st, 5, 1)
	})
}

// TestSumsBelowZeroRise reads, of a score that is below 0, when it is back at a threshold.
func TestSumsBelowZeroRise(t *testing.T) {
	s := Spec{Kind: Decayed, Sources: []uint32{1}, Weights: []float64{-8}, HalfLife: time.Hour}
	var st State
	s.Add(&st, 0, Event{At: 5}, 5)
	if at, ok := s.Next(&st, 5, -2); !ok || at != 5+2*hour {
		t.Errorf("−8 is −2 at %d %v, want two half-lives later", at, ok)
	}
	if at, ok := s.Next(&st, 5+2*hour, -2); !ok || at != 6+2*hour {
		t.Errorf("−2 is above it at %d %v, want a millisecond later", at, ok)
	}
	if _, ok := s.Next(&st, 5, 2); ok {
		t.Error("−8 falls to 2")
	}
}

// TestThresholdsNearZeroEnd asks for crossings that lie beyond what numbers can hold.
func TestThresholdsNearZeroEnd(t *testing.T) {
	s := Spec{Kind: Decayed, Sources: []uint32{1}, HalfLife: 100 * 366 * 24 * time.Hour}
	var st State
	s.Add(&st, 0, Event{At: 5}, 5)
	for _, threshold := range []float64{5e-324, 1e-300, 0} {
		at, ok := s.Next(&st, 5, threshold)
		if ok && (s.Value(&st, at, 0).Number > threshold || s.Value(&st, at-1, 0).Number <= threshold) {
			t.Errorf("falls to %g at %d, when it is %g", threshold, at, s.Value(&st, at, 0).Number)
		}
	}
}
