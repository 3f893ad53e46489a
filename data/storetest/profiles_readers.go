package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"kindred/data"
)

func testReaders(t *testing.T, open OpenProfiles) {
	t.Run("a profile is found by id alone, and nobody is ErrNotFound", func(t *testing.T) {
		s := open.fresh(t)
		for p := range s.Partitions() {
			id := people(s, p, 1)[0]
			must(t, s.Save(t.Context(), p, 0, &data.Commit{Cursor: 1, Profiles: map[data.ProfileID][]byte{id: []byte(id)}}))
			if v, err := s.Profile(t.Context(), id); string(v) != string(id) || err != nil {
				t.Errorf("Profile(%q) = %q, %v", id, v, err)
			}
		}
		if _, err := s.Profile(t.Context(), "nobody"); !errors.Is(err, data.ErrNotFound) {
			t.Errorf("Profile(nobody) = %v, want ErrNotFound", err)
		}
	})

	t.Run("a scan goes through a partition by id and can resume", func(t *testing.T) {
		s := open.fresh(t)
		ids := people(s, 1, 5)
		profiles := map[data.ProfileID][]byte{}
		for _, id := range ids {
			profiles[id] = []byte(id)
		}
		must(t, s.Save(t.Context(), 1, 0, &data.Commit{Cursor: 1, Profiles: profiles}))
		var got []data.ProfileID
		collect := func(stopAt int) func(data.ProfileID, []byte) (bool, error) {
			return func(id data.ProfileID, v []byte) (bool, error) {
				if string(v) != string(id) {
					t.Errorf("profile %q has value %q", id, v)
				}
				got = append(got, id)
				return len(got) < stopAt, nil
			}
		}
		must(t, s.ScanProfiles(t.Context(), 1, "", collect(2)))
		must(t, s.ScanProfiles(t.Context(), 1, got[len(got)-1], collect(100)))
		equal(t, "scanned", ids, got)
		got = nil
		must(t, s.ScanProfiles(t.Context(), 0, "", collect(100)))
		if len(got) != 0 {
			t.Errorf("partition 0 has %v", got)
		}
		stop := errors.New("stop")
		err := s.ScanProfiles(t.Context(), 1, "", func(data.ProfileID, []byte) (bool, error) { return true, stop })
		if !errors.Is(err, stop) {
			t.Errorf("ScanProfiles = %v, want the callback's error", err)
		}
	})

	t.Run("counters are scanned by key", func(t *testing.T) {
		s := open.fresh(t)
		must(t, s.Save(t.Context(), 0, 0, &data.Commit{Cursor: 1, Counters: map[string][]byte{"i/b": []byte("2"), "c/x": []byte("3"), "i/a": []byte("1")}}))
		var got []string
		must(t, s.ScanCounters(t.Context(), 0, func(key string, v []byte) error {
			got = append(got, key+"="+string(v))
			return nil
		}))
		equal(t, "counters", []string{"c/x=3", "i/a=1", "i/b=2"}, got)
	})

	t.Run("the index leads from an identifier to its latest profile", func(t *testing.T) {
		s := open.fresh(t)
		must(t, s.Save(t.Context(), 0, 0, &data.Commit{Cursor: 1, Links: []data.IndexEntry{
			{Kind: data.IDUser, ID: "ann", Profile: "p1"}, {Kind: data.IDAnonymous, ID: "ann", Profile: "p2"}, {Kind: data.IDUser, ID: "bob", Profile: "p3"},
			{Kind: data.IDUser, ID: "a\x00b", Profile: "p4"}}}))
		must(t, s.Save(t.Context(), 1, 0, &data.Commit{Cursor: 1, Links: []data.IndexEntry{
			{Kind: data.IDAnonymous, ID: "ann", Profile: "p1"}, {Kind: data.IDUser, ID: "bob"}}}))
		for _, c := range []struct {
			kind data.IDKind
			id   string
			want data.ProfileID
		}{{data.IDUser, "ann", "p1"}, {data.IDAnonymous, "ann", "p1"}, {data.IDUser, "a\x00b", "p4"}} {
			if got, err := s.Lookup(t.Context(), c.kind, c.id); got != c.want || err != nil {
				t.Errorf("Lookup(%s, %q) = %q, %v; want %q", c.kind, c.id, got, err, c.want)
			}
		}
		for _, id := range []string{"bob", "an", "anna", ""} {
			if _, err := s.Lookup(t.Context(), data.IDUser, id); !errors.Is(err, data.ErrNotFound) {
				t.Errorf("Lookup(user, %q) = %v, want ErrNotFound", id, err)
			}
		}
		first, err := s.ScanIndex(t.Context(), data.IDUser, "", 1)
		must(t, err)
		rest, err := s.ScanIndex(t.Context(), data.IDUser, first[0].ID, 10)
		must(t, err)
		equal(t, "index", []data.IndexEntry{{Kind: data.IDUser, ID: "a\x00b", Profile: "p4"}, {Kind: data.IDUser, ID: "ann", Profile: "p1"}}, append(first, rest...))
	})

	t.Run("changes are read in order of their identity, from any point", func(t *testing.T) {
		s := open.fresh(t)
		at := time.Date(2026, 11, 20, 12, 0, 0, 5e6, time.UTC)
		var all []data.Change
		for _, id := range [][2]int64{{0, 0}, {0, 1}, {3, 0}, {3, 1}, {4, 0}} {
			all = append(all, data.Change{Partition: 0, Offset: id[0], K: int32(id[1]), At: at, Profile: "p", Type: "merged", From: "a", To: "b", Model: "m"})
		}
		must(t, s.Save(t.Context(), 0, 0, &data.Commit{Cursor: 9, Changes: []data.Change{all[3], all[0], all[4]}}))
		must(t, s.Save(t.Context(), 0, 9, &data.Commit{Cursor: 10, Changes: []data.Change{all[1], all[2]}}))
		for _, c := range []struct {
			offset int64
			k      int32
			max    int
			want   []data.Change
		}{{-1, 0, 10, all}, {-1, 0, 2, all[:2]}, {0, 0, 10, all[1:]}, {0, 7, 10, all[2:]}, {3, 0, 1, all[3:4]}, {4, 0, 10, nil}} {
			got, err := s.Changes(t.Context(), 0, c.offset, c.k, c.max)
			must(t, err)
			equal(t, "changes", c.want, got)
		}
		if got, err := s.Changes(t.Context(), 1, -1, 0, 10); len(got) != 0 || err != nil {
			t.Errorf("partition 1 has changes %v, %v", got, err)
		}
	})

	t.Run("late records are kept with their positions", func(t *testing.T) {
		s := open.fresh(t)
		late := []data.Record{{Offset: 2, Value: []byte("a")}, {Offset: 5, Value: []byte("b")}}
		must(t, s.Save(t.Context(), 0, 0, &data.Commit{Cursor: 6, Late: late}))
		got, err := s.Late(t.Context(), 0, -1, 10)
		must(t, err)
		equal(t, "late", late, got)
		got, err = s.Late(t.Context(), 0, 2, 10)
		must(t, err)
		equal(t, "late after 2", late[1:], got)
	})

	t.Run("dead letters are numbered in order, from ingest and from the fold", func(t *testing.T) {
		s := open.fresh(t)
		at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
		letter := func(reason string) data.DeadLetter {
			return data.DeadLetter{At: at, Source: "web", Reason: reason, Raw: []byte{0, 0xff, '{'}}
		}
		direct := []data.DeadLetter{letter("1"), letter("2")}
		must(t, s.AppendDead(t.Context(), direct))
		must(t, s.Save(t.Context(), 0, 0, &data.Commit{Cursor: 1, Dead: []data.DeadLetter{letter("3")}}))
		must(t, s.AppendDead(t.Context(), []data.DeadLetter{letter("4")}))
		must(t, s.AppendDead(t.Context(), nil))
		got, err := s.DeadLetters(t.Context(), 0, 3)
		must(t, err)
		rest, err := s.DeadLetters(t.Context(), got[2].Seq, 10)
		must(t, err)
		got = append(got, rest...)
		if !slices.IsSortedFunc(got, func(a, b data.DeadLetter) int { return int(a.Seq) - int(b.Seq) }) || got[0].Seq == 0 {
			t.Errorf("letters out of order: %v", got)
		}
		if got[0].Seq != direct[0].Seq || got[1].Seq != direct[1].Seq {
			t.Errorf("AppendDead set %d, %d; stored %d, %d", direct[0].Seq, direct[1].Seq, got[0].Seq, got[1].Seq)
		}
		for i := range got {
			want := letter(string(rune('1' + i)))
			want.Seq = got[i].Seq
			equal(t, "letter", want, got[i])
		}
	})
}
