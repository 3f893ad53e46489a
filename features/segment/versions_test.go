package segment

import (
	"fmt"
	"slices"
	"testing"
)

// TestASlotThatComesBackStartsAnew: what lingers of its former life in somebody's bytes is not it.
func TestASlotThatComesBackStartsAnew(t *testing.T) {
	both, err := Compile(Rules{Segments: []Rule{
		{Segment: "a", When: `events("A").within("1d").count() > 0`}, {Segment: "b", When: `events("B").within("1d").count() > 0`}}}, Default())
	if err != nil {
		t.Fatal(err)
	}
	if len(both.Meanings()) != 2 || !slices.IsSorted(both.Meanings()) {
		t.Fatalf("meanings are %q", both.Meanings())
	}
	again := both.Born(func(m string) int64 {
		if m == both.Meanings()[1] {
			return 7
		}
		return 0
	})
	same := both.Born(func(string) int64 { return 0 })
	if same.version != both.version || again.version == both.version {
		t.Errorf("versions %d, %d and %d: only another birth is another version", both.version, same.version, again.version)
	}
	kept := 0
	for id := range again.slotsBy {
		if _, ok := both.slotsBy[id]; ok {
			kept++
		}
	}
	if kept != 1 || len(again.slotsBy) != 2 {
		t.Errorf("%d of %d slots are the former ones, want 1 of 2", kept, len(again.slotsBy))
	}
}

// TestSlotsThatWereBornAgainAreFound folds events under a set whose slots have other ids than their
// meanings give them.
func TestSlotsThatWereBornAgainAreFound(t *testing.T) {
	var rules Rules
	for i := range 30 {
		rules.Segments = append(rules.Segments, Rule{Segment: fmt.Sprint("s", i), When: fmt.Sprintf(`events("A").within("%dm").count() >= 2`, i+1)})
	}
	s := mustCompile(t, rules).Born(func(meaning string) int64 { return int64(len(meaning)) })
	w, p := s.NewWork(), &someone{}
	var state []byte
	for i := range 2 {
		r, err := s.Event(w, state, shown("A", int64(1000+i), ""), p, Affected{}, int64(1000+i))
		if err != nil {
			t.Fatal(err)
		}
		state = r.State
	}
	if in, err := s.Members(state); err != nil || len(in) != 30 {
		t.Errorf("in %d segments, %v; want all 30", len(in), err)
	}
}
