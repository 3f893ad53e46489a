package features

import (
	"context"
	"math"
	"slices"
	"sort"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/data"
	"kindred/data/event"
)

// small is a configuration whose caps a short test does not reach.
func small() Config { return Default() }

// drawEvents are ordinary events of one person, in order of arrival, at most late late.
func drawEvents(t *rapid.T, w *world, n int, late time.Duration) []data.Event {
	names := []string{"Product Viewed", "Product Clicked", "Product Added", "Order Completed", "Item Rated", "Something Else"}
	at := noon
	var out []data.Event
	for range rapid.IntRange(1, n).Draw(t, "events") {
		at = at.Add(time.Duration(rapid.IntRange(0, 7200).Draw(t, "step")) * time.Second)
		when := at.Add(-time.Duration(rapid.Int64Range(0, int64(late/time.Second)).Draw(t, "late")) * time.Second)
		item := data.EventItem{ID: data.ItemID("item" + strconv.Itoa(rapid.IntRange(0, 8).Draw(t, "item"))), Price: 2.5,
			Facets: map[string][]string{"category": {"c" + strconv.Itoa(rapid.IntRange(0, 4).Draw(t, "category"))}, "tag": {"x", "y"}}}
		w.received = at
		e := w.event(when, "ann", "", rapid.SampledFrom(names).Draw(t, "name"), item)
		e.Value = float64(rapid.IntRange(1, 5).Draw(t, "value"))
		e.Profile = data.NewProfileID(data.IDUser, "ann")
		if rapid.Bool().Draw(t, "identify") {
			e.Type, e.Name = data.Identify, "Identify"
			e.Traits = []byte(`{"age":` + strconv.Itoa(rapid.IntRange(1, 99).Draw(t, "age")) + `,"city":"c` + strconv.Itoa(rapid.IntRange(0, 3).Draw(t, "city")) + `"}`)
		}
		out = append(out, e)
	}
	return out
}

// exact is what must not depend on the order of arrival at all.
func exact(p data.Profile) data.Profile {
	out := data.Profile{ID: p.ID, FirstSeen: p.FirstSeen, LastSeen: p.LastSeen, Identity: p.Identity,
		Traits: p.Traits, Slots: p.Slots, Recent: p.Recent, History: slices.Clone(p.History)}
	for i := range out.History { // summed in another order
		out.History[i].Weight = math.Round(out.History[i].Weight*1e6) / 1e6
	}
	return out
}

// near compares decayed sums at one time, to 1e-9.
func near(t *rapid.T, a, b data.Profile, now int64) {
	t.Helper()
	if d := EngagementScore(a, now) - EngagementScore(b, now); math.Abs(d) > 1e-9 {
		t.Fatalf("engagement differs by %v", d)
	}
	for _, facet := range []string{"category", "tag"} {
		share := func(p data.Profile) map[string]float64 {
			out := map[string]float64{}
			for _, x := range TopAffinities(p, facet, now, 100) {
				out[x.Value] = x.Share
			}
			return out
		}
		x, y := share(a), share(b)
		if len(x) != len(y) {
			t.Fatalf("%s: %d values and %d", facet, len(x), len(y))
		}
		for value, s := range x {
			if math.Abs(s-y[value]) > 1e-9 {
				t.Fatalf("%s %s: share %v and %v", facet, value, s, y[value])
			}
		}
	}
}

func foldAll(t *rapid.T, b *Builder, events []data.Event) (data.Profile, *Memory) {
	t.Helper()
	m := NewMemory(0, State{}, nil, nil)
	for i, e := range events {
		if _, err := b.Fold(context.Background(), m, int64(i), e); err != nil {
			t.Fatal(err)
		}
	}
	p, _, _ := m.Profile(context.Background(), data.NewProfileID(data.IDUser, "ann"))
	return p, m
}

func TestAnyOrderWithinTheLatenessGivesTheSameFeatures(t *testing.T) {
	b := NewBuilder(small())
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, small())
		events := drawEvents(t, w, 40, 3*24*time.Hour)
		shuffled := slices.Clone(rapid.Permutation(events).Draw(t, "order"))
		latest := events[len(events)-1].Times.Received
		for i := range shuffled { // all arrive together at the end
			shuffled[i].Times.Received = latest
		}
		p, m := foldAll(t, b, events)
		q, _ := foldAll(t, b, shuffled)
		if diff := cmp.Diff(exact(p), exact(q)); diff != "" {
			t.Fatal(diff)
		}
		near(t, p, q, m.State.Now)
	})
}

func TestWindowsHistoryAndTraitsAgreeWithRecounting(t *testing.T) {
	b := NewBuilder(small())
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, small())
		events := drawEvents(t, w, 60, 24*time.Hour)
		p, m := foldAll(t, b, events)
		now := m.State.Now
		for _, a := range acts {
			exactly := recount(events, a.kind, now-time.Hour.Milliseconds(), now)
			if got := Count(p, Window{a.kind, time.Hour}, now); got != exactly {
				t.Fatalf("%s in the last hour = %d, want %d", a.name, got, exactly)
			}
			for _, d := range []time.Duration{24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour} {
				pane := d.Milliseconds() / panesPerWindow
				low, high := recount(events, a.kind, now-d.Milliseconds()+pane, now), recount(events, a.kind, now-d.Milliseconds(), now)
				if got := Count(p, Window{a.kind, d}, now); got < low || got > high {
					t.Fatalf("%s in %v = %d, want %d to %d", a.name, d, got, low, high)
				}
			}
		}
		// History: one entry an item, newest first, weights summed.
		type sum struct {
			count  uint32
			weight float64
			last   int64
		}
		want := map[data.ItemID]sum{}
		for _, e := range events {
			for _, i := range event.Interactions(e) {
				s := want[i.Item]
				want[i.Item] = sum{s.count + 1, s.weight + small().Weights.Of(i), max(s.last, i.At.UnixMilli())}
			}
		}
		got := map[data.ItemID]sum{}
		for _, h := range p.History {
			got[h.Item] = sum{h.Count, h.Weight, h.Last}
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(sum{}), cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })); diff != "" {
			t.Fatal(diff)
		}
		if !sort.SliceIsSorted(p.History, func(i, j int) bool { return compareHistory(p.History[i], p.History[j]) < 0 }) {
			t.Fatal("history is not newest first")
		}
		for _, trait := range p.Traits {
			for _, e := range events {
				if e.Type == data.Identify && e.Times.Event.UnixMilli() > trait.At {
					t.Fatalf("trait %s is of %d; event %s is newer", trait.Name, trait.At, e.ID)
				}
			}
		}
	})
}

func recount(events []data.Event, k data.Kind, from, to int64) int {
	n := 0
	for _, e := range events {
		at := e.Times.Event.UnixMilli()
		if acts := event.Interactions(e); len(acts) > 0 && acts[0].Kind == k && from < at && at <= to {
			n++
		}
	}
	return n
}

func TestMergeIsACommutativeMonoid(t *testing.T) {
	b := NewBuilder(small())
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, small())
		events := drawEvents(t, w, 60, 24*time.Hour)
		var parts [3]data.Profile
		var split [3][]data.Event
		for _, e := range events {
			i := rapid.IntRange(0, 2).Draw(t, "part")
			split[i] = append(split[i], e)
		}
		for i := range parts {
			parts[i], _ = foldAll(t, b, split[i])
			parts[i].ID = "p"
		}
		x, y, z := parts[0], parts[1], parts[2]
		now := events[len(events)-1].Times.Received.UnixMilli()
		all, _ := foldAll(t, b, events)
		all.ID = "p"
		results := []data.Profile{b.Merge(b.Merge(x, y), z), b.Merge(x, b.Merge(y, z)), b.Merge(b.Merge(z, y), x), b.Merge(b.Merge(y, x), z)}
		for _, got := range results {
			if diff := cmp.Diff(exact(all), exact(got)); diff != "" {
				t.Fatal("merging the parts is not folding all:", diff)
			}
			near(t, all, got, now)
		}
		if diff := cmp.Diff(exact(x), exact(b.Merge(x, data.Profile{ID: "p"}))); diff != "" {
			t.Fatal("nobody is not the identity:", diff)
		}
	})
}

func TestDedupAgreesWithASetOfIDs(t *testing.T) {
	b := NewBuilder(small())
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, small())
		events := drawEvents(t, w, 30, time.Hour)
		for i := range events {
			if rapid.Bool().Draw(t, "untimed") {
				events[i].Times.Original = time.Time{}
			}
		}
		m := NewMemory(0, State{}, nil, nil)
		seen := map[string]bool{}
		offset, received := int64(0), noon
		for range 2 * len(events) {
			e := rapid.SampledFrom(events).Draw(t, "delivery")
			// A retry arrives later: within a day where it carries no time of its own.
			received = received.Add(time.Duration(rapid.IntRange(0, 1200).Draw(t, "later")) * time.Second)
			if e.Times.Received.Before(received) {
				e.Times.Received = received
			}
			if e.Times.Original.IsZero() {
				e.Times.Event = e.Times.Received
			}
			o, err := b.Fold(context.Background(), m, offset, e)
			if err != nil {
				t.Fatal(err)
			}
			offset++
			if want := map[bool]Outcome{true: Duplicate, false: Applied}[seen[e.ID]]; o != want {
				t.Fatalf("event %s: %v, want %v", e.ID, o, want)
			}
			seen[e.ID] = true
		}
	})
}
