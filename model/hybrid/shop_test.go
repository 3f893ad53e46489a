package hybrid_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kindred/model"
	"kindred/model/als"
	"kindred/model/content"
	"kindred/model/hybrid"
	"kindred/model/itemitem"
	"kindred/model/retrieve/retrievetest"
)

// shop is the four real components over made-up items, as `cmd/internal/load/madeup` shapes them: 64
// factors with norms that spread by .6, 100 neighbours an item, one of 50 categories and four of 3000 words, popularity by
// rank. Nothing in it was trained; what a request costs is what a trained one's costs.
func shop(t testing.TB, items int) (scorers []model.Scorer, m *hybrid.Model) {
	t.Helper()
	const factors, neighbours, categories, words = 64, 100, 50, 3000
	random := rand.New(rand.NewPCG(1, uint64(items)))

	vectors := retrievetest.Vectors(items, factors, .6, 1)
	b := append(make([]byte, 0, 42+4*len(vectors)), 1, 0) // version 1 of als.Model
	b = binary.LittleEndian.AppendUint32(b, factors)
	b = binary.LittleEndian.AppendUint32(b, uint32(items))
	for _, v := range []float64{.007, .3, 1, 1} {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	for _, v := range vectors {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	taste := new(als.Model)
	if err := taste.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}

	k := min(neighbours, items/2)
	b = append(make([]byte, 0, 6+items*(4+8*k)), 1, 0) // version 1 of itemitem.Model
	b = binary.LittleEndian.AppendUint32(b, uint32(items))
	near := make([]int32, 0, k)
	for range items {
		near = near[:0]
		for len(near) < k { // neighbours that are drawn twice are drawn again
			for len(near) < k {
				near = append(near, random.Int32N(int32(items)))
			}
			slices.Sort(near)
			near = slices.Compact(near)
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(k))
		for _, row := range near {
			b = binary.LittleEndian.AppendUint32(b, uint32(row))
		}
		for range near {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(.01+.3*random.Float32()*random.Float32()))
		}
	}
	also := new(itemitem.Model)
	if err := also.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}

	docs, popular := make([][]string, items), everybody{"popular", make([]float32, items)}
	word := make([]string, words)
	for i := range word {
		word[i] = fmt.Sprint("word", i)
	}
	for i := range docs {
		docs[i] = append(docs[i], fmt.Sprint("category:", i%categories))
		for range 4 {
			docs[i] = append(docs[i], word[random.IntN(words)])
		}
		popular.scores[i] = float32(math.Log1p(1 + 1e6/float64(i+1)))
	}
	text, err := content.Fit(docs, content.Default())
	if err != nil {
		t.Fatal(err)
	}
	m = &hybrid.Model{
		Components: []string{"als", "itemitem", "content", "popular"}, Normalization: hybrid.ZScore, Weights: []float64{.6, .25, .1, .05},
	}
	return []model.Scorer{taste, also, text, popular}, m
}

// shoppers are people who used so many items each.
func shoppers(n, items, used int) []model.History {
	random := rand.New(rand.NewPCG(2, uint64(items)))
	all := make([]model.History, n)
	for i := range all {
		h := &all[i]
		for len(h.Rows) < used {
			if row := random.Int32N(int32(items)); !slices.Contains(h.Rows, row) {
				h.Rows, h.Weights = append(h.Rows, row), append(h.Weights, .2+3*random.Float32())
			}
		}
	}
	return all
}

func TestTopOfAShopIsTheBlendAndAFullSort(t *testing.T) {
	const items = 6000
	scorers, m := shop(t, items)
	s := &shelf{n: items, rows: items}
	index := hybrid.NewIndex(scorers)
	for _, weights := range [][]float64{{.6, .25, .1, .05}, {.9, .02, .03, .05}, {.2, .1, .6, .1}} {
		m.Weights = weights
		scorer, err := m.BindIndex(scorers, index)
		if err != nil {
			t.Fatal(err)
		}
		textbook, err := m.Bind(scorers)
		if err != nil {
			t.Fatal(err)
		}
		for _, used := range []int{1, 20, 200} {
			for _, h := range shoppers(4, items, used) {
				want, got := textbook.Blend(h), make([]float32, items)
				scorer.Score(h, got)
				for row, score := range got {
					if d := math.Abs(float64(score - want.Scores[row])); !(d <= 1e-4) {
						t.Fatalf("row %d scores %v; want %v", row, score, want.Scores[row])
					}
				}
				want.Release()
				for _, k := range []int{1, 20, 100} {
					l := scorer.Top(h, k, hybrid.Filter{Seen: h.Rows})
					same(t, l, scorer, s, h, k, hybrid.Filter{}, func(row int32) bool { return !slices.Contains(h.Rows, row) })
					l.Release()
				}
			}
		}
	}
}
