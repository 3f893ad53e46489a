package hybrid_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"kindred/model"
	"kindred/model/hybrid"
	"kindred/model/rank"
)

// crowd is a shelf of many rows of few kinds: all rows of a kind are the same in every component,
// and some kinds have no history, or nothing but popularity.
func crowd(random *rand.Rand, deferred bool) *shelf {
	const n, beyond, kinds = 4000, 30, 25
	s := &shelf{n: n, rows: n + beyond}
	of := make([]int, s.rows)
	members := make([][]int32, kinds)
	for row := range of {
		of[row] = random.IntN(kinds)
		members[of[row]] = append(members[of[row]], int32(row))
	}
	kind := make([][]float32, kinds)
	for i := range kind {
		kind[i] = []float32{random.Float32(), random.Float32() - .5, random.Float32()}
		if i%4 == 0 {
			clear(kind[i]) // nobody used them
		}
	}
	als, popular := factors{"als", make([]float32, 0, 3*n), 3}, everybody{"popular", make([]float32, n)}
	for row := range n {
		als.v = append(als.v, kind[of[row]]...)
		popular.scores[row] = float32(of[row]%3) / 7
	}
	near := func(name string, rows int, first int, seed uint64) neighbours {
		random := rand.New(rand.NewPCG(seed, 2))
		out := neighbours{name, make([][]int32, rows), make([][]float32, rows)}
		for i := range rows {
			for k := first; k < kinds; k += 1 + random.IntN(9) {
				sim := random.Float32()
				for _, row := range members[k] {
					if int(row) < rows {
						out.near[i], out.sims[i] = append(out.near[i], row), append(out.sims[i], sim)
					}
				}
			}
		}
		return out
	}
	content := func(rows int) model.Scorer {
		if c := near("content", rows, 0, 7); deferred {
			return lazy{c, n, true}
		} else {
			return c
		}
	}
	itemitem := near("itemitem", n, 20, 9)
	s.known = []model.Scorer{als, itemitem, content(n), popular}
	s.joined = []model.Scorer{hybrid.Pad(als, s.rows), hybrid.Pad(itemitem, s.rows), content(s.rows), hybrid.Pad(popular, s.rows)}
	return s
}

func TestTopAndScoreRankAlikeWhereRowsTie(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 1))
	for _, deferred := range []bool{false, true} {
		s := crowd(random, deferred)
		index := hybrid.NewIndex(s.known)
		categories := []*hybrid.RowSet{nil}
		for _, every := range []int32{1, 3, 9, 200} {
			set := rank.NewSet(s.n)
			for row := int32(0); int(row) < s.n; row += every {
				set.Add(row)
			}
			categories = append(categories, index.Category(set))
		}
		m := hybrid.Equal([]string{"als", "itemitem", "content", "popular"}, hybrid.ZScore)
		for _, names := range [][]string{m.Components, {"als", "content"}, {"itemitem", "content"}, {"popular"}, {"itemitem", "popular"}} {
			only, err := m.Only(names...)
			if err != nil {
				t.Fatal(err)
			}
			scorer, err := only.BindIndex(s.joined, index)
			if err != nil {
				t.Fatal(err)
			}
			for size := range 8 {
				var h model.History
				for _, row := range random.Perm(s.rows)[:size] {
					h.Rows, h.Weights = append(h.Rows, int32(row)), append(h.Weights, float32(1+random.IntN(3)))
				}
				for i, k := range []int{1, 10, 300} {
					f := hybrid.Filter{Seen: h.Rows, Only: categories[(size+i)%len(categories)]}
					l := scorer.Top(h, k, f)
					same(t, l, scorer, s, h, k, f, func(row int32) bool {
						return !slices.Contains(h.Rows, row) && (f.Only == nil || row >= int32(s.n) || f.Only.Has(row))
					})
					l.Release()
				}
			}
		}
	}
}

func TestACategoryIsPackedAfterItsFirstUse(t *testing.T) {
	s := crowd(rand.New(rand.NewPCG(12, 1)), false)
	index := hybrid.NewIndex(s.known)
	scorer, err := hybrid.Equal([]string{"als"}, hybrid.ZScore).BindIndex(s.joined, index)
	if err != nil {
		t.Fatal(err)
	}
	half, all := rank.NewSet(s.n), rank.NewSet(s.n)
	for row := range int32(s.n) {
		all.Add(row)
		if row%2 == 0 {
			half.Add(row)
		}
	}
	h := model.History{Rows: []int32{1, 2, 3, 4}, Weights: []float32{1, 1, 1, 1}}
	packs := func(set *hybrid.RowSet) bool {
		first := set.Mask()
		for i := range 200 {
			f := hybrid.Filter{Only: set}
			l := scorer.Top(h, 10, f)
			same(t, l, scorer, s, h, 10, f, func(row int32) bool { return row >= int32(s.n) || set.Has(row) })
			l.Release()
			if set.Mask() != first {
				return i > 0
			}
			time.Sleep(time.Millisecond)
		}
		return false
	}
	if category := index.Category(half); !packs(category) || !packs(index.Category(half)) {
		t.Error("a category was not packed, or at its first use")
	}
	if packs(index.RowSet(half)) || packs(index.Category(all)) {
		t.Error("a set that is no category was packed, or one of most rows")
	}
}
