package storetest

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kindred/data"
)

func testTimers(t *testing.T, open OpenProfiles) {
	t.Run("timers fire by time, then profile, then slot", func(t *testing.T) {
		s := open.fresh(t)
		timers := []data.Timer{
			{At: 20, Profile: "a", Slot: "w"}, {At: 10, Profile: "b", Slot: "x"}, {At: 10, Profile: "a", Slot: "y"},
			{At: 10, Profile: "a", Slot: "x"}, {At: -5, Profile: "z", Slot: ""}, {At: 10, Profile: "a\x00", Slot: "x"}, {At: 10, Profile: "ab", Slot: "a"},
		}
		must(t, s.Save(t.Context(), 0, 0, &data.Commit{Cursor: 1, SetTimers: timers}))
		if at, ok, err := s.NextTimer(t.Context(), 0); at != -5 || !ok || err != nil {
			t.Errorf("NextTimer = %d, %v, %v; want -5", at, ok, err)
		}
		want := inOrder(timers)
		wantDue(t, s, 100, 100, want)
		wantDue(t, s, 100, 3, want[:3])
		wantDue(t, s, 10, 100, want[:len(want)-1])
		wantDue(t, s, 9, 100, want[:1])
		wantDue(t, s, -6, 100, nil)
		if _, ok, err := s.NextTimer(t.Context(), 1); ok || err != nil {
			t.Errorf("NextTimer of another partition = %v, %v; want none", ok, err)
		}
	})

	t.Run("setting a timer again moves it, clearing removes it whatever its time", func(t *testing.T) {
		s := open.fresh(t)
		must(t, s.Save(t.Context(), 0, 0, &data.Commit{Cursor: 1, SetTimers: []data.Timer{
			{At: 10, Profile: "a", Slot: "x"}, {At: 10, Profile: "b", Slot: "x"}, {At: 10, Profile: "c", Slot: "x"}}}))
		must(t, s.Save(t.Context(), 0, 1, &data.Commit{Cursor: 2,
			SetTimers:   []data.Timer{{At: 30, Profile: "a", Slot: "x"}},
			ClearTimers: []data.Timer{{Profile: "b", Slot: "x"}, {Profile: "nobody", Slot: "x"}}}))
		wantDue(t, s, 100, 100, []data.Timer{{At: 10, Profile: "c", Slot: "x"}, {At: 30, Profile: "a", Slot: "x"}})
	})

	t.Run("in one commit clears come first and the last set stands", func(t *testing.T) {
		s := open.fresh(t)
		must(t, s.Save(t.Context(), 0, 0, &data.Commit{Cursor: 1, SetTimers: []data.Timer{{At: 1, Profile: "a", Slot: "x"}}}))
		must(t, s.Save(t.Context(), 0, 1, &data.Commit{Cursor: 2,
			SetTimers:   []data.Timer{{At: 5, Profile: "a", Slot: "x"}, {At: 6, Profile: "a", Slot: "x"}},
			ClearTimers: []data.Timer{{Profile: "a", Slot: "x"}}}))
		wantDue(t, s, 100, 100, []data.Timer{{At: 6, Profile: "a", Slot: "x"}})
	})

	t.Run("any sequence of sets and clears leaves what a map would", func(t *testing.T) {
		s := open.fresh(t)
		timer := rapid.Custom(func(rt *rapid.T) data.Timer {
			return data.Timer{
				At:      rapid.Int64Range(-3, 3).Draw(rt, "at"),
				Profile: rapid.SampledFrom([]data.ProfileID{"", "a", "a\x00", "a\x00\xff", "b"}).Draw(rt, "profile"),
				Slot:    rapid.SampledFrom([]string{"", "s", "\x00", "t"}).Draw(rt, "slot"),
			}
		})
		type identity struct {
			profile data.ProfileID
			slot    string
		}
		twin, cursor := map[identity]data.Timer{}, int64(0)
		rapid.Check(t, func(rt *rapid.T) {
			c := &data.Commit{Cursor: cursor,
				SetTimers:   rapid.SliceOfN(timer, 0, 4).Draw(rt, "set"),
				ClearTimers: rapid.SliceOfN(timer, 0, 4).Draw(rt, "clear")}
			must(t, s.Save(t.Context(), 0, cursor, c))
			for _, x := range c.ClearTimers {
				delete(twin, identity{x.Profile, x.Slot})
			}
			for _, x := range c.SetTimers {
				twin[identity{x.Profile, x.Slot}] = x
			}
			var want []data.Timer
			for _, x := range twin {
				want = append(want, x)
			}
			wantDue(t, s, 100, 100, inOrder(want))
		})
	})
}

func inOrder(timers []data.Timer) []data.Timer {
	sorted := slices.Clone(timers)
	slices.SortFunc(sorted, func(a, b data.Timer) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Profile, b.Profile), cmp.Compare(a.Slot, b.Slot))
	})
	return sorted
}

func wantDue(t *testing.T, s ProfileStore, until int64, limit int, want []data.Timer) {
	t.Helper()
	got, err := s.DueTimers(t.Context(), 0, until, limit)
	must(t, err)
	if !slices.Equal(got, want) {
		t.Fatalf("timers due at %d, at most %d:\n got %v\nwant %v", until, limit, got, want)
	}
}
