package segment

import (
	"encoding/json"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// past is a history of events at some hours.
func past(name string, hours map[float64]string) History {
	return History{name, func(yield func(Moment) bool) {
		var at []float64
		for h := range hours {
			at = append(at, h)
		}
		slices.Sort(at)
		p := &someone{}
		for _, h := range at {
			now := dayOne.UnixMilli() + int64(h*3600e3)
			e := shown(hours[h], now, "")
			if !yield(Moment{Now: now, Event: &e, Person: p}) {
				return
			}
		}
	}}
}

func backtestRules() Rules {
	return Rules{Segments: []Rule{
		{Segment: "cart", When: `events("Added").ever().count() > 0`, MinSize: 3},
		{Segment: "abandoner", When: `not_followed_by(events("Added"), events("Bought"), "24h")`},
		{Segment: "added", When: `events("Added").ever().count() >= 1`},
		{Segment: "nobody", When: `events("None").ever().count() > 0`},
		{Segment: "click", When: `events("Click").within("10m").count() > 0`},
	}}
}

func TestABacktestCountsDays(t *testing.T) {
	s := mustCompile(t, backtestRules())
	clicks := map[float64]string{}
	for i := range 20 {
		clicks[50+float64(i)/4] = "Click" // ten minutes in, five out
	}
	people := slices.Values([]History{
		past("ann", map[float64]string{-30: "Added", 20: "Bought"}), // abandoned before day 0
		past("bob", map[float64]string{10: "Added"}),                // day 1, without an event
		past("cem", clicks),
	})
	b, err := s.Backtest(people, dayOne.UnixMilli(), 4)
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Size, Entries, Exits []int
		Ever                 int
	}
	want := map[string]row{
		"cart":      {[]int{2, 2, 2, 2}, []int{1, 0, 0, 0}, []int{0, 0, 0, 0}, 2},
		"abandoner": {[]int{0, 1, 1, 1}, []int{0, 1, 0, 0}, []int{1, 0, 0, 0}, 2},
		"added":     {[]int{2, 2, 2, 2}, []int{1, 0, 0, 0}, []int{0, 0, 0, 0}, 2},
		"nobody":    {[]int{0, 0, 0, 0}, []int{0, 0, 0, 0}, []int{0, 0, 0, 0}, 0},
		"click":     {[]int{0, 0, 0, 0}, []int{0, 0, 20, 0}, []int{0, 0, 20, 0}, 1},
	}
	for i := range b.Segments {
		x := &b.Segments[i]
		if d := cmp.Diff(want[x.Segment], row{x.Size, x.Entries, x.Exits, x.Ever}); d != "" {
			t.Errorf("%s: %s", x.Segment, d)
		}
	}
	if got, want := b.Overlaps(), []Overlap{{"cart", "abandoner", 1, 1, .5}, {"cart", "added", 2, 1, 1}, {"abandoner", "added", 1, 1, .5}}; !slices.Equal(got, want) {
		t.Errorf("overlaps %+v, want %+v", got, want)
	}
	if stay, n := b.Segments[4].Stays.Quantile(.5); n != 20 || stay < 10*time.Minute || stay > 11*time.Minute {
		t.Errorf("a median stay of %v of %d, want ten minutes of 20", stay, n)
	}
	if got := b.Segments[1].Churn(); got != .25 {
		t.Errorf("a churn of %v, want one exit of four member-days", got)
	}
	kinds := map[string]string{}
	for _, f := range s.Lint(b, DefaultLint()) {
		kinds[f.Segment+" "+f.Kind] = f.Other + f.For.String()
	}
	if d := cmp.Diff(map[string]string{"cart small": "0s", "cart overlap": "added0s", "nobody unused": "0s", "click flapping": "5m30s"}, kinds); d != "" {
		t.Error(d)
	}

	// The hysteresis that the linter suggests removes most entries.
	rules := backtestRules()
	rules.Segments[4].For = Duration(330 * time.Second)
	again, err := mustCompile(t, rules).Backtest(people, dayOne.UnixMilli(), 4)
	if got := again.Segments[4].Entries[2]; err != nil || got != 1 {
		t.Errorf("%d entries with for: 5m30s, %v; want 1", got, err)
	}
}

// histories draws people.
func histories(t *rapid.T) (out []History) {
	for range rapid.IntRange(1, 5).Draw(t, "people") {
		what := happenings(t, dayOne.UnixMilli()-600*second)
		out = append(out, History{"", func(yield func(Moment) bool) {
			p := nobody()
			for _, h := range what {
				if !yield(Moment{Now: h.at, Person: p}) {
					return
				}
				p.open = h.session
				if h.change != nil {
					h.change(p)
				}
				if !yield(Moment{h.at, h.event, p, h.affects}) {
					return
				}
			}
		}})
	}
	return out
}

// TestBacktestsOfPartsAddUp compares a backtest of all with those of two halves, and its
// last day with the members that a plain fold finds.
func TestBacktestsOfPartsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Default()
		cfg.MaxBytes = 1 << 20
		s := testSet(t, cfg)
		people, from := histories(t), dayOne.UnixMilli()
		run := func(of iter.Seq[History]) *Backtested {
			b, err := s.Backtest(of, from, 2)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		cut := rapid.IntRange(0, len(people)).Draw(t, "cut")
		whole, parts := run(slices.Values(people)), run(slices.Values(people[cut:]))
		if !parts.Add(run(slices.Values(people[:cut]))) {
			t.Fatal("not added")
		}
		if d := cmp.Diff(whole, parts, cmp.AllowUnexported(Backtested{})); d != "" {
			t.Fatal(d)
		}
		sizes := map[string]int{}
		w := s.NewWork()
		for _, h := range people {
			var state []byte
			due, last := int64(0), Person(nil)
			for m := range h.Moments {
				for due != 0 && due <= m.Now {
					r, _ := s.Due(w, state, last, Affected{}, due)
					state, due = slices.Clone(r.State), r.Due
				}
				r, _ := Result{}, 0
				if m.Event != nil {
					r, _ = s.Event(w, state, *m.Event, m.Person, m.Affects, m.Now)
				} else {
					r, _ = s.Due(w, state, m.Person, m.Affects, m.Now)
				}
				state, due, last = slices.Clone(r.State), r.Due, m.Person
			}
			for due != 0 && due < from+day {
				r, _ := s.Due(w, state, last, Affected{}, due)
				state, due = slices.Clone(r.State), r.Due
			}
			members, _ := s.Members(state)
			for _, m := range members {
				sizes[m.Segment]++
			}
		}
		for i := range whole.Segments {
			if x := &whole.Segments[i]; x.Size[0] != sizes[x.Segment] {
				t.Fatalf("%s: %d at the end of the day, want %d", x.Segment, x.Size[0], sizes[x.Segment])
			}
		}
	})
}

func TestADiffSaysWhoWouldEnterAndLeave(t *testing.T) {
	old := mustCompile(t, Rules{Segments: []Rule{{Segment: "hot", When: `events("A").within("10m").count() > 1`}, {Segment: "gone", When: `events("A").within("10m").count() > 0`}}})
	next := mustCompile(t, Rules{Segments: []Rule{{Segment: "hot", When: `events("A").within("10m").count() > 1 || traits.age > 30`}}})
	var people []Standing
	for _, who := range []struct {
		name, age string
		n         int
	}{{"ann", "31", 1}, {"bob", "20", 2}, {"cem", "20", 1}} {
		p := &someone{traits: map[string]string{"age": who.age}}
		var state []byte
		for i := range who.n {
			r, err := old.Event(old.NewWork(), state, shown("A", int64(1000+i), ""), p, Affected{}, int64(1000+i))
			if err != nil {
				t.Fatal(err)
			}
			state = r.State
		}
		people = append(people, Standing{who.name, state, p, 2000})
	}
	got, err := Diff(old, next, slices.Values(people), 2)
	if err != nil {
		t.Fatal(err)
	}
	want := []Difference{{Segment: "gone", Before: 3, Leave: []string{"ann", "bob"}, Leaves: 3}, {Segment: "hot", Before: 1, After: 2, Enter: []string{"ann"}, Enters: 1}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := json.Marshal(got); err != nil {
		t.Error(err)
	}
}
