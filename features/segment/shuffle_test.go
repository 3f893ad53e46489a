package segment

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestConditionsAreTheSameInWhateverOrderEventsCome folds the same events in two orders,
// all within the horizon, and compares what the condition is at the end. Sessions are left
// out: they depend on the order.
func TestConditionsAreTheSameInWhateverOrderEventsCome(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Default()
		cfg.MaxBytes, cfg.Horizon = 1<<20, 2000*second
		s, err := Compile(Rules{Scores: testScores(), Segments: []Rule{{Segment: "s", When: testConditions(t, 2, nil)}}}, cfg)
		if err != nil {
			t.Fatal(err)
		}
		const start = 1_700_000_000 * second
		var events []Event
		for i := range rapid.IntRange(1, 20).Draw(t, "events") {
			at := start + second*rapid.Int64Range(0, 300).Draw(t, "at")
			e := shown(rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "name"), at, fmt.Sprintf(`{"x":%d}`, rapid.IntRange(0, 4).Draw(t, "x")))
			e.Hash = uint64(i)
			events = append(events, e)
		}
		now := start + 300*second
		p := &someone{traits: map[string]string{"age": "2"}}
		w := s.NewWork()
		truth := func(in []Event) value {
			var state []byte
			for _, e := range in {
				r, err := s.Event(w, state, e, p, Affected{}, now)
				if err != nil {
					t.Fatal(err)
				}
				state = append([]byte(nil), r.State...)
			}
			look, err := w.begin(state, p, now)
			if err != nil {
				t.Fatal(err)
			}
			return s.rules[0].when.eval(&look)
		}
		a, b := truth(events), truth(rapid.Permutation(events).Draw(t, "order"))
		if a.kind != b.kind || a.n != b.n {
			t.Fatalf("%s is %+v in one order, %+v in another", s.rules[0].When, a, b)
		}
	})
}
