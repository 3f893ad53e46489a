package itemitem_test

import (
	"testing"

	"kindred/model"
	"kindred/model/itemitem"
	"kindred/model/modeltest"
	"kindred/model/sparse"
)

func TestModelKeepsTheScorersPromises(t *testing.T) {
	modeltest.Run(t, func(t *testing.T, x *sparse.CSR, _ uint64) model.Scorer {
		return fit(t, x, itemitem.Default())
	}, modeltest.Options{Decode: decode})
}

// fit fails the test when the fit does.
func fit(t *testing.T, x *sparse.CSR, cfg itemitem.Config) *itemitem.Model {
	t.Helper()
	m, err := itemitem.Fit(t.Context(), x, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// decode reads a model.
func decode(b []byte) (model.Scorer, error) {
	m := new(itemitem.Model)
	return m, m.UnmarshalBinary(b)
}

func TestAHistoryThatSpeaksForMostItemsAddsWhatOneOfFewDoes(t *testing.T) {
	const n = 60
	x := &sparse.CSR{Cols: n, Ptr: []int64{0}}
	for u := range 200 {
		for i := u % 7; i < n; i += 3 + u%3 {
			x.Col, x.Val = append(x.Col, int32(i)), append(x.Val, 1)
		}
		x.Ptr = append(x.Ptr, int64(len(x.Col)))
		x.Rows++
	}
	m := fit(t, x, itemitem.Default())
	for used := range 20 {
		var h model.History
		for i := range used {
			h.Rows, h.Weights = append(h.Rows, int32(3*i)), append(h.Weights, float32(1+i%3))
		}
		want, into := make([]float32, n), model.NewSparseScores(n+5)
		said := m.Score(h, want)
		for _, before := range []float32{0, 2} {
			into.Reset()
			if before > 0 {
				into.Add(7, before)
			}
			if m.ScoreSparse(h, into) != said {
				t.Fatalf("%d items: ScoreSparse does not say %v", used, said)
			}
			for row, score := range want {
				if row == 7 {
					score += before
				}
				if got := into.At(int32(row)); got-score > 1e-5 || score-got > 1e-5 {
					t.Fatalf("%d items: row %d has %v beside %v; want %v", used, row, got, before, score)
				}
			}
		}
		if full := into.Full(); full > 0 {
			t.Fatalf("%d items: %d rows were touched at once beside one that had a score", used, full)
		}
		into.Reset()
		if m.ScoreSparse(h, into); used == 19 && into.Full() != n {
			t.Errorf("%d of %d rows are touched at once", into.Full(), n)
		}
	}
}
