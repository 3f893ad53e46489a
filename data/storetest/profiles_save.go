package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
)

func testSave(t *testing.T, open OpenProfiles) {
	t.Run("a partition that nobody folded has cursor 0 and no state", func(t *testing.T) {
		s := open.fresh(t)
		cursor, state, err := s.Load(t.Context(), 1)
		if cursor != 0 || len(state) != 0 || err != nil {
			t.Errorf("Load = %d, %q, %v; want 0, nothing, nil", cursor, state, err)
		}
	})

	t.Run("what one commit holds is there afterwards, in its partition only", func(t *testing.T) {
		s := open.fresh(t)
		ids := people(s, 1, 3)
		live, kept := data.DedupKey{Profile: ids[0], Day: 20_000}, data.DedupKey{Profile: ids[0], Day: 20_000, Imported: true}
		must(t, s.Save(t.Context(), 1, 0, &data.Commit{
			Cursor:   7,
			State:    []byte("own"),
			Profiles: map[data.ProfileID][]byte{ids[0]: []byte("A"), ids[1]: []byte("B")},
			Dedup:    map[data.DedupKey][]uint64{live: {1, 2, 1 << 63}, kept: {3}},
			Counters: map[string][]byte{"i/lamp": []byte("9")},
		}))
		cursor, state, err := s.Load(t.Context(), 1)
		if cursor != 7 || string(state) != "own" || err != nil {
			t.Errorf("Load = %d, %q, %v", cursor, state, err)
		}
		profiles, err := s.LoadProfiles(t.Context(), 1, ids)
		must(t, err)
		equal(t, "profiles", map[data.ProfileID][]byte{ids[0]: []byte("A"), ids[1]: []byte("B")}, profiles)
		dedup, err := s.LoadDedup(t.Context(), 1, []data.DedupKey{live, kept, {Profile: ids[1], Day: 20_000}, {Profile: ids[0], Day: 19_999}})
		must(t, err)
		equal(t, "dedup", map[data.DedupKey][]uint64{live: {1, 2, 1 << 63}, kept: {3}}, dedup)
		counters, err := s.LoadCounters(t.Context(), 1, []string{"i/lamp", "i/desk"})
		must(t, err)
		equal(t, "counters", map[string][]byte{"i/lamp": []byte("9")}, counters)

		if cursor, _, _ := s.Load(t.Context(), 0); cursor != 0 {
			t.Errorf("partition 0 moved to %d", cursor)
		}
		if other, err := s.LoadCounters(t.Context(), 0, []string{"i/lamp"}); err != nil || len(other) != 0 {
			t.Errorf("partition 0 has counters %v, %v", other, err)
		}
	})

	t.Run("a commit replaces whole values and nil deletes", func(t *testing.T) {
		s := open.fresh(t)
		ids := people(s, 0, 2)
		key := data.DedupKey{Profile: ids[0], Day: 1}
		must(t, s.Save(t.Context(), 0, 0, &data.Commit{Cursor: 1,
			Profiles: map[data.ProfileID][]byte{ids[0]: []byte("old"), ids[1]: []byte("gone")},
			Dedup:    map[data.DedupKey][]uint64{key: {1}},
			Counters: map[string][]byte{"a": []byte("old"), "b": []byte("gone")},
		}))
		must(t, s.Save(t.Context(), 0, 1, &data.Commit{Cursor: 2,
			Profiles: map[data.ProfileID][]byte{ids[0]: []byte("new"), ids[1]: nil},
			Dedup:    map[data.DedupKey][]uint64{key: nil},
			Counters: map[string][]byte{"a": []byte("new"), "b": nil},
		}))
		profiles, err := s.LoadProfiles(t.Context(), 0, ids)
		must(t, err)
		equal(t, "profiles", map[data.ProfileID][]byte{ids[0]: []byte("new")}, profiles)
		dedup, err := s.LoadDedup(t.Context(), 0, []data.DedupKey{key})
		must(t, err)
		equal(t, "dedup", map[data.DedupKey][]uint64{}, dedup)
		counters, err := s.LoadCounters(t.Context(), 0, []string{"a", "b"})
		must(t, err)
		equal(t, "counters", map[string][]byte{"a": []byte("new")}, counters)
		if _, state, _ := s.Load(t.Context(), 0); len(state) != 0 {
			t.Errorf("state %q, want none: a commit without state has none", state)
		}
	})

	t.Run("old live message ids are dropped by day, imported ones never", func(t *testing.T) {
		s := open.fresh(t)
		id := people(s, 0, 1)[0]
		old, oldKept := data.DedupKey{Profile: id, Day: 10}, data.DedupKey{Profile: id, Day: 10, Imported: true}
		edge, again := data.DedupKey{Profile: id, Day: 12}, data.DedupKey{Profile: id, Day: 11}
		must(t, s.Save(t.Context(), 0, 0, &data.Commit{Cursor: 1,
			Dedup: map[data.DedupKey][]uint64{old: {1}, oldKept: {2}, edge: {3}, again: {4}}}))
		must(t, s.Save(t.Context(), 0, 1, &data.Commit{Cursor: 2, DropDedupBefore: 12,
			Dedup: map[data.DedupKey][]uint64{again: {5}}}))
		got, err := s.LoadDedup(t.Context(), 0, []data.DedupKey{old, oldKept, edge, again})
		must(t, err)
		equal(t, "dedup", map[data.DedupKey][]uint64{oldKept: {2}, edge: {3}, again: {5}}, got)
	})

	t.Run("a save that expects another cursor is stale and writes nothing", func(t *testing.T) {
		s := open.fresh(t)
		id := people(s, 0, 1)[0]
		must(t, s.Save(t.Context(), 0, 0, &data.Commit{Cursor: 5, State: []byte("first")}))
		for _, expect := range []int64{0, 4, 6} {
			err := s.Save(t.Context(), 0, expect, &data.Commit{Cursor: 9, State: []byte("zombie"),
				Profiles: map[data.ProfileID][]byte{id: []byte("zombie")}, Counters: map[string][]byte{"z": []byte("z")},
				SetTimers: []data.Timer{{At: 1, Profile: id, Slot: "z"}}, Dead: []data.DeadLetter{{Reason: "zombie"}}})
			if !errors.Is(err, data.ErrStale) {
				t.Errorf("Save expecting %d = %v, want ErrStale", expect, err)
			}
		}
		cursor, state, err := s.Load(t.Context(), 0)
		if cursor != 5 || string(state) != "first" || err != nil {
			t.Errorf("Load = %d, %q, %v; want 5, first, nil", cursor, state, err)
		}
		if _, err := s.Profile(t.Context(), id); !errors.Is(err, data.ErrNotFound) {
			t.Errorf("Profile = %v, want ErrNotFound", err)
		}
		if _, ok, err := s.NextTimer(t.Context(), 0); ok || err != nil {
			t.Errorf("NextTimer = %v, %v; want none", ok, err)
		}
		if dead, err := s.DeadLetters(t.Context(), 0, 10); len(dead) != 0 || err != nil {
			t.Errorf("DeadLetters = %v, %v; want none", dead, err)
		}
	})

	t.Run("of owners that race for a cursor one wins", func(t *testing.T) {
		s := open.fresh(t)
		for cursor := range int64(20) {
			var won atomic.Int32
			var wg sync.WaitGroup
			for owner := range 4 {
				wg.Go(func() {
					err := s.Save(t.Context(), 0, cursor, &data.Commit{Cursor: cursor + 1, State: fmt.Append(nil, owner)})
					switch {
					case err == nil:
						won.Add(1)
					case !errors.Is(err, data.ErrStale):
						t.Errorf("Save = %v, want nil or ErrStale", err)
					}
				})
			}
			wg.Wait()
			if won.Load() != 1 {
				t.Fatalf("cursor %d: %d owners won, want 1", cursor, won.Load())
			}
		}
	})

	t.Run("a cursor does not go back", func(t *testing.T) {
		s := open.fresh(t)
		must(t, s.Save(t.Context(), 0, 0, &data.Commit{Cursor: 5}))
		if err := s.Save(t.Context(), 0, 5, &data.Commit{Cursor: 4}); err == nil {
			t.Error("Save with an earlier cursor: no error")
		}
	})

	t.Run("changes and late records of another partition are refused", func(t *testing.T) {
		s := open.fresh(t)
		for name, c := range map[string]*data.Commit{
			"change": {Cursor: 1, Changes: []data.Change{{Partition: 1}}},
			"late":   {Cursor: 1, Late: []data.Record{{Partition: 1}}},
		} {
			if err := s.Save(t.Context(), 0, 0, c); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		if cursor, _, err := s.Load(t.Context(), 0); cursor != 0 || err != nil {
			t.Errorf("Load = %d, %v; want 0, nil", cursor, err)
		}
	})

	t.Run("saved state is there after opening again", func(t *testing.T) {
		s := open(t, t.Name())
		id := people(s, 1, 1)[0]
		must(t, s.Save(t.Context(), 1, 0, &data.Commit{Cursor: 3, State: []byte("x"), Profiles: map[data.ProfileID][]byte{id: []byte("A")}}))
		must(t, s.Close())
		s = open.fresh(t)
		cursor, state, err := s.Load(t.Context(), 1)
		if cursor != 3 || string(state) != "x" || err != nil {
			t.Errorf("Load = %d, %q, %v; want 3, x, nil", cursor, state, err)
		}
		if v, err := s.Profile(t.Context(), id); string(v) != "A" || err != nil {
			t.Errorf("Profile = %q, %v; want A", v, err)
		}
		must(t, s.Save(t.Context(), 1, 3, &data.Commit{Cursor: 4}))
	})

	t.Run("an unknown partition is an error", func(t *testing.T) {
		s := open.fresh(t)
		for _, p := range []int32{-1, s.Partitions()} {
			if _, _, err := s.Load(t.Context(), p); err == nil {
				t.Errorf("Load(%d): no error", p)
			}
			if err := s.Save(t.Context(), p, 0, &data.Commit{Cursor: 1}); err == nil {
				t.Errorf("Save(%d): no error", p)
			}
		}
	})
}

func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
