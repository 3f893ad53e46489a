package stream

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"kindred/data"
)

// many sends n views of one person, so that they are in one partition.
func many(m *memory, name string, n int) data.Record {
	events := make([]data.Event, n)
	for i := range events {
		events[i] = view(fmt.Sprint(name, i), "ann", "", time.Now(), "lamp1")
	}
	recs := m.send(events...)
	return recs[n-1]
}

// gathering are the options of a worker whose batches may be large.
func gathering(m *memory) Options {
	opt := options(m, time.Now)
	opt.BatchRecords = 2 * gatherFrom
	return opt
}

// afterALargeBatch runs fn while the worker gathers.
func afterALargeBatch(t *testing.T, fn func(t *testing.T, m *memory, w *Worker)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(1)
		w := start(t, gathering(m))
		synctest.Wait()
		many(m, "a", gatherFrom)
		synctest.Wait()
		if got := w.Folded(0); got != gatherFrom {
			t.Fatalf("%d records are folded, want the %d at once", got, gatherFrom)
		}
		fn(t, m, w)
	})
}

func TestAfterALargeBatchTheNextIsGathered(t *testing.T) {
	afterALargeBatch(t, func(t *testing.T, m *memory, w *Worker) {
		m.send(view("b", "ann", "", time.Now(), "lamp1"))
		time.Sleep(gatherFor - time.Millisecond)
		synctest.Wait()
		if got := w.Folded(0); got != gatherFrom {
			t.Errorf("%d records are folded, want the next to wait for others", got)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if got := w.Folded(0); got != gatherFrom+1 {
			t.Errorf("%d records are folded after %v, want %d", got, gatherFor, gatherFrom+1)
		}
		begin := time.Now() // and after that small batch nothing is gathered
		r := m.send(view("c", "ann", "", time.Now(), "lamp1"))[0]
		synctest.Wait()
		if w.Folded(0) != r.Offset+1 || time.Since(begin) != 0 {
			t.Errorf("%d records are folded after %v; want %d at once", w.Folded(0), time.Since(begin), r.Offset+1)
		}
	})
}

func TestAFullBatchIsNotAwaitedAnyLonger(t *testing.T) {
	afterALargeBatch(t, func(t *testing.T, m *memory, w *Worker) {
		r := many(m, "b", w.opt.BatchRecords)
		synctest.Wait()
		if got := w.Folded(0); got != r.Offset+1 {
			t.Errorf("%d records are folded, want all %d at once", got, r.Offset+1)
		}
	})
}

func TestWhoWaitsForAFoldEndsTheGathering(t *testing.T) {
	afterALargeBatch(t, func(t *testing.T, m *memory, w *Worker) {
		for i := range 2 { // the second while the partition has just gathered
			begin := time.Now()
			r := many(m, fmt.Sprint("b", i, "/"), gatherFrom)
			if err := w.WaitFolded(t.Context(), 0, r.Offset); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begin); took != 0 {
				t.Errorf("it took %v of waiting, want none", took)
			}
		}
	})
}

func TestWhoWaitsBeforeTheGatheringBeginsPreventsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(1)
		w := start(t, gathering(m))
		synctest.Wait()
		done := make(chan error, 1)
		go func() { done <- w.WaitFolded(t.Context(), 0, gatherFrom) }() // one more than the batch
		synctest.Wait()
		begin := time.Now()
		many(m, "a", gatherFrom)
		synctest.Wait()
		m.send(view("b", "ann", "", time.Now(), "lamp1"))
		if err := <-done; err != nil || time.Since(begin) != 0 {
			t.Errorf("WaitFolded = %v after %v, want nil at once", err, time.Since(begin))
		}
	})
}
