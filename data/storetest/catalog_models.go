package storetest

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
)

func testModels(t *testing.T, open OpenCatalog) {
	model := func(version string) data.Model {
		return data.Model{Version: version, Status: data.ModelPublished, Created: time.UnixMilli(1_700_000_000_123).UTC(),
			Artifact: version + ".model", Checksum: "abc", Bytes: 12, Watermark: time.UnixMilli(1_600_000_000_456).UTC(),
			Interactions: 99, Metrics: json.RawMessage(`{"ndcg@10":0.25}`), Config: json.RawMessage(`{"f":64}`), Reason: "r"}
	}
	put := func(t *testing.T, c CatalogStore, versions ...string) {
		t.Helper()
		for _, v := range versions {
			must(t, c.PutModel(t.Context(), model(v)))
		}
	}

	t.Run("a model reads back as it was put, and is immutable", func(t *testing.T) {
		c := open.fresh(t)
		put(t, c, "m-1")
		got, err := c.ModelByVersion(t.Context(), "m-1")
		must(t, err)
		equal(t, "model", model("m-1"), got)
		if err := c.PutModel(t.Context(), model("m-1")); !errors.Is(err, data.ErrConflict) {
			t.Errorf("putting it again = %v, want ErrConflict", err)
		}
		if _, err := c.ModelByVersion(t.Context(), "m-2"); !errors.Is(err, data.ErrNotFound) {
			t.Errorf("ModelByVersion = %v, want ErrNotFound", err)
		}
		for name, bad := range map[string]data.Model{"no version": {}, "status": {Version: "x", Status: data.ModelCurrent},
			"metrics": {Version: "x", Metrics: json.RawMessage(`{`)}} {
			if err := c.PutModel(t.Context(), bad); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	})

	t.Run("a refused model can lose its artifact, others cannot", func(t *testing.T) {
		c := open.fresh(t)
		put(t, c, "served")
		must(t, c.Promote(t.Context(), "served"))
		no := model("no")
		no.Status = data.ModelRefused
		must(t, c.PutModel(t.Context(), no))
		must(t, c.DropArtifact(t.Context(), "no"))
		no.Artifact = ""
		got, err := c.ModelByVersion(t.Context(), "no")
		must(t, err)
		equal(t, "model", no, got)
		if err := c.Promote(t.Context(), "no"); !errors.Is(err, data.ErrConflict) {
			t.Errorf("promoting what has no artifact = %v, want ErrConflict", err)
		}
		for _, version := range []string{"served", "unknown"} {
			if err := c.DropArtifact(t.Context(), version); !errors.Is(err, data.ErrConflict) {
				t.Errorf("DropArtifact of %s = %v, want ErrConflict", version, err)
			}
		}
	})

	t.Run("models are listed newest version first, in pages", func(t *testing.T) {
		c := open.fresh(t)
		put(t, c, "m-2", "m-3", "m-1")
		page, err := c.Models(t.Context(), "", 2)
		must(t, err)
		rest, err := c.Models(t.Context(), page[1].Version, 2)
		must(t, err)
		var got []string
		for _, m := range append(page, rest...) {
			got = append(got, m.Version)
		}
		equal(t, "versions", []string{"m-3", "m-2", "m-1"}, got)
	})

	t.Run("before the first promotion nothing is current", func(t *testing.T) {
		c := open.fresh(t)
		put(t, c, "m-1")
		if _, err := c.Current(t.Context()); !errors.Is(err, data.ErrNotFound) {
			t.Errorf("Current = %v, want ErrNotFound", err)
		}
		if _, err := c.Rollback(t.Context()); !errors.Is(err, data.ErrNotFound) {
			t.Errorf("Rollback = %v, want ErrNotFound", err)
		}
	})

	t.Run("promotions and rollbacks move one stack and keep its history", func(t *testing.T) {
		c := open.fresh(t)
		put(t, c, "a", "b", "c", "d")
		rollback := func(want string) func() error {
			return func() error {
				m, err := c.Rollback(t.Context())
				if err == nil && (m.Version != want || m.Status != data.ModelCurrent) {
					t.Errorf("Rollback = %s %s, want %s current", m.Version, m.Status, want)
				}
				return err
			}
		}
		promote := func(v string) func() error { return func() error { return c.Promote(t.Context(), v) } }
		const cur, prev, ret, pub = data.ModelCurrent, data.ModelPrevious, data.ModelRetired, data.ModelPublished
		for i, step := range []struct {
			do   func() error
			want [4]string // status of a, b, c, d
		}{
			{promote("a"), [4]string{cur, pub, pub, pub}},
			{promote("a"), [4]string{cur, pub, pub, pub}}, // no change
			{promote("b"), [4]string{prev, cur, pub, pub}},
			{promote("c"), [4]string{ret, prev, cur, pub}},
			{rollback("b"), [4]string{prev, cur, ret, pub}},
			{rollback("a"), [4]string{cur, ret, ret, pub}},
			{promote("d"), [4]string{prev, ret, ret, cur}},
			{promote("a"), [4]string{cur, ret, ret, prev}},
			{rollback("d"), [4]string{prev, ret, ret, cur}},
			{rollback("a"), [4]string{cur, ret, ret, ret}},
		} {
			must(t, step.do())
			for j, v := range []string{"a", "b", "c", "d"} {
				m, err := c.ModelByVersion(t.Context(), v)
				must(t, err)
				if m.Status != step.want[j] {
					t.Fatalf("step %d: model %s is %s, want %s", i, v, m.Status, step.want[j])
				}
				if cur, err := c.Current(t.Context()); err != nil || m.Status == data.ModelCurrent && cur.Version != v {
					t.Fatalf("step %d: Current = %s, %v; want %s", i, cur.Version, err, v)
				}
			}
		}
		if _, err := c.Rollback(t.Context()); !errors.Is(err, data.ErrNotFound) {
			t.Errorf("Rollback from the first = %v, want ErrNotFound", err)
		}
		history, err := c.Promotions(t.Context(), 0, 100)
		must(t, err)
		var got []string
		for _, p := range history {
			line := p.Version + "<" + p.Previous
			if p.Rollback {
				line += " rollback"
			}
			if got = append(got, line); !recent(p.At) {
				t.Errorf("promotion at %v, want now", p.At)
			}
		}
		equal(t, "history, newest first", []string{"a< rollback", "d<a rollback", "a<d", "d<a", "a< rollback", "b<a rollback", "c<b", "b<a", "a<"}, got)
		page, err := c.Promotions(t.Context(), history[2].Seq, 2)
		must(t, err)
		if diff := cmp.Diff(history[3:5], page); diff != "" {
			t.Errorf("page (-want +got):\n%s", diff)
		}
	})

	t.Run("what cannot serve cannot be promoted", func(t *testing.T) {
		c := open.fresh(t)
		must(t, c.PutModel(t.Context(), data.Model{Version: "m-1", Status: data.ModelRefused, Reason: "worse"}))
		if err := c.Promote(t.Context(), "m-1"); !errors.Is(err, data.ErrConflict) {
			t.Errorf("Promote without artifact = %v, want ErrConflict", err)
		}
		if err := c.Promote(t.Context(), "m-2"); !errors.Is(err, data.ErrNotFound) {
			t.Errorf("Promote of an unknown version = %v, want ErrNotFound", err)
		}
	})

	t.Run("an old fence promotes nothing", func(t *testing.T) {
		c := open.fresh(t)
		put(t, c, "a", "b", "c")
		old, ok, err := c.AcquireLease(t.Context(), "train", "one", time.Hour)
		if must(t, err); !ok {
			t.Fatal("the lease was not free")
		}
		must(t, c.PromoteFenced(t.Context(), "a", old))
		must(t, c.ReleaseLease(t.Context(), old))
		stale := func(name, version string, l data.Lease) {
			t.Helper()
			if err := c.PromoteFenced(t.Context(), version, l); !errors.Is(err, data.ErrStale) {
				t.Errorf("%s: PromoteFenced = %v, want ErrStale", name, err)
			}
		}
		stale("released", "b", old)
		current, ok, err := c.AcquireLease(t.Context(), "train", "two", time.Hour)
		if must(t, err); !ok {
			t.Fatal("the lease was not free")
		}
		stale("taken over", "b", old)
		stale("another owner's", "b", data.Lease{Name: "train", Owner: "one", Fence: current.Fence})
		stale("never held", "b", data.Lease{Name: "other", Owner: "two", Fence: current.Fence})
		must(t, c.PromoteFenced(t.Context(), "c", current))
		if m, err := c.Current(t.Context()); m.Version != "c" || err != nil {
			t.Errorf("Current = %s, %v; want c", m.Version, err)
		}
	})
}
