package storetest

import (
	"errors"
	"testing"
	"time"

	"kindred/data"
)

func testCursors(t *testing.T, open OpenCatalog) {
	held := func(t *testing.T, c CatalogStore, name string) data.Lease {
		l, ok, err := c.AcquireLease(t.Context(), name, "one", time.Hour)
		if must(t, err); !ok {
			t.Fatalf("the lease %s is taken: %+v", name, l)
		}
		return l
	}

	t.Run("a cursor that nobody saved is nothing", func(t *testing.T) {
		c := open.fresh(t)
		if state, err := c.LoadCursor(t.Context(), "crm"); state != nil || err != nil {
			t.Errorf("LoadCursor = %q, %v; want nil, nil", state, err)
		}
	})

	t.Run("what was saved last is there, also for others", func(t *testing.T) {
		a, b := open.fresh(t), open.fresh(t)
		l := held(t, a, "poll")
		for _, state := range []string{`{"cursor":"1"}`, "\x00\xff"} {
			must(t, a.SaveCursor(t.Context(), "crm", []byte(state), l))
			if got, err := b.LoadCursor(t.Context(), "crm"); string(got) != state || err != nil {
				t.Errorf("LoadCursor = %q, %v; want %q", got, err, state)
			}
		}
		if got, err := a.LoadCursor(t.Context(), "other"); got != nil || err != nil {
			t.Errorf("another cursor = %q, %v; want none", got, err)
		}
	})

	t.Run("who lost the lease saves nothing", func(t *testing.T) {
		c := open.fresh(t)
		old := held(t, c, "poll")
		must(t, c.SaveCursor(t.Context(), "crm", []byte("1"), old))
		must(t, c.ReleaseLease(t.Context(), old))
		if err := c.SaveCursor(t.Context(), "crm", []byte("2"), old); !errors.Is(err, data.ErrStale) {
			t.Errorf("SaveCursor with a released lease = %v, want ErrStale", err)
		}
		next := held(t, c, "poll")
		if err := c.SaveCursor(t.Context(), "crm", []byte("3"), old); !errors.Is(err, data.ErrStale) {
			t.Errorf("SaveCursor with an old lease = %v, want ErrStale", err)
		}
		if got, err := c.LoadCursor(t.Context(), "crm"); string(got) != "1" || err != nil {
			t.Errorf("LoadCursor = %q, %v; want 1", got, err)
		}
		must(t, c.SaveCursor(t.Context(), "crm", []byte("4"), next))
	})

	t.Run("a cursor needs a name and something of a bounded size", func(t *testing.T) {
		c := open.fresh(t)
		l := held(t, c, "poll")
		for name, state := range map[string][]byte{"": []byte("1"), "empty": nil, "large": make([]byte, 1<<20)} {
			if err := c.SaveCursor(t.Context(), name, state, l); err == nil {
				t.Errorf("SaveCursor(%q, %d bytes) = nil, want an error", name, len(state))
			}
		}
	})
}
