package storetest

import (
	"errors"
	"strings"
	"testing"

	"kindred/data"
)

func testRules(t *testing.T, open OpenCatalog) {
	put := func(t *testing.T, c CatalogStore, text, base string) data.RuleSet {
		r, err := c.PutRules(t.Context(), data.RuleSet{Text: text, Author: "ann", Note: "why"}, base)
		must(t, err)
		return r
	}
	publish := func(t *testing.T, c CatalogStore, version string) data.RuleSet {
		r, err := c.PublishRules(t.Context(), version, "bob", true)
		must(t, err)
		return r
	}

	t.Run("there are no rules", func(t *testing.T) {
		c := open.fresh(t)
		_, draft := c.RulesIn(t.Context(), data.RulesDraft)
		_, live := c.RulesIn(t.Context(), data.RulesLive)
		_, unknown := c.RulesByVersion(t.Context(), "r-1-0")
		_, published := c.PublishRules(t.Context(), "r-1-0", "bob", false)
		for _, err := range []error{draft, live, unknown, published, c.FinishBackfill(t.Context(), "r-1-0")} {
			if !errors.Is(err, data.ErrNotFound) {
				t.Errorf("%v, want ErrNotFound", err)
			}
		}
	})

	t.Run("a draft is a version that is never changed", func(t *testing.T) {
		c, other := open.fresh(t), open.fresh(t)
		a := put(t, c, "one", "")
		if a.State != data.RulesDraft || a.Author != "ann" || a.Note != "why" || !recent(a.Created) || !strings.HasPrefix(a.Version, "r-1-") {
			t.Errorf("the draft is %+v", a)
		}
		b := put(t, c, "two", a.Version)
		if again := put(t, c, "two", ""); again != b {
			t.Errorf("the same text again gave %+v, want %+v", again, b)
		}
		if _, err := c.PutRules(t.Context(), data.RuleSet{Text: "three"}, a.Version); !errors.Is(err, data.ErrConflict) {
			t.Errorf("an edit of what is not the newest: %v, want ErrConflict", err)
		}
		if got, err := other.RulesIn(t.Context(), data.RulesDraft); got != b || err != nil {
			t.Errorf("the draft is %+v, %v; want %+v", got, err, b)
		}
		if got, err := other.RulesByVersion(t.Context(), a.Version); got.Text != "one" || got.State != data.RulesStale || err != nil {
			t.Errorf("the former draft is %+v, %v", got, err)
		}
	})

	t.Run("publishing swaps, and every version is live once", func(t *testing.T) {
		c := open.fresh(t)
		a := publish(t, c, put(t, c, "one", "").Version)
		if a.State != data.RulesLive || a.Previous != "" || a.Publisher != "bob" || a.Backfill != data.BackfillWanted || !recent(a.Published) {
			t.Errorf("live is %+v", a)
		}
		if _, err := c.RulesIn(t.Context(), data.RulesDraft); !errors.Is(err, data.ErrNotFound) {
			t.Errorf("a published draft is a draft still: %v", err)
		}
		if again := publish(t, c, a.Version); again != a {
			t.Errorf("publishing what is live gave %+v, want %+v", again, a)
		}
		must(t, c.FinishBackfill(t.Context(), a.Version))
		b := publish(t, c, put(t, c, "two", a.Version).Version)
		if b.Previous != a.Version {
			t.Errorf("before %s was %q, want %s", b.Version, b.Previous, a.Version)
		}
		back := publish(t, c, a.Version)
		if back.Version == a.Version || back.Text != "one" || back.Source != a.Version || back.Previous != b.Version {
			t.Errorf("a rollback is %+v", back)
		}
		live, err := c.RulesIn(t.Context(), data.RulesLive)
		if must(t, err); live != back {
			t.Errorf("live is %+v, want %+v", live, back)
		}
		all, err := c.RulesHistory(t.Context(), 0, 10)
		must(t, err)
		var names []string
		for _, r := range all {
			names = append(names, r.Version+" "+r.State+" "+r.Backfill+r.Text)
		}
		want := []string{back.Version + " live wanted", b.Version + " retired wanted", a.Version + " retired done"}
		if strings.Join(names, "\n") != strings.Join(want, "\n") {
			t.Errorf("history\n%s\nwant\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
		}
		if rest, err := c.RulesHistory(t.Context(), b.Seq, 10); len(rest) != 1 || rest[0].Version != a.Version || err != nil {
			t.Errorf("before %s: %+v, %v", b.Version, rest, err)
		}
	})

	t.Run("of old drafts some stay, of what was live all", func(t *testing.T) {
		c := open.fresh(t)
		first := publish(t, c, put(t, c, "first", "").Version)
		publish(t, c, put(t, c, "second", "").Version)
		var oldest, newest data.RuleSet
		for i := range 60 {
			newest = put(t, c, strings.Repeat("x", i), "")
			if i == 0 {
				oldest = newest
			}
		}
		if _, err := c.RulesByVersion(t.Context(), oldest.Version); !errors.Is(err, data.ErrNotFound) {
			t.Errorf("the oldest draft: %v, want ErrNotFound", err)
		}
		for _, r := range []data.RuleSet{first, newest} {
			if got, err := c.RulesByVersion(t.Context(), r.Version); got.Text != r.Text || err != nil {
				t.Errorf("%s is %+v, %v", r.Version, got, err)
			}
		}
		if _, err := c.PutRules(t.Context(), data.RuleSet{Text: strings.Repeat("x", 5<<20)}, ""); err == nil {
			t.Error("a text of 5 MiB was taken")
		}
	})
}
