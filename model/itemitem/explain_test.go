package itemitem_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/model"
)

// TestCausesAreTheHistorysNeighbours: met in one pass or each looked up, the same.
func TestCausesAreTheHistorysNeighbours(t *testing.T) {
	x := random(80, 30, 4)
	for name, cfg := range configs() {
		m := fit(t, x, cfg)
		src := rand.New(rand.NewPCG(1, 2))
		found := 0
		for range 50 {
			var h model.History
			for _, row := range src.Perm(m.Items())[:src.IntN(m.Items())] {
				h.Rows, h.Weights = append(h.Rows, int32(row)), append(h.Weights, 1+src.Float32())
			}
			e := m.Explain(h)
			for item := range int32(m.Items()) {
				var want []model.Cause
				near, similarity := m.Neighbours(item)
				for i, row := range h.Rows {
					r := h.Weights[i]
					if cfg.Binary {
						r = 1
					}
					if at := slices.Index(near, row); at >= 0 {
						want = append(want, model.Cause{Row: row, Share: float64(r * similarity[at])})
					}
				}
				found += len(want)
				if diff := cmp.Diff(model.Largest(want, 7), append([]model.Cause(nil), e.Causes(item, 7)...)); diff != "" {
					t.Fatalf("%s, item %d of %v (-looked up +got):\n%s", name, item, h, diff)
				}
			}
			e.Release()
		}
		if found == 0 {
			t.Errorf("%s: no causes", name)
		}
	}
}
