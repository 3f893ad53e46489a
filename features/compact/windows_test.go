package compact

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"kindred/data"
	"kindred/features/window"
)

func TestWindowsAgreeWithPackageWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := NewStore(shape)
		r := s.Add(data.NewProfileID(data.IDUser, "ann"))
		p := s.At(r)
		want := make([]data.Slot, len(shape))
		at := int64(1e6)
		step := rapid.SampledFrom([]int64{10, 900, 9000}).Draw(t, "step")
		for range rapid.IntRange(1, 300).Draw(t, "events") {
			at += rapid.Int64Range(0, step).Draw(t, "later")
			when, times := max(1, at-rapid.Int64Range(0, 90_000).Draw(t, "late")*rapid.Int64Range(0, 1).Draw(t, "is late")), 1
			if rapid.IntRange(0, 50).Draw(t, "burst") == 0 {
				times = 700
			}
			i := rapid.IntRange(0, len(shape)-1).Draw(t, "slot")
			d, x := &shape[i], &want[i]
			x.ID = d.ID
			for range times {
				v := 0.0
				if d.Sum {
					v = .1
				}
				s.CountEvent(p, 1<<i, when, v)
				if d.Ring > 0 {
					x.Ring = window.AddRing(x.Ring, when, d.Ring)
					continue
				}
				x.Panes = d.Panes.Add(x.Panes, when, v)
			}
		}
		var slots []data.Slot
		now := at + rapid.Int64Range(-90_000, 90_000).Draw(t, "now")
		for i, x := range want {
			if x.ID == 0 {
				continue
			}
			slots = append(slots, x)
			n, sum := shape[i].Panes.Read(x.Panes, now)
			if shape[i].Ring > 0 {
				n = window.CountRing(x.Ring, now, shape[i].Panes.Width*shape[i].Panes.N)
			}
			var all [4]int
			if s.Counts(p, now, all[:]); all[i] != n {
				t.Fatalf("slot %d counts %d, want %d", i, all[i], n)
			}
			if got, total := s.Count(p, i, now), s.Sum(p, i, now); got != n || total != sum {
				t.Fatalf("slot %d reads %d and %v, want %d and %v", i, got, total, n, sum)
			}
		}
		got := s.Unpack(r)
		if diff := gocmp.Diff(slots, got.Slots, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		if p.Size() != s.sizeOf(&got) {
			t.Fatalf("Size is %d, want %d", p.Size(), s.sizeOf(&got))
		}
	})
}
