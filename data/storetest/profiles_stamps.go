package storetest

import (
	"testing"

	"kindred/data"
)

// testStamps checks the promise of stores that stamp profiles (online.Stamps); a store
// without stamps promises nothing here.
func testStamps(t *testing.T, open OpenProfiles) {
	type stamper interface {
		ProfileStamp(data.ProfileID) uint64
	}
	if _, ok := open.fresh(t).(stamper); !ok {
		return
	}
	t.Run("every write of a profile moves its stamp, for good", func(t *testing.T) {
		s := open.fresh(t)
		id := people(s, 0, 1)[0]
		met := map[uint64]bool{s.(stamper).ProfileStamp(id): true}
		moved := func(what string) {
			t.Helper()
			now := s.(stamper).ProfileStamp(id)
			if met[now] {
				t.Errorf("after %s the stamp is %d, as it was before", what, now)
			}
			met[now] = true
		}
		must(t, s.Save(t.Context(), 0, 0, &data.Commit{Cursor: 1, Profiles: map[data.ProfileID][]byte{id: []byte("A")}}))
		moved("the first write")
		must(t, s.Save(t.Context(), 0, 1, &data.Commit{Cursor: 2, Profiles: map[data.ProfileID][]byte{id: []byte("A")}}))
		moved("a write of the same bytes")
		must(t, s.Save(t.Context(), 0, 2, &data.Commit{Cursor: 3, Profiles: map[data.ProfileID][]byte{id: nil}}))
		moved("its removal")
		must(t, s.Save(t.Context(), 0, 3, &data.Commit{Cursor: 4, Profiles: map[data.ProfileID][]byte{id: []byte("B")}}))
		moved("its return")
		must(t, s.DropState(t.Context(), 0))
		moved("the drop of its partition")
	})

	t.Run("a stamp that has not moved stands for the same bytes", func(t *testing.T) {
		s := open.fresh(t)
		id := people(s, 0, 1)[0]
		must(t, s.Save(t.Context(), 0, 0, &data.Commit{Cursor: 1, Profiles: map[data.ProfileID][]byte{id: []byte("A")}}))
		before := s.(stamper).ProfileStamp(id)
		if _, err := s.Profile(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if after := s.(stamper).ProfileStamp(id); after != before {
			t.Errorf("reading moved the stamp from %d to %d", before, after)
		}
	})
}
