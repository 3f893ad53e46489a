package storetest

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"kindred/data"
)

func testDrop(t *testing.T, open OpenProfiles) {
	// full is a commit with something of everything.
	full := func(s ProfileStore, p int32) *data.Commit {
		ids := people(s, p, 2)
		return &data.Commit{
			Cursor: 9, State: []byte("state"),
			Profiles: map[data.ProfileID][]byte{ids[0]: []byte("A"), ids[1]: []byte("B")},
			Dedup: map[data.DedupKey][]uint64{{Profile: ids[0], Day: 3}: {1, 2}, {Profile: ids[1], Day: 2}: {9},
				{Profile: ids[0], Day: 3, Imported: true}: {4}},
			SetTimers: []data.Timer{{At: 5, Profile: ids[0], Slot: "x"}, {At: 6, Profile: ids[1], Slot: "x"}},
			Counters:  map[string][]byte{"i/lamp": []byte("1"), "c/light": []byte("2")},
			Changes:   []data.Change{{Partition: p, Offset: 4, At: time.UnixMilli(1).UTC(), Profile: ids[0], Type: "merged"}},
			Links:     []data.IndexEntry{{Kind: data.IDUser, ID: "user-" + string(ids[0]), Profile: ids[0]}},
			Late:      []data.Record{{Partition: p, Offset: 2, Value: []byte("late")}},
			Dead:      []data.DeadLetter{{Reason: "kept"}},
		}
	}

	t.Run("a drop takes all derived state of one partition and keeps the rest", func(t *testing.T) {
		s := open.fresh(t)
		empty := [2][]byte{dump(t, s, 0), dump(t, s, 1)}
		must(t, s.Save(t.Context(), 0, 0, full(s, 0)))
		must(t, s.Save(t.Context(), 1, 0, full(s, 1)))
		other := dump(t, s, 1)
		must(t, s.DropState(t.Context(), 0))

		if got := dump(t, s, 0); !bytes.Equal(got, empty[0]) {
			t.Errorf("after the drop something is left: %q", got)
		}
		if got := dump(t, s, 1); !bytes.Equal(got, other) {
			t.Errorf("the drop changed another partition: %q, was %q", got, other)
		}
		if _, ok, err := s.NextTimer(t.Context(), 0); ok || err != nil {
			t.Errorf("NextTimer = %v, %v; want none", ok, err)
		}
		if _, err := s.Lookup(t.Context(), data.IDUser, "user-"+string(people(s, 0, 1)[0])); !errors.Is(err, data.ErrNotFound) {
			t.Errorf("Lookup = %v, want ErrNotFound", err)
		}
		if dead, err := s.DeadLetters(t.Context(), 0, 10); len(dead) != 2 || err != nil {
			t.Errorf("%d dead letters, %v; want 2: they are not derived state", len(dead), err)
		}
		must(t, s.Save(t.Context(), 0, 0, full(s, 0))) // from the start again
		must(t, s.DropState(t.Context(), 0))
		must(t, s.DropState(t.Context(), 0))
	})

	t.Run("an index entry that another partition has taken over survives the drop", func(t *testing.T) {
		s := open.fresh(t)
		must(t, s.Save(t.Context(), 0, 0, &data.Commit{Cursor: 1, Links: []data.IndexEntry{{Kind: data.IDUser, ID: "ann", Profile: "p0"}}}))
		must(t, s.Save(t.Context(), 1, 0, &data.Commit{Cursor: 1, Links: []data.IndexEntry{{Kind: data.IDUser, ID: "ann", Profile: "p1"}}}))
		must(t, s.DropState(t.Context(), 0))
		if got, err := s.Lookup(t.Context(), data.IDUser, "ann"); got != "p1" || err != nil {
			t.Errorf("Lookup = %q, %v; want p1", got, err)
		}
	})

	t.Run("equal states dump to equal bytes whatever way they came about", func(t *testing.T) {
		a, b := open(t, t.Name()+"/a"), open(t, t.Name()+"/b")
		defer func() { must(t, a.Close()); must(t, b.Close()) }()
		want := full(a, 0)
		must(t, a.Save(t.Context(), 0, 0, want))
		step := full(b, 0) // the same end by a detour
		step.Cursor, step.State, step.Changes, step.Late = 5, []byte("other"), nil, nil
		step.Counters["i/gone"] = []byte("1")
		step.SetTimers[0].At = 77
		step.SetTimers = append(step.SetTimers, data.Timer{At: 1, Profile: "gone", Slot: "x"})
		step.Links = append(step.Links, data.IndexEntry{Kind: data.IDAnonymous, ID: "gone", Profile: "p"})
		must(t, b.Save(t.Context(), 0, 0, step))
		last := full(b, 0)
		last.Counters["i/gone"] = nil
		last.ClearTimers = []data.Timer{{Profile: "gone", Slot: "x"}}
		last.Links = append(last.Links, data.IndexEntry{Kind: data.IDAnonymous, ID: "gone"})
		must(t, b.Save(t.Context(), 0, 5, last))
		if x, y := dump(t, a, 0), dump(t, b, 0); !bytes.Equal(x, y) {
			t.Errorf("dumps differ:\n%q\n%q", x, y)
		}
		last.Counters = map[string][]byte{"i/lamp": []byte("different")}
		must(t, b.Save(t.Context(), 0, 9, last))
		if x, y := dump(t, a, 0), dump(t, b, 0); bytes.Equal(x, y) {
			t.Error("different states dump to equal bytes")
		}
	})
}

func dump(t *testing.T, s ProfileStore, partition int32) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, s.DumpState(t.Context(), partition, &b))
	return b.Bytes()
}
