package stream

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"kindred/data"
	"kindred/features"
)

// TestMadeUpItemsStayBoundedInMemoryAndOnDisk sends an item that nobody saw before with nearly
// every event, through crashes and restarts: what is counted in the store and what lists are
// made of are within the bound and the same, and a replay gives the same bytes.
func TestMadeUpItemsStayBoundedInMemoryAndOnDisk(t *testing.T) {
	const partitions, bound = 2, 40
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 9))
		m := newMemory(partitions)
		opt := options(m, func() time.Time { return noon })
		opt.Features = features.Default()
		opt.Features.MaxCounters = bound
		var w *Worker
		for n := range 1500 {
			item := data.ItemID(fmt.Sprint("made-up-", n))
			if n < 20 || n%4 == 0 {
				item = "lamp"
			}
			e := view(fmt.Sprint("m", n), data.UserID(fmt.Sprint("user-", rng.IntN(9))), "", noon.Add(time.Duration(n)*time.Minute), item)
			e.Items[0].Facets = nil
			m.send(e)
			if n%50 < 49 {
				continue
			}
			m.failSave = func() error {
				if rng.IntN(4) == 0 {
					return errCrash
				}
				return nil
			}
			if w == nil || rng.IntN(4) == 0 {
				opt.BatchRecords = 1 + rng.IntN(60)
				var err error
				if w, err = New(opt); err != nil {
					t.Fatal(err)
				}
			}
			for {
				if err := w.CatchUp(t.Context()); err == nil {
					break
				} else if !errors.Is(err, errCrash) {
					t.Fatal(err)
				}
			}
			stored := map[string]bool{}
			for p, s := range m.states {
				if len(s.counters) > bound {
					t.Fatalf("partition %d stores %d counters, want at most %d", p, len(s.counters), bound)
				}
				for key := range s.counters {
					stored[key] = true
				}
			}
			live := 0
			for key := range stored {
				if _, ok := w.Popularity().Counts(key); ok {
					live++
				}
			}
			if got := w.Popularity().Len(); n > 200 && (got != len(stored) || live != got) {
				t.Fatalf("after %d events lists are made of %d counters, %d of them stored; want the %d that are", n+1, got, live, len(stored))
			}
		}
		if top := w.Popularity().Top("i/", "popularity", noon.UnixMilli(), 1, nil); len(top) != 1 || top[0].Key != "i/lamp" {
			t.Errorf("the most popular is %v, want the lamp", top)
		}
		stream := m.dump()
		for _, batch := range []int{1, 33, 5000} {
			into := newMemory(partitions)
			if err := Replay(t.Context(), ReplayOptions{Log: m, Target: into, Partitions: partitions, BatchRecords: batch, Features: opt.Features}); err != nil {
				t.Fatal(err)
			}
			if got := into.dump(); !bytes.Equal(got, stream) {
				t.Errorf("seed %d: a replay in batches of %d differs: %s", seed, batch, differ(stream, got))
			}
		}
		if !slices.ContainsFunc(m.states, func(s stored) bool { return len(s.counters) > bound/2 }) {
			t.Error("nothing was counted")
		}
	}
}
