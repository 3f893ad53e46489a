package features

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"kindred/data"
	"kindred/features/crowdtest"
	"kindred/features/segment"
)

// crowdRules are two versions of rules over what a crowd does; the second has one rule less
// and one more.
func crowdRules(tb testing.TB) Rules {
	all := []segment.Rule{
		{Segment: "viewers", When: `events("Product Viewed").within("2h").count() > 3`},
		{Segment: "abandoners", When: `not_followed_by(events("Product Added"), events("Order Completed"), "1h")`, Cooldown: segment.Duration(2 * time.Hour)},
		{Segment: "keen", When: `affinity("category", "c1") >= 0.2 && score("engagement") > 20.0`, For: segment.Duration(time.Minute)},
		{Segment: "grown", When: `traits.age > 30`},
		{Segment: "here", When: `events().in_session().count() > 2`, Parent: "viewers"},
		{Segment: "away", When: `sessions.last.duration < duration("5m")`, MinStay: segment.Duration(time.Hour)},
		{Segment: "one", When: `cluster("behaviour") == 1`, Group: "g"},
		{Segment: "two", When: `cluster("behaviour") == 2`, Group: "g"},
		{Segment: "new", When: `events().within("30m").distinct("event.item") >= 2`},
	}
	return func(_ context.Context, version string) (*segment.Set, error) {
		rules := segment.Rules{Segments: all[:8]}
		if version == "r-3000" {
			rules.Segments = all[1:]
			rules.Segments[3].Parent = ""
		}
		s, err := segment.Compile(rules, segment.Default())
		if err != nil {
			tb.Fatal(err)
		}
		return s, nil
	}
}

// A kept store is a Source.
func (k *kept) LoadProfiles(_ context.Context, _ int32, ids []data.ProfileID) (map[data.ProfileID][]byte, error) {
	out := map[data.ProfileID][]byte{}
	for _, id := range ids {
		if b := k.profiles[id]; b != nil {
			out[id] = b
		}
	}
	return out, nil
}

func (k *kept) LoadDedup(_ context.Context, _ int32, keys []data.DedupKey) (map[data.DedupKey][]uint64, error) {
	out := map[data.DedupKey][]uint64{}
	for _, key := range keys {
		if ids := k.dedup[key]; ids != nil {
			out[key] = ids
		}
	}
	return out, nil
}

func (k *kept) DueTimers(_ context.Context, _ int32, until int64, _ int) (out []data.Timer, _ error) {
	for t, at := range k.timers {
		if at <= until {
			out = append(out, data.Timer{At: at, Profile: t.profile, Slot: t.slot})
		}
	}
	slices.SortFunc(out, func(a, b data.Timer) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Profile, b.Profile), strings.Compare(a.Slot, b.Slot))
	})
	return out, nil
}

// TestSegmentsSurviveThatNobodyStaysInMemory folds one log in one memory, and beside it in
// memories that begin anew from the store after every few events.
func TestSegmentsSurviveThatNobodyStaysInMemory(t *testing.T) {
	shop := crowdtest.Shop()
	shop.People, shop.Items, shop.Visits, shop.Offset = 40, 300, 8, 3
	crowd, rng := crowdtest.New(shop), rand.New(rand.NewPCG(1, 2))
	b := NewBuilder(Default())
	rules := crowdRules(t)
	whole, state := NewMemory(0, State{}, nil, nil).WithRules(rules), State{}
	everything, stored := newKept(), newKept()
	fresh := NewMemory(0, state, stored, nil).WithRules(rules)
	for i := range int64(4000) {
		e := odd(rng, crowd.Next())
		if i == 300 || i == 3000 {
			e = data.Event{V: 1, ID: "r", Source: "kindred", Type: data.System, Name: data.SysMarker, Marker: &data.Marker{Rules: fmt.Sprint("r-", i)}, Times: e.Times}
		}
		for _, m := range []*Memory{whole, fresh} {
			if _, err := b.Fold(t.Context(), m, i, e); err != nil {
				t.Fatal(err)
			}
		}
		if rng.IntN(5) > 0 && i < 3999 {
			continue
		}
		for m, k := range map[*Memory]*kept{whole: everything, fresh: stored} {
			c, err := m.Commit(i + 1)
			if err != nil {
				t.Fatal(err)
			}
			k.save(c)
			state = m.State
		}
		fresh = NewMemory(0, state, stored, nil).WithRules(rules)
	}
	everything.counters, stored.counters = nil, nil // whoever loads a memory puts them in
	if diff := gocmp.Diff(everything, stored, gocmp.AllowUnexported(kept{}, timerOf{})); diff != "" {
		t.Fatalf("from memory and from the store differ (-memory +store):\n%.3000s", diff)
	}
	in := map[string]int{}
	for _, c := range stored.changes {
		in[c.Type+" "+c.To+c.From]++
	}
	for _, name := range []string{"viewers", "abandoners", "grown", "here", "away", "new"} {
		if in[SegmentEntered+" "+name] == 0 {
			t.Errorf("nobody ever entered %s: %v", name, in)
		}
	}
}

// rulesOf are rules of one version.
func rulesOf(t *testing.T, rules ...segment.Rule) Rules {
	s, err := segment.Compile(segment.Rules{Segments: rules}, segment.Default())
	if err != nil {
		t.Fatal(err)
	}
	return func(context.Context, string) (*segment.Set, error) { return s, nil }
}

func ruled(t *testing.T, rules ...segment.Rule) *world {
	w := newWorld(t, Default())
	w.m = NewMemory(0, State{Rules: "r"}, nil, nil).WithRules(rulesOf(t, rules...))
	return w
}

// moves are the entries and exits so far, as "+name at" and "-name at".
func (w *world) moves() (out []string) {
	for _, c := range w.changes {
		switch c.Type {
		case SegmentEntered:
			out = append(out, fmt.Sprintf("+%s %s", c.To, c.At.Sub(noon)))
		case SegmentExited:
			out = append(out, fmt.Sprintf("-%s %s", c.From, c.At.Sub(noon)))
		}
	}
	return out
}

func TestAPurchaseMovesSomebodyAtOnceAndACartIsMissedAfterADay(t *testing.T) {
	w := ruled(t,
		segment.Rule{Segment: "interested", When: `events("Product Added").within("7d").count() >= 1`, Group: "journey", Priority: 1},
		segment.Rule{Segment: "converted", When: `events("Order Completed").within("7d").count() > 0`, Group: "journey", Priority: 2},
		segment.Rule{Segment: "abandoner", When: `not_followed_by(events("Product Added"), events("Order Completed"), "24h")`},
	)
	w.fold(w.route(w.event(noon, "u1", "", "Product Added")))
	w.fold(w.route(w.event(noon.Add(time.Hour), "u1", "", "Order Completed")))
	w.fold(w.route(w.event(noon.Add(2*time.Hour), "u2", "", "Product Added")))
	w.tick(noon.Add(30 * time.Hour)) // nothing happens
	want := []string{"+interested 0s", "-interested 1h0m0s", "+converted 1h0m0s", "+interested 2h0m0s", "+abandoner 26h0m0s"}
	if diff := gocmp.Diff(want, w.moves()); diff != "" {
		t.Errorf("moves (-want +got):\n%s", diff)
	}
}

func TestHistoryCountsForSegmentsOnceSomebodyIdentifies(t *testing.T) {
	w := ruled(t, segment.Rule{Segment: "viewers", When: `events("Product Viewed").within("1h").count() >= 3`},
		segment.Rule{Segment: "grown", When: `traits.age > 30`})
	for i := range 2 {
		w.fold(w.route(w.event(noon.Add(time.Duration(i)*time.Minute), "", "device", "Product Viewed")))
	}
	w.fold(w.route(w.event(noon.Add(2*time.Minute), "u1", "", "Product Viewed")))
	e := w.event(noon.Add(3*time.Minute), "u1", "device", "Identify")
	e.Type, e.Traits = data.Identify, json.RawMessage(`{"age":31}`)
	w.fold(w.route(e))
	moves := w.moves()
	if !slices.Contains(moves, "+viewers 3m0s") || !slices.Contains(moves, "+grown 3m0s") {
		t.Errorf("moves %v: the user should be a viewer by what the device saw, and grown", moves)
	}
	p, _, err := w.m.Profile(t.Context(), data.NewProfileID(data.IDUser, "u1"))
	if err != nil {
		t.Fatal(err)
	}
	set, _ := w.m.liveRules(t.Context())
	members, err := Segments(p, set)
	if err != nil || len(members) != 2 {
		t.Errorf("members %v, %v; want two", members, err)
	}
}

func TestWhoIsErasedIsInNoSegment(t *testing.T) {
	w := ruled(t, segment.Rule{Segment: "viewers", When: `events("Product Viewed").within("1h").count() >= 1`})
	w.fold(w.route(w.event(noon, "u1", "", "Product Viewed")))
	e := w.event(noon.Add(time.Minute), "u1", "", data.SysDelete)
	e.Type = data.System
	w.fold(w.route(e))
	w.tick(noon.Add(5 * time.Hour))
	if diff := gocmp.Diff([]string{"+viewers 0s", "-viewers 1m0s"}, w.moves()); diff != "" {
		t.Errorf("moves (-want +got):\n%s", diff)
	}
}

func TestASegmentOfTheSessionEndsWithIt(t *testing.T) {
	w := ruled(t, segment.Rule{Segment: "busy", When: `events("Clicked").in_session().count() >= 2`})
	w.fold(w.route(w.event(noon, "u1", "", "Clicked")))
	w.fold(w.route(w.event(noon.Add(time.Minute), "u1", "", "Clicked")))
	w.tick(noon.Add(5 * time.Hour))
	if diff := gocmp.Diff([]string{"+busy 1m0s", "-busy 31m0s"}, w.moves()); diff != "" {
		t.Errorf("moves (-want +got):\n%s", diff)
	}
}

func TestAShareFromBeforeAnUnmergeIsNotCounted(t *testing.T) {
	w := ruled(t, segment.Rule{Segment: "viewers", When: `events("Product Viewed").within("7d").count() >= 1`})
	w.fold(w.route(w.event(noon, "", "device", "Product Viewed")))
	e := w.event(noon.Add(time.Minute), "ann", "device", "Identify")
	e.Type = data.Identify
	w.fold(w.route(e))
	id := data.NewProfileID(data.IDUser, "ann")
	whole, _, err := w.m.Profile(t.Context(), id)
	if err != nil || len(whole.Segments) == 0 {
		t.Fatal("ann has no segments", err)
	}
	marker := noon.Add(2 * time.Minute)
	undo := NewUnmerge(id, device("device"))
	undo.ID, undo.Times = "undo", data.Times{Event: noon.Add(3 * time.Minute), Received: noon.Add(3 * time.Minute)}
	if o := w.fold(undo); o != Applied {
		t.Fatalf("the unmerge was %v: %v", o, w.dead)
	}
	share := NewBackfill("r", string(id), id, whole.Segments, marker)
	share.Times.Received = noon.Add(4 * time.Minute)
	if o := w.fold(share); o != Erased {
		t.Errorf("the share is %v, want it refused: it has what the device did", o)
	}
}
