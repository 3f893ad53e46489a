package data

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// historyOf is what UnmarshalHistory reads of a profile.
func historyOf(p Profile) Profile {
	return Profile{
		ID: p.ID, Version: p.Version, LastOffset: p.LastOffset, FirstSeen: p.FirstSeen, LastSeen: p.LastSeen,
		Redirect: p.Redirect, Deleted: p.Deleted, History: p.History, Segments: p.Segments,
	}
}

// sameHistory compares the two ways of reading b: what they read, or their words.
func sameHistory(b []byte) string {
	whole, brief := Profile{ID: "before"}, Profile{ID: "before"}
	werr, berr := whole.UnmarshalBinary(b), brief.UnmarshalHistory(b)
	if fmt.Sprint(werr) != fmt.Sprint(berr) {
		return fmt.Sprintf("whole: %v; history alone: %v", werr, berr)
	}
	return cmp.Diff(historyOf(whole), brief, cmpopts.EquateNaNs())
}

func TestAHistoryReadAloneIsTheProfilesAndRefusedLikeIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyProfile(t)
		b, _ := p.AppendBinary(nil)
		if diff := sameHistory(b); diff != "" {
			t.Fatal(diff)
		}
		if diff := sameHistory(b[:rapid.IntRange(0, len(b)).Draw(t, "cut")]); diff != "" {
			t.Fatal(diff)
		}
		b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= rapid.Byte().Draw(t, "flip")
		if diff := sameHistory(b); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestAHistoryReadAloneHoldsNothingOfItsBytes(t *testing.T) {
	p := usual()
	b, _ := p.AppendBinary(nil)
	var got Profile
	if err := got.UnmarshalHistory(b); err != nil {
		t.Fatal(err)
	}
	clear(b)
	if diff := cmp.Diff(historyOf(p), got); diff != "" {
		t.Errorf("after the bytes were used otherwise (-want +got):\n%s", diff)
	}
}

// usual is a profile as a shop has many.
func usual() Profile {
	p := Profile{ID: "p-0123456789abcdef", Version: 40, LastOffset: 7000, FirstSeen: 1_700_000_000_000, LastSeen: 1_700_900_000_000}
	p.Identity = []Identifier{{Kind: IDUser, ID: "user-1", FirstSeen: p.FirstSeen, LastSeen: p.LastSeen}}
	for i := range 12 {
		s := Slot{ID: uint64(i) * 0x9e3779b97f4a7c15}
		for j := range 10 {
			s.Panes = append(s.Panes, Pane{Index: int64(470_000 + j), Count: 3, Sum: 12.5})
		}
		p.Slots = append(p.Slots, s)
	}
	for i := range 40 {
		p.Affinities = append(p.Affinities, Affinity{Facet: "category", Value: fmt.Sprint("category-", i), Decayed: Decayed{S: 1.37 * float64(i), T: p.LastSeen}})
	}
	for i := range 30 {
		item, at := ItemID(fmt.Sprint("item-", i*997)), p.LastSeen-int64(i)*60_000
		p.Recent = append(p.Recent, RecentEvent{ID: fmt.Sprint("0123456789abcdef-", i), Name: "Product Viewed", Item: item, At: at})
		p.History = append(p.History, HistoryItem{Item: item, Kinds: 2, Count: 1, Weight: 1, Last: at})
	}
	return p
}

// BenchmarkReadProfile reads a usual profile, whole and its history alone.
func BenchmarkReadProfile(b *testing.B) {
	p := usual()
	encoded, _ := p.AppendBinary(nil)
	for name, read := range map[string]func(*Profile, []byte) error{"whole": (*Profile).UnmarshalBinary, "history": (*Profile).UnmarshalHistory} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(encoded)))
			b.ReportAllocs()
			for b.Loop() {
				var q Profile
				if err := read(&q, encoded); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
