package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kindred/data"
)

func testLeases(t *testing.T, open OpenCatalog) {
	t.Run("a lease is held by one owner, and says by whom", func(t *testing.T) {
		c := open.fresh(t)
		l, ok, err := c.AcquireLease(t.Context(), "train", "one", time.Hour)
		if must(t, err); !ok || l.Name != "train" || l.Owner != "one" || l.Fence < 1 || !l.Until.After(time.Now()) {
			t.Fatalf("AcquireLease = %+v, %v", l, ok)
		}
		for _, owner := range []string{"two", "one"} {
			held, ok, err := c.AcquireLease(t.Context(), "train", owner, time.Hour)
			if must(t, err); ok || held != l {
				t.Errorf("AcquireLease for %s = %+v, %v; want the running lease %+v, false", owner, held, ok, l)
			}
		}
		if _, ok, err := c.AcquireLease(t.Context(), "other", "two", time.Hour); !ok || err != nil {
			t.Errorf("another lease: %v, %v; want true", ok, err)
		}
	})

	t.Run("a released lease is free at once, with a higher fence", func(t *testing.T) {
		c := open.fresh(t)
		l, _, err := c.AcquireLease(t.Context(), "train", "one", time.Hour)
		must(t, err)
		must(t, c.ReleaseLease(t.Context(), l))
		if err := c.ReleaseLease(t.Context(), l); !errors.Is(err, data.ErrStale) {
			t.Errorf("releasing again = %v, want ErrStale", err)
		}
		if _, err := c.RenewLease(t.Context(), l, time.Hour); !errors.Is(err, data.ErrStale) {
			t.Errorf("renewing a released lease = %v, want ErrStale", err)
		}
		next, ok, err := c.AcquireLease(t.Context(), "train", "one", time.Hour)
		if must(t, err); !ok || next.Fence <= l.Fence {
			t.Errorf("AcquireLease = %+v, %v; want a fence above %d", next, ok, l.Fence)
		}
	})

	t.Run("renewing extends without a new fence", func(t *testing.T) {
		c := open.fresh(t)
		l, _, err := c.AcquireLease(t.Context(), "train", "one", time.Minute)
		must(t, err)
		r, err := c.RenewLease(t.Context(), l, time.Hour)
		if must(t, err); r.Fence != l.Fence || !r.Until.After(l.Until) {
			t.Errorf("RenewLease = %+v, was %+v", r, l)
		}
	})

	t.Run("a lease that ran out goes to the next, and its old holder learns it", func(t *testing.T) {
		c := open.fresh(t)
		old, _, err := c.AcquireLease(t.Context(), "train", "one", time.Millisecond)
		must(t, err)
		var next data.Lease
		eventually(t, "the lease has run out", func() (ok bool) {
			next, ok, err = c.AcquireLease(t.Context(), "train", "two", time.Hour)
			must(t, err)
			return ok
		})
		if next.Fence <= old.Fence {
			t.Errorf("fence %d after %d; want it to grow", next.Fence, old.Fence)
		}
		if _, err := c.RenewLease(t.Context(), old, time.Hour); !errors.Is(err, data.ErrStale) {
			t.Errorf("RenewLease = %v, want ErrStale", err)
		}
		if err := c.ReleaseLease(t.Context(), old); !errors.Is(err, data.ErrStale) {
			t.Errorf("ReleaseLease = %v, want ErrStale", err)
		}
		if held, ok, err := c.AcquireLease(t.Context(), "train", "three", time.Hour); ok || held.Owner != "two" || err != nil {
			t.Errorf("AcquireLease = %+v, %v, %v; want it still held by two", held, ok, err)
		}
	})

	t.Run("of many who ask at once one gets it", func(t *testing.T) {
		a, b := open.fresh(t), open.fresh(t)
		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				c := []CatalogStore{a, b}[i%2]
				_, ok, err := c.AcquireLease(t.Context(), "train", fmt.Sprint(i), time.Hour)
				if err != nil {
					t.Errorf("AcquireLease: %v", err)
				}
				if ok {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d owners hold the lease, want 1", won.Load())
		}
	})

	t.Run("a lease needs a name, an owner and a time", func(t *testing.T) {
		c := open.fresh(t)
		for _, bad := range []struct {
			name, owner string
			ttl         time.Duration
		}{{"", "one", time.Hour}, {"train", "", time.Hour}, {"train", "one", 0}} {
			if _, ok, err := c.AcquireLease(t.Context(), bad.name, bad.owner, bad.ttl); ok || err == nil {
				t.Errorf("AcquireLease(%+v) = %v, %v; want an error", bad, ok, err)
			}
		}
	})
}
