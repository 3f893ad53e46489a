package compact

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kindred/data"
)

// addPlainly is AddHistory for whole weights, by sorting everything.
func addPlainly(all []data.HistoryItem, a data.HistoryItem, limit int) []data.HistoryItem {
	if i := slices.IndexFunc(all, func(h data.HistoryItem) bool { return h.Item == a.Item }); i >= 0 {
		h := &all[i]
		h.Kinds, h.Count, h.Weight, h.Last = h.Kinds|a.Kinds, h.Count+a.Count, h.Weight+a.Weight, max(h.Last, a.Last)
	} else {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b data.HistoryItem) int {
		return cmp.Or(cmp.Compare(b.Last, a.Last), cmp.Compare(a.Item, b.Item))
	})
	return all[:min(len(all), limit)]
}

// TestLongHistoriesAgreeWithSorting folds acts into histories that become long, full,
// wide and whole again, among changes of the lists beside them.
func TestLongHistoriesAgreeWithSorting(t *testing.T) {
	for _, limit := range []int{markedFrom - 1, markedFrom, markedFrom + 1, 400} {
		rng := rand.New(rand.NewPCG(7, uint64(limit)))
		s := NewStore(shape)
		r := s.Add(data.NewProfileID(data.IDUser, "ann"))
		p := s.At(r)
		var want []data.HistoryItem
		for i := range 3000 {
			item, at := fmt.Sprint("sku-", rng.IntN(900)), int64(1000+10*i-rng.IntN(2000)*(rng.IntN(5)/4))
			a := Act{Item: s.Symbols.Of(item), Kind: data.Click, At: at, Weight: 2}
			s.AddHistory(p, a, limit)
			want = addPlainly(want, data.HistoryItem{Item: data.ItemID(item), Kinds: 1 << a.Kind, Count: 1, Weight: 2, Last: at}, limit)
			switch rng.IntN(40) {
			case 0:
				s.SetCluster(p, data.Assignment{Model: fmt.Sprint("m", rng.IntN(9))})
			case 1:
				s.AddIDs(IDKey{Who: r, Day: int32(rng.IntN(20))}, uint64(i))
			case 2:
				s.DropIDs(r)
			case 3:
				s.Open(r)
				s.Close(r)
			case 4:
				s.AddRecent(p, fmt.Sprint(i), 0, a.Item, int64(1000+i), 30)
			case 5:
				s.CountEvent(p, 1<<2|1, int64(5_000_000+i*100), 1)
			case 6:
				s.dropRecents(p, p.RecentLen())
			}
			if i%50 == 0 || i > 2990 {
				if diff := gocmp.Diff(want, s.Unpack(r).History, cmpopts.EquateEmpty()); diff != "" {
					t.Fatalf("limit %d, act %d: (-plain +compact)\n%s", limit, i, diff)
				}
				for k, h := range view[narrow](s, p, inHistory)[len(want)-p.marks():] {
					if s.viewMarks(p)[k] != markOf(h.item) {
						t.Fatalf("limit %d, act %d: the %d-th mark is not its item's", limit, i, k)
					}
				}
			}
		}
		s.AddHistory(p, Act{Item: s.Symbols.Of("sku-1"), Kind: data.Rating, At: 1 << 30, Weight: 2, Value: 4}, limit)
		if p.marks() != 0 || p.HistoryLen() != limit {
			t.Fatalf("limit %d: %d items and %d marks with a rating", limit, p.HistoryLen(), p.marks())
		}
		s.Forget(r)
		if s.arena.used != 0 {
			t.Errorf("limit %d: %d words are still in use", limit, s.arena.used)
		}
	}
}
