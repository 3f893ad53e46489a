package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kindred/data"
)

func testProcesses(t *testing.T, open OpenCatalog) {
	t.Run("a flush is pending until it or a later one is completed", func(t *testing.T) {
		c := open.fresh(t)
		pending := func(wantID int64, want bool) {
			t.Helper()
			if id, ok, err := c.PendingFlush(t.Context()); err != nil || ok != want || ok && id != wantID {
				t.Errorf("PendingFlush = %d, %v, %v; want %d, %v", id, ok, err, wantID, want)
			}
		}
		pending(0, false)
		first, err := c.RequestFlush(t.Context())
		must(t, err)
		second, err := c.RequestFlush(t.Context())
		must(t, err)
		if second <= first {
			t.Errorf("request %d after %d", second, first)
		}
		pending(second, true)
		must(t, c.CompleteFlush(t.Context(), first))
		pending(second, true)
		must(t, c.CompleteFlush(t.Context(), second))
		must(t, c.CompleteFlush(t.Context(), first)) // late and harmless
		pending(0, false)
		third, err := c.RequestFlush(t.Context())
		must(t, err)
		for id, want := range map[int64]bool{first: true, second: true, third: false} {
			if done, err := c.FlushDone(t.Context(), id); done != want || err != nil {
				t.Errorf("FlushDone(%d) = %v, %v; want %v", id, done, err, want)
			}
		}
		if err := c.CompleteFlush(t.Context(), third+1); !errors.Is(err, data.ErrNotFound) {
			t.Errorf("completing what nobody asked for = %v, want ErrNotFound", err)
		}
	})

	t.Run("processes are known while they are heard of", func(t *testing.T) {
		c := open.fresh(t)
		p := data.Process{Owner: "host/1", Addr: "127.0.0.1:8080", Roles: []string{"api", "stream"}, Started: time.UnixMilli(1000).UTC()}
		must(t, c.Heartbeat(t.Context(), data.Process{Owner: "host/2", Roles: []string{"train"}}))
		must(t, c.Heartbeat(t.Context(), p))
		p.Addr = "127.0.0.1:8081"
		must(t, c.Heartbeat(t.Context(), p))
		ps, err := c.Processes(t.Context(), time.Hour)
		must(t, err)
		if len(ps) != 2 {
			t.Fatalf("Processes = %v, want 2", ps)
		}
		got, err := c.ActiveProcess(t.Context(), "stream", time.Hour)
		must(t, err)
		if diff := cmp.Diff(p, got, cmpopts.IgnoreFields(data.Process{}, "Seen")); diff != "" || !recent(got.Seen) {
			t.Errorf("ActiveProcess (-want +got):\n%s\nseen %v", diff, got.Seen)
		}
		if _, err := c.ActiveProcess(t.Context(), "other", time.Hour); !errors.Is(err, data.ErrNotFound) {
			t.Errorf("ActiveProcess = %v, want ErrNotFound", err)
		}
		must(t, c.Depart(t.Context(), p.Owner))
		must(t, c.Depart(t.Context(), p.Owner))
		if _, err := c.ActiveProcess(t.Context(), "stream", time.Hour); !errors.Is(err, data.ErrNotFound) {
			t.Errorf("ActiveProcess after it departed = %v, want ErrNotFound", err)
		}
		eventually(t, "the silent process is not listed", func() bool {
			ps, err := c.Processes(t.Context(), time.Millisecond)
			must(t, err)
			return len(ps) == 0
		})
		if err := c.Heartbeat(t.Context(), data.Process{}); err == nil {
			t.Error("heartbeat without owner: no error")
		}
	})
}

func testSharing(t *testing.T, open OpenCatalog) {
	t.Run("what one handle wrote another one sees at once, and after opening again", func(t *testing.T) {
		a, b := open.fresh(t), open.fresh(t)
		must(t, a.PutItems(t.Context(), []data.Item{{ID: "lamp"}}))
		if _, err := b.Item(t.Context(), "lamp"); err != nil {
			t.Errorf("Item on the other handle: %v", err)
		}
		again := open.fresh(t)
		if _, err := again.Item(t.Context(), "lamp"); err != nil {
			t.Errorf("Item after opening again: %v", err)
		}
	})

	t.Run("handles that write and read at once never fail", func(t *testing.T) {
		const writers, writes = 2, 12
		handles := []CatalogStore{open.fresh(t), open.fresh(t), open.fresh(t)}
		for _, v := range []string{"m-0", "m-1"} {
			must(t, handles[0].PutModel(t.Context(), data.Model{Version: v, Artifact: v}))
		}
		var wg sync.WaitGroup
		for w := range writers {
			for h, c := range handles {
				wg.Go(func() {
					for i := range writes {
						id := data.ItemID(fmt.Sprintf("%d/%d/%d", h, w, i))
						if err := c.PutItems(t.Context(), []data.Item{{ID: id}}); err != nil {
							t.Errorf("PutItems: %v", err)
						}
						if _, err := c.Item(t.Context(), id); err != nil {
							t.Errorf("Item: %v", err)
						}
						if err := c.Promote(t.Context(), fmt.Sprint("m-", i%2)); err != nil { // reads, then writes
							t.Errorf("Promote: %v", err)
						}
						if _, _, _, err := c.ItemsSince(t.Context(), int64(i)); err != nil {
							t.Errorf("ItemsSince: %v", err)
						}
					}
				})
			}
		}
		wg.Wait()
		items, err := handles[0].Items(t.Context(), "", 10_000)
		must(t, err)
		if want := len(handles) * writers * writes; len(items) != want {
			t.Errorf("%d items, want %d", len(items), want)
		}
		if v, err := handles[1].ItemsVersion(t.Context()); v != int64(len(items)) || err != nil {
			t.Errorf("version %d, %v; want one step for each of %d writes", v, err, len(items))
		}
	})

	t.Run("handles that make the catalog at once all succeed", func(t *testing.T) {
		var wg sync.WaitGroup
		handles := make([]CatalogStore, 4)
		for i := range handles {
			wg.Go(func() { handles[i] = open(t, t.Name()) })
		}
		wg.Wait()
		for _, c := range handles {
			if c == nil {
				t.Fatal("a handle was not opened")
			}
			must(t, c.PutItems(t.Context(), []data.Item{{ID: "lamp"}}))
			must(t, c.Close())
		}
	})
}
