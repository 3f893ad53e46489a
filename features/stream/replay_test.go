package stream

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
	"kindred/features"
	"kindred/model/cluster"
)

// clusters are two corners of behaviour space, another pair for every version, so
// that a marker visibly changes assignments.
func clusters(_ context.Context, version string) (*cluster.Model, error) {
	if len(version)%3 == 0 {
		return nil, nil // a version without clusters
	}
	names := features.VectorNames()
	x := make([]float64, 2*len(names))
	for i := range x {
		x[i] = float64((i*7+len(version))%5) + float64(i/len(names))
	}
	scaler, err := cluster.FitScaler(append(make([]float64, len(names)), x...), make([]bool, len(names)))
	if err != nil {
		return nil, err
	}
	return &cluster.Model{Names: names, Scaler: scaler, Centroids: x, Numbers: []int32{1, 2}, Sizes: []int64{1, 1}, Next: 3}, nil
}

func replayOf(t *testing.T, m *memory, batch int) []byte {
	t.Helper()
	into := newMemory(int32(len(m.log)))
	err := Replay(t.Context(), ReplayOptions{Log: m, Target: into, Partitions: int32(len(m.log)), Clusterers: clusters, BatchRecords: batch, CachedProfiles: 2,
		Until: func(p int32) int64 { return m.states[p].cursor }})
	if err != nil {
		t.Fatal(err)
	}
	if len(into.dead) != 0 {
		t.Errorf("the replay reported %d dead letters again", len(into.dead))
	}
	return into.dump()
}

// differ is the first lines that differ.
func differ(a, b []byte) string {
	x, y := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return cmp.Diff(x[i], y[i])
		}
	}
	return "one is longer"
}

// TestReplayEqualsStreamByteForByte folds random lives while saves fail at random
// points, before and after what was emitted reached the log, and while the process
// dies; then replays the log with other batch sizes.
func TestReplayEqualsStreamByteForByte(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 1))
		m := newMemory(3)
		crash := func(one int) func() error {
			return func() error {
				if rng.IntN(one) == 0 {
					return errCrash
				}
				return nil
			}
		}
		at := noon
		var w *Worker
		for range 12 {
			m.failSave, m.failAppend = nil, nil
			at = crowd(rng, m, 25, at)
			m.failSave, m.failAppend = crash(3), crash(6)
			if w == nil || rng.IntN(3) == 0 { // a new process
				opt := options(m, func() time.Time { return at })
				opt.BatchRecords, opt.Clusterers = 1+rng.IntN(20), clusters
				var err error
				if w, err = New(opt); err != nil {
					t.Fatal(err)
				}
			}
			for {
				err := w.CatchUp(t.Context())
				if err == nil {
					break
				}
				if !errors.Is(err, errCrash) {
					t.Fatal(err)
				}
			}
		}
		stream := m.dump()
		for _, batch := range []int{1, 5, 1000} {
			if got := replayOf(t, m, batch); !bytes.Equal(got, stream) {
				t.Fatalf("seed %d: a replay in batches of %d differs: %s", seed, batch, differ(stream, got))
			}
		}
	}
}

// TestCrashesChangeNothing compares a stream that was interrupted all the time with
// one that never was, on the same arrivals: the people are the same.
func TestCrashesChangeNothing(t *testing.T) {
	people := func(crashes bool) map[data.ProfileID]data.Profile {
		rng, chaos := rand.New(rand.NewPCG(7, 7)), rand.New(rand.NewPCG(8, 8))
		m := newMemory(3)
		w, err := New(options(m, func() time.Time { return noon }))
		if err != nil {
			t.Fatal(err)
		}
		at := noon
		for range 60 {
			m.failAppend = nil
			at = crowd(rng, m, 5, at)
			fail := func() error {
				if crashes && chaos.IntN(2) == 0 {
					return errCrash
				}
				return nil
			}
			m.failSave, m.failAppend = fail, fail
			for w.CatchUp(t.Context()) != nil {
			}
		}
		out := map[data.ProfileID]data.Profile{}
		for _, s := range m.states {
			for id, b := range s.profiles {
				var p data.Profile
				if err := p.UnmarshalBinary(b); err != nil {
					t.Fatal(err)
				}
				p.LastOffset, p.Version = 0, 0 // the log is longer: emitted twice
				for i := range p.Merges {
					p.Merges[i].Source = ""
				}
				out[id] = p
			}
		}
		return out
	}
	if diff := cmp.Diff(people(false), people(true)); diff != "" {
		t.Fatal(diff)
	}
}

// An interrupted replay leaves a partition at its beginning. The stream then folds
// it and forwards again what it forwarded weeks ago.
func TestAStreamThatTakesOverFromAReplayAppliesNothingTwice(t *testing.T) {
	m := newMemory(2)
	at := noon
	w, _ := New(options(m, func() time.Time { return at }))
	m.send(view("m1", "ann", "d1", at, "lamp1"))
	stale := view("m2", "", "d1", at, "lamp2")
	stale.Profile = data.NewProfileID(data.IDAnonymous, "d1")
	m.send(stale)
	if err := w.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	at = at.AddDate(0, 0, 30)
	m.send(view("m3", "ann", "", at, "lamp3"))
	if err := w.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := m.profile(t, ofUser("ann")).History
	if err := m.DropState(t.Context(), data.PartitionOf(string(stale.Profile), 2)); err != nil {
		t.Fatal(err)
	}
	after, _ := New(options(m, func() time.Time { return at }))
	if err := after.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, m.profile(t, ofUser("ann")).History); diff != "" {
		t.Error(diff)
	}
}

func TestReplayReadsTheLakeWhereTheLogIsTrimmed(t *testing.T) {
	m := newMemory(2)
	crowd(rand.New(rand.NewPCG(3, 3)), m, 100, noon)
	w, err := New(options(m, func() time.Time { return noon }))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := m.dump()
	lake := lakeOf{slicesOf(m.log)}
	for p := range m.log {
		m.starts[p], m.log[p] = 10, m.log[p][10:]
	}
	into := newMemory(2)
	opt := ReplayOptions{Log: m, Target: into, Partitions: 2}
	if err := Replay(t.Context(), opt); err == nil {
		t.Fatal("a trimmed log without a lake was replayed")
	}
	opt.History = lake
	if err := Replay(t.Context(), opt); err != nil {
		t.Fatal(err)
	}
	if got := into.dump(); !bytes.Equal(got, want) {
		t.Fatal(differ(want, got))
	}
}

type lakeOf struct{ log [][]data.Record }

func slicesOf(log [][]data.Record) [][]data.Record {
	out := make([][]data.Record, len(log))
	for i := range log {
		out[i] = append(out[i], log[i]...)
	}
	return out
}

func (l lakeOf) Events(_ context.Context, p int32, fn func(data.Record, data.Event) error) error {
	for _, r := range l.log[p] {
		if err := fn(r, data.Event{}); err != nil {
			return err
		}
	}
	return nil
}
