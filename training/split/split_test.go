package split

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/data"
	"kindred/training/assemble"
	"kindred/training/evaluate"
)

// likes is the rule under which every act but hiding counts 1.
var likes = assemble.Preference{Weigh: func(i data.Interaction) float64 {
	if i.Kind == data.Hide {
		return -1
	}
	return 1
}}

// act is a view of an item by a person n minutes into the test; a negative n has no time.
func act(person, item string, n int) data.Interaction {
	i := data.Interaction{User: data.UserID(person), Item: data.ItemID(item), Kind: data.View}
	if n >= 0 {
		i.At = time.UnixMilli(int64(n) * 60_000).UTC()
	}
	return i
}

// source makes a source of acts.
func source(t interface{ Fatal(...any) }, acts ...data.Interaction) Source {
	b := assemble.NewBuilder()
	for _, a := range acts {
		b.Add(assemble.Key(a), a)
	}
	tab, err := b.Table()
	if err != nil {
		t.Fatal(err)
	}
	return Source{Table: tab}
}

// apply divides and fails the test on an error.
func apply(t *testing.T, src Source, p Protocol, opt Options) *Holdout {
	t.Helper()
	h, err := Apply(src, p, opt)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// names writes acts as "person item".
func names(t *assemble.Table, acts []assemble.Act) []string {
	out := []string{}
	for _, a := range acts {
		out = append(out, t.People.Key(a.Person)+" "+t.Items.Key(a.Item))
	}
	return out
}

// cases are the cases of a holdout under likes.
func cases(h *Holdout, relevant float64) []evaluate.Case {
	return h.Cases(assemble.Tastes(h.Train, h.People.Len(), likes), relevant)
}

func TestTimeCutsOnceForEverybody(t *testing.T) {
	src := source(t,
		act("ann", "a", 1), act("ann", "b", 2), act("ann", "c", 8),
		act("bob", "a", 3), act("bob", "d", 9),
		act("cid", "a", 4), act("cid", "b", 4), act("cid", "c", 4), act("cid", "d", 4), act("cid", "e", 9),
		act("dan", "a", -1), act("dan", "b", -1), act("ann", "e", -1),
	)
	h := apply(t, src, Time, Options{Share: .3})
	if d := cmp.Diff([]string{"ann c", "bob d", "cid e"}, names(h.Table, h.Test)); d != "" {
		t.Errorf("holdout: %s", d)
	}
	if h.Untimed != 1 || h.UntimedActs != 3 {
		t.Errorf("left out %d people and %d acts, want 1 and 3", h.Untimed, h.UntimedActs)
	}
	for _, a := range h.Train {
		if a.At >= h.Cut {
			t.Errorf("%v is in the training part and not before the cut %d", a, h.Cut)
		}
	}
}

func TestUserTimeHoldsOutEachPersonsEnd(t *testing.T) {
	var acts []data.Interaction
	for _, p := range []struct {
		name string
		n    int
	}{{"one", 1}, {"four", 4}, {"nine", 9}, {"ten", 10}} {
		for i := range p.n {
			acts = append(acts, act(p.name, strconv.Itoa(i), i))
		}
	}
	h := apply(t, source(t, acts...), UserTime, Options{})
	// max(1, floor(n/5)): 1 of 1, 1 of 4, 1 of 9, 2 of 10.
	want := []string{"four 3", "nine 8", "one 0", "ten 8", "ten 9"}
	if d := cmp.Diff(want, names(h.Table, h.Test)); d != "" {
		t.Error(d)
	}
}

func TestUserTimeBreaksTiesByItemIDAsANumber(t *testing.T) {
	h := apply(t, source(t, act("ann", "10", 1), act("ann", "9", 1), act("ann", "2", 1)), UserTime, Options{})
	if d := cmp.Diff([]string{"ann 10"}, names(h.Table, h.Test)); d != "" {
		t.Error(d)
	}
}

func TestGivenIsWhatTheFilesSay(t *testing.T) {
	src := source(t, act("ann", "a", 1), act("ann", "b", 2), act("bob", "c", 3))
	src.Test = []assemble.Act{src.Acts[1]}
	src.Table = src.Part([]assemble.Act{src.Acts[0], src.Acts[2]})
	h := apply(t, src, Given, Options{})
	if d := cmp.Diff([]string{"ann b"}, names(h.Table, h.Test)); d != "" {
		t.Error(d)
	}
	if _, err := Apply(Source{Table: src.Table}, Given, Options{}); err == nil || !strings.Contains(err.Error(), "no test part") {
		t.Errorf("Apply without a test part = %v", err)
	}
}

func TestLeaveOneOutTakesTheLastAct(t *testing.T) {
	hide := act("ann", "x", 9)
	hide.Kind = data.Hide
	h := apply(t, source(t, act("ann", "a", 1), act("ann", "b", 2), hide, act("bob", "a", 1)), LeaveOneOut, Options{})
	if d := cmp.Diff([]string{"ann b"}, names(h.Table, h.Test)); d != "" {
		t.Errorf("holdout: %s", d)
	}
	if d := cmp.Diff([]string{"ann a", "ann x", "bob a"}, names(h.Table, h.Train)); d != "" {
		t.Errorf("training part: %s", d)
	}
}

func TestLeaveOneOutDrawsWhereAPersonsOrderIsUnknown(t *testing.T) {
	acts := []data.Interaction{act("timed", "a", 1), act("timed", "b", 2)}
	for p := range 40 {
		for i := range 10 {
			acts = append(acts, act("p"+strconv.Itoa(p), strconv.Itoa(i), -1))
		}
	}
	h := apply(t, source(t, acts...), LeaveOneOut, Options{Seed: 1})
	drawn := map[int32]bool{}
	for _, a := range h.Test {
		drawn[a.Item] = true
	}
	if len(drawn) < 8 {
		t.Errorf("%d different items drawn for 40 people of 10 each, want most of them", len(drawn))
	}
	// Where nobody has times, the order is the files', and the last is the last.
	h = apply(t, source(t, act("ann", "z", -1), act("ann", "a", -1)), LeaveOneOut, Options{Seed: 1})
	if d := cmp.Diff([]string{"ann a"}, names(h.Table, h.Test)); d != "" {
		t.Error(d)
	}
}

func TestGivenNegativesAreRankedWithTheTargetAndNothingIsHidden(t *testing.T) {
	src := source(t, act("ann", "a", 1), act("ann", "b", 2), act("bob", "c", 1), act("bob", "d", 1))
	test := src.Acts[1] // ann b
	src.Table = src.Part(append([]assemble.Act{src.Acts[0]}, src.Acts[2:]...))
	src.Test, src.Negatives = []assemble.Act{test}, map[int32][]int32{0: {0, 2}}
	got := cases(apply(t, src, LeaveOneOut, Options{}), 0)
	if len(got) != 1 || !slices.Equal(got[0].Candidates, []int32{0, 1, 2}) || got[0].Hide != nil || !slices.Equal(got[0].Relevant, []int32{1}) {
		t.Errorf("case %+v, want target 1 among 0 and 2", got)
	}
}

func TestRelevantNeedsARatingAndSomethingNew(t *testing.T) {
	rated := func(item string, stars float64, n int) data.Interaction {
		i := act("ann", item, n)
		i.Kind, i.Value = data.Rating, stars
		return i
	}
	hidden := act("ann", "h", 13)
	hidden.Kind = data.Hide
	src := source(t, act("ann", "a", 0), act("bob", "a", 0), act("bob", "b", 0), act("bob", "c", 0),
		rated("good", 4, 10), rated("bad", 3, 11), act("ann", "viewed", 12), hidden, act("ann", "a", 14))
	h := apply(t, src, Time, Options{Share: .5})
	want := map[float64][]string{0: {"bad", "good", "viewed"}, 4: {"good", "viewed"}, 5: {"viewed"}}
	for relevant, items := range want {
		var got []string
		for _, row := range cases(h, relevant)[0].Relevant {
			got = append(got, h.Items.Key(row))
		}
		if d := cmp.Diff(items, got); d != "" {
			t.Errorf("relevant from %v: %s", relevant, d)
		}
	}
}

func TestSessionsAreJudgedAtEveryPrefixAndHideNothing(t *testing.T) {
	src := source(t, act("s1", "a", -1), act("s1", "b", -1), act("s2", "c", -1))
	src.Sessions = []Prefix{{Session: 0, Items: []int32{0}, Target: 1}, {Session: 0, Items: []int32{1, 0, 0}, Target: 2}, {Session: 1, Items: []int32{2}, Target: 2}}
	got := cases(apply(t, src, Session, Options{}), 0)
	if len(got) != 3 || got[0].Group != got[1].Group || got[1].Group == got[2].Group {
		t.Fatalf("cases %+v, want two of one session and one of another", got)
	}
	if h := got[1].History; !slices.Equal(h.Rows, []int32{0, 1}) || !slices.Equal(h.Weights, []float32{2, 1}) {
		t.Errorf("history %+v, want newest first, each item once", h)
	}
	if got[2].Hide != nil || !slices.Equal(got[2].Relevant, []int32{2}) {
		t.Errorf("case %+v: a session may repeat itself", got[2])
	}
}

func TestEveryProtocolKeepsTheHoldoutOutOfTheTrainingPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var acts []data.Interaction
		for p := range rapid.IntRange(2, 8).Draw(t, "people") {
			for range rapid.IntRange(1, 12).Draw(t, "acts") {
				acts = append(acts, act("p"+strconv.Itoa(p), strconv.Itoa(rapid.IntRange(0, 9).Draw(t, "item")), rapid.IntRange(-1, 30).Draw(t, "at")))
			}
		}
		src := source(t, acts...)
		for _, p := range []Protocol{Time, UserTime, LeaveOneOut} {
			h, err := Apply(src, p, Options{Share: .3, Seed: 1})
			if err != nil {
				continue // too small to divide, said so
			}
			for _, part := range []*Holdout{h, inner(h)} {
				if part == nil {
					continue
				}
				whole := len(part.Acts)
				if p != LeaveOneOut {
					whole -= part.UntimedActs
				}
				if len(part.Train)+len(part.Test) != whole {
					t.Fatalf("%s: %d and %d acts of %d", p, len(part.Train), len(part.Test), whole)
				}
				if p == Time {
					for _, a := range part.Test {
						if a.At < part.Cut {
							t.Fatalf("time: a holdout act at %d before the cut %d", a.At, part.Cut)
						}
					}
				}
				for _, c := range cases(part, 0) {
					for _, row := range c.Relevant {
						if slices.Contains(c.Hide, row) {
							t.Fatalf("%s: %q has row %d both hidden and relevant", p, c.Person, row)
						}
					}
				}
			}
		}
	})
}

// inner is h.Inner, or nil where h is too small.
func inner(h *Holdout) *Holdout {
	in, err := h.Inner()
	if err != nil {
		return nil
	}
	return in
}

func TestInnerMirrorsTheOuterDivision(t *testing.T) {
	var acts []data.Interaction
	for p := range 30 {
		for i := range 20 {
			acts = append(acts, act("p"+strconv.Itoa(p), strconv.Itoa((i*7+p)%150), p*3+i*2))
		}
	}
	src := source(t, acts...)
	for _, p := range []Protocol{Time, UserTime, LeaveOneOut} {
		h := apply(t, src, p, Options{Share: .2, Seed: 1})
		in := inner(h)
		if in == nil || len(in.Test) == 0 || len(in.Train)+len(in.Test) != len(h.Train) {
			t.Fatalf("%s: inner %+v, want the training part divided", p, in)
		}
		if p == Time && in.Cut >= h.Cut {
			t.Errorf("time: inner cut %d is not before the outer %d", in.Cut, h.Cut)
		}
	}
	src.Test, src.Negatives = []assemble.Act{src.Acts[0]}, map[int32][]int32{src.Acts[0].Person: {1, 2}}
	in := inner(apply(t, src, LeaveOneOut, Options{Seed: 1}))
	for _, c := range cases(in, 0) {
		if len(c.Candidates) != innerNegatives+1 {
			t.Errorf("%d candidates, want %d drawn negatives and the target", len(c.Candidates), innerNegatives)
		}
	}
	in = inner(apply(t, src, Given, Options{Seed: 1}))
	if len(in.Test) != 30*4 {
		t.Errorf("given: inner holds out %d acts, want the newest fifth of 30 people's 20", len(in.Test))
	}
}

func TestWhatASourceLacksIsSaid(t *testing.T) {
	untimed := source(t, act("ann", "a", -1), act("ann", "b", -1))
	for p, want := range map[Protocol]string{Time: "time", UserTime: "time", Session: "sessions", "weekly": "use one of time, user-time"} {
		_, err := Apply(untimed, p, Options{Share: .2})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Apply = %v, want an error with %q", p, err, want)
		}
	}
}
