package compact

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kindred/data"
)

func TestEventsInManyWindowsWidenTogether(t *testing.T) {
	s := NewStore(shape)
	r := s.Add(data.NewProfileID(data.IDUser, "ann"))
	const all, later = SlotSet(1<<4 - 1), SlotSet(1<<2 | 1<<3)
	s.CountEvent(s.At(r), all, 5_000_000, 1)
	for i := range int64(narrowMax) { // the last one widens the third slot, behind the second
		s.CountEvent(s.At(r), later, 5_000_001+i, 1)
	}
	got := s.Unpack(r).Slots
	want := []data.Slot{
		{ID: 3, Ring: []int64{5_000_000}},
		{ID: 5, Panes: []data.Pane{{Index: 5000, Count: 1}}},
		{ID: 9, Panes: []data.Pane{{Index: 714, Count: narrowMax + 1, Sum: narrowMax + 1}}},
		{ID: 1 << 60, Ring: []int64{5_001_020, 5_001_021, 5_001_022, 5_001_023}},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}
