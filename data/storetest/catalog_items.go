package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"kindred/data"
)

func testItems(t *testing.T, open OpenCatalog) {
	lamp := data.Item{ID: "lamp", Title: "Lämp \x00 ☂", Text: "bright", Categories: []string{"light"}, Tags: []string{"a", "b"}, Brand: "acme",
		Price: 9.99, Currency: "EUR", URL: "https://example.com/?a=1&b=<2>", ImageURL: "x", Hidden: true,
		Published: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC), Attributes: json.RawMessage(`{"watt":12.50}`)}

	t.Run("an item reads back as it was put, with the time of its update", func(t *testing.T) {
		c := open.fresh(t)
		must(t, c.PutItems(t.Context(), []data.Item{lamp}))
		got, err := c.Item(t.Context(), "lamp")
		must(t, err)
		if !recent(got.Updated) {
			t.Errorf("Updated is %v, want now", got.Updated)
		}
		got.Updated = time.Time{}
		equal(t, "item", lamp, got)
	})

	t.Run("an unknown item is ErrNotFound", func(t *testing.T) {
		c := open.fresh(t)
		if _, err := c.Item(t.Context(), "x"); !errors.Is(err, data.ErrNotFound) {
			t.Errorf("Item = %v, want ErrNotFound", err)
		}
		if err := c.DeleteItem(t.Context(), "x"); !errors.Is(err, data.ErrNotFound) {
			t.Errorf("DeleteItem = %v, want ErrNotFound", err)
		}
		if v, err := c.ItemsVersion(t.Context()); v != 0 || err != nil {
			t.Errorf("version %d, %v: a delete of nothing must not move it", v, err)
		}
	})

	t.Run("of a bad list nothing is put", func(t *testing.T) {
		c := open.fresh(t)
		for name, bad := range map[string]data.Item{"no id": {Title: "x"}, "attributes": {ID: "x", Attributes: json.RawMessage(`{`)}} {
			if err := c.PutItems(t.Context(), []data.Item{lamp, bad}); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		if items, err := c.Items(t.Context(), "", 10); len(items) != 0 || err != nil {
			t.Errorf("Items = %v, %v; want none", items, err)
		}
	})

	t.Run("items are paged by id, bytewise", func(t *testing.T) {
		c := open.fresh(t)
		ids := []data.ItemID{"10", "9", "A", "Z", "a", "b", "ä"}
		var items []data.Item
		for _, id := range slices.Backward(ids) {
			items = append(items, data.Item{ID: id})
		}
		must(t, c.PutItems(t.Context(), items))
		must(t, c.DeleteItem(t.Context(), "Z"))
		var got []data.ItemID
		for after := data.ItemID(""); ; {
			page, err := c.Items(t.Context(), after, 2)
			must(t, err)
			if len(page) == 0 {
				break
			}
			for _, it := range page {
				got = append(got, it.ID)
			}
			after = got[len(got)-1]
		}
		equal(t, "ids", slices.DeleteFunc(slices.Clone(ids), func(id data.ItemID) bool { return id == "Z" }), got)
		if _, err := c.Items(t.Context(), "", 0); err == nil {
			t.Error("limit 0: no error")
		}
	})

	t.Run("several items are read in the order asked for, unknown ones left out", func(t *testing.T) {
		c := open.fresh(t)
		must(t, c.PutItems(t.Context(), []data.Item{{ID: "a"}, {ID: "b"}, {ID: "c"}}))
		got, err := c.ItemsByID(t.Context(), []data.ItemID{"c", "x", "a"})
		must(t, err)
		if len(got) != 2 || got[0].ID != "c" || got[1].ID != "a" {
			t.Errorf("ItemsByID = %v, want c, a", got)
		}
	})

	t.Run("changes since any version lead to what is there", func(t *testing.T) {
		c := open.fresh(t)
		type view map[data.ItemID]string // a reader's copy: id to title
		follow := func(rt *rapid.T, v view, version int64) int64 {
			put, deleted, now, err := c.ItemsSince(t.Context(), version)
			must(t, err)
			for _, id := range deleted {
				delete(v, id)
			}
			for _, it := range put {
				v[it.ID] = it.Title
			}
			return now
		}
		twin, reader, version, n := view{}, view{}, int64(0), 0
		id := rapid.SampledFrom([]data.ItemID{"a", "b", "c", "d"})
		rapid.Check(t, func(rt *rapid.T) {
			for range rapid.IntRange(0, 3).Draw(rt, "writes") {
				n++
				x := id.Draw(rt, "id")
				if rapid.Bool().Draw(rt, "delete") {
					if err := c.DeleteItem(t.Context(), x); err != nil && !errors.Is(err, data.ErrNotFound) {
						rt.Fatal(err)
					}
					delete(twin, x)
					continue
				}
				twin[x] = fmt.Sprint(n)
				must(t, c.PutItems(t.Context(), []data.Item{{ID: x, Title: "overwritten"}, {ID: x, Title: twin[x]}}))
			}
			version = follow(rt, reader, version)
			if now, err := c.ItemsVersion(t.Context()); now != version || err != nil {
				rt.Fatalf("ItemsVersion = %d, %v; ItemsSince led to %d", now, err, version)
			}
			whole := view{}
			follow(rt, whole, 0)
			for name, got := range map[string]view{"incremental": reader, "from 0": whole} {
				if diff := cmp.Diff(twin, got, cmpopts.EquateEmpty()); diff != "" {
					rt.Fatalf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	})
}
