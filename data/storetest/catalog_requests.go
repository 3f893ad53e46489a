package storetest

import (
	"errors"
	"testing"
	"time"

	"kindred/data"
)

func testRequests(t *testing.T, open OpenCatalog) {
	begin := func(t *testing.T, c CatalogStore, hash string, ttl time.Duration) *data.StoredResponse {
		t.Helper()
		r, err := c.BeginRequest(t.Context(), "key", hash, ttl)
		must(t, err)
		return r
	}

	t.Run("the second request gets the first one's answer", func(t *testing.T) {
		c := open.fresh(t)
		if r := begin(t, c, "h", time.Hour); r != nil {
			t.Fatalf("first BeginRequest = %+v, want nil", r)
		}
		must(t, c.FinishRequest(t.Context(), "key", 201, "application/json", []byte(`{"a":1}`)))
		equal(t, "answer", &data.StoredResponse{Status: 201, ContentType: "application/json", Body: []byte(`{"a":1}`)}, begin(t, c, "h", time.Hour))
		if _, err := c.BeginRequest(t.Context(), "key", "other", time.Hour); !errors.Is(err, data.ErrConflict) {
			t.Errorf("another body = %v, want ErrConflict", err)
		}
		if r, err := c.BeginRequest(t.Context(), "key2", "h", time.Hour); r != nil || err != nil {
			t.Errorf("another key = %v, %v; want nil, nil", r, err)
		}
	})

	t.Run("while the first is being answered a second one conflicts", func(t *testing.T) {
		c := open.fresh(t)
		begin(t, c, "h", time.Hour)
		for _, hash := range []string{"h", "other"} {
			if _, err := c.BeginRequest(t.Context(), "key", hash, time.Hour); !errors.Is(err, data.ErrConflict) {
				t.Errorf("BeginRequest(%s) = %v, want ErrConflict", hash, err)
			}
		}
	})

	t.Run("a cancelled request frees its key, an answered one keeps it", func(t *testing.T) {
		c := open.fresh(t)
		begin(t, c, "h", time.Hour)
		must(t, c.CancelRequest(t.Context(), "key"))
		begin(t, c, "other", time.Hour)
		must(t, c.FinishRequest(t.Context(), "key", 200, "", nil))
		must(t, c.CancelRequest(t.Context(), "key"))
		if r := begin(t, c, "other", time.Hour); r == nil || r.Status != 200 {
			t.Errorf("BeginRequest = %+v, want the stored 200", r)
		}
	})

	t.Run("an answer is forgotten after its time", func(t *testing.T) {
		c := open.fresh(t)
		begin(t, c, "h", time.Millisecond)
		eventually(t, "the key has run out", func() bool {
			r, err := c.BeginRequest(t.Context(), "key", "other", time.Hour)
			if err != nil && !errors.Is(err, data.ErrConflict) {
				t.Fatal(err)
			}
			return r == nil && err == nil
		})
	})

	t.Run("what was not begun cannot be finished", func(t *testing.T) {
		c := open.fresh(t)
		if err := c.FinishRequest(t.Context(), "key", 200, "", nil); !errors.Is(err, data.ErrNotFound) {
			t.Errorf("FinishRequest = %v, want ErrNotFound", err)
		}
		begin(t, c, "h", time.Hour)
		if err := c.FinishRequest(t.Context(), "key", 0, "", nil); err == nil {
			t.Error("status 0: no error")
		}
	})
}
