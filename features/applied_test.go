package features

import (
	"context"
	"testing"
	"time"

	"kindred/data"
)

// savedIDs is what a store would remember of a commit's message ids.
type savedIDs map[data.DedupKey][]uint64

func (s savedIDs) LoadDedup(_ context.Context, _ int32, keys []data.DedupKey) (map[data.DedupKey][]uint64, error) {
	found := map[data.DedupKey][]uint64{}
	for _, k := range keys {
		if ids, ok := s[k]; ok {
			found[k] = ids
		}
	}
	return found, nil
}

// TestImportingAgainIsSeenWhateverTheShift imports the same message with another
// event time, as a sample shifted to another day is, beside one that is new.
func TestImportingAgainIsSeenWhateverTheShift(t *testing.T) {
	w := newWorld(t, Default())
	first := w.route(w.event(noon, "ann", "", "Product Viewed", lamp("lamp")))
	first.Imported = true
	if _, err := w.b.Fold(t.Context(), w.m, 0, first); err != nil {
		t.Fatal(err)
	}
	c, err := w.m.Commit(1)
	if err != nil {
		t.Fatal(err)
	}
	again, other := first, first
	again.Times.Event = first.Times.Event.Add(40 * time.Hour)
	other.ID = "another"
	got, err := AlreadyApplied(t.Context(), savedIDs(c.Dedup), 8, []data.Event{again, other})
	if err != nil {
		t.Fatal(err)
	}
	if !got[0] || got[1] {
		t.Errorf("AlreadyApplied = %v, want [true false]", got)
	}
}
