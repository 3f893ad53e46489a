package stream

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"kindred/data"
	"kindred/data/event"
	"kindred/features"
	"kindred/features/segment"
)

// versions are rule sets by version.
type versions map[string]*segment.Set

func (v versions) find(_ context.Context, version string) (*segment.Set, error) {
	if s, ok := v[version]; ok {
		return s, nil
	}
	return nil, data.ErrNotFound
}

func compiled(t testing.TB, rules ...segment.Rule) *segment.Set {
	t.Helper()
	cfg := segment.Default()
	cfg.MaxBytes = 1 << 20
	s, err := segment.Compile(segment.Rules{Segments: rules}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var (
	oldRule  = segment.Rule{Segment: "clicker", When: `events("Product Clicked").within("30d").count() > 2`}
	newRules = []segment.Rule{oldRule,
		{Segment: "viewer", When: `events("Product Viewed").within("30d").count() > 2`},
		{Segment: "buyer", When: `events("Order Completed").ever().count() > 0`},
		{Segment: "rater", When: `events("Item Rated").ever().sum("rating") > 20.0`},
		{Segment: "wide", When: `events().within("7d").distinct("event.item") > 4`},
		{Segment: "waits", When: `not_followed_by(events("Product Viewed"), events("Order Completed"), "24h")`},
	}
)

// marker makes rules live in every partition by one append.
func (m *memory) marker(version string, at time.Time) {
	var recs []data.Record
	for p := range m.log {
		recs = append(recs, data.Record{Partition: int32(p), Value: event.Seal(data.Event{V: 1, ID: "marker/" + version, Source: "kindred", Type: data.System,
			Name: data.SysMarker, Marker: &data.Marker{Rules: version}, Times: data.Times{Event: at, Received: at}})})
	}
	_ = m.Append(context.Background(), recs)
}

// shares are the events of a backfill.
func shares(t testing.TB, m *memory, version string, rules, former *segment.Set) (out []data.Event) {
	t.Helper()
	err := Backfill(t.Context(), BackfillOptions{Log: m, Partitions: int32(len(m.log)), Clusterers: clusters, Version: version, Rules: rules, Former: former,
		Share: func(e data.Event) error { out = append(out, e); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// until folds everything, however often stores fail.
func until(t testing.TB, w *Worker) {
	t.Helper()
	for {
		err := w.CatchUp(t.Context())
		if err == nil {
			return
		}
		if !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
	}
}

// TestWhatIsBroughtIsWhatWouldHaveBeenCounted publishes rules in the middle of random lives that
// merge, are erased and arrive twice, while what goes from one profile to another is on its way, with
// crashes, every share twice and some before a crash; at the end everybody's slots are those of a fold of
// the whole log under the new rules, and the replay gives the stream's bytes.
func TestWhatIsBroughtIsWhatWouldHaveBeenCounted(t *testing.T) {
	brought, onTheWay := 0, 0
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 7))
		sets := versions{"r-1": compiled(t, oldRule), "r-2": compiled(t, newRules...)}
		sets["r-3"] = sets["r-2"]
		m := newMemory(3)
		at := noon
		worker := func() *Worker {
			opt := options(m, func() time.Time { return at })
			opt.BatchRecords, opt.Clusterers, opt.Rules = 1+rng.IntN(20), clusters, sets.find
			w, err := New(opt)
			if err != nil {
				t.Fatal(err)
			}
			return w
		}
		crash := func() error {
			if rng.IntN(4) == 0 {
				return errCrash
			}
			return nil
		}
		m.marker("r-1", at)
		for range 4 {
			at = crowd(rng, m, 25, at)
			until(t, worker())
		}
		at = crowd(rng, m, 25, at) // in the log, not folded when the marker is
		if rng.IntN(2) == 0 {      // one partition is ahead: what it sends arrives after the marker
			w := worker()
			if _, err := w.parts[rng.IntN(3)].once(t.Context()); err != nil && !errors.Is(err, errAgain) {
				t.Fatal(err)
			}
		}
		m.marker("r-2", at)
		m.failSave = crash
		until(t, worker()) // the job waits for the markers
		events := shares(t, m, "r-2", sets["r-2"], sets["r-1"])
		for i, e := range shares(t, m, "r-2", sets["r-2"], sets["r-1"]) {
			if !bytes.Equal(event.Seal(e), event.Seal(events[i])) {
				t.Fatal("the same log gave other events")
			}
		}
		brought += len(events)
		few := at
		for _, e := range events {
			if _, ok := features.ParsePosition(e.ID[len("backfill/r-2/"):]); ok {
				onTheWay++
			}
			m.send(e)
			if rng.IntN(3) == 0 {
				m.send(e)
			}
			if rng.IntN(4) == 0 {
				few = crowd(rng, m, 2, few)
			}
		}
		for _, e := range events { // as if it had been killed at its end
			m.send(e)
		}
		until(t, worker())
		at = few
		for range 3 {
			at = crowd(rng, m, 25, at)
			until(t, worker())
		}
		m.failSave = nil
		m.marker("r-3", at)
		until(t, worker())

		want := map[data.ProfileID][]byte{}
		for _, e := range shares(t, m, "r-3", sets["r-3"], nil) {
			want[e.Profile] = e.Absorb.State
		}
		for p := range m.states {
			for id := range m.states[p].profiles {
				got, _, err := sets["r-3"].Gained(m.profile(t, id).Segments, nil)
				if err != nil {
					t.Fatal(err)
				}
				if w := want[id]; w != nil && !bytes.Equal(got, w) || w == nil && len(got) > len("v....00") {
					t.Errorf("seed %d: profile %s has\n%x, want\n%x", seed, id, got, w)
				}
			}
		}
		if t.Failed() {
			return
		}
		into := newMemory(3)
		if err := Replay(t.Context(), ReplayOptions{Log: m, Target: into, Partitions: 3, Clusterers: clusters, Rules: sets.find,
			Until: func(p int32) int64 { return m.states[p].cursor }}); err != nil {
			t.Fatal(err)
		}
		if got, want := into.dump(), m.dump(); !bytes.Equal(got, want) {
			t.Fatalf("seed %d: the replay differs: %s", seed, differ(want, got))
		}
	}
	if brought < 100 || onTheWay == 0 {
		t.Errorf("%d shares were brought, %d of them of what was on its way: too few to say anything", brought, onTheWay)
	}
}
