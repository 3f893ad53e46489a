package modeltest

import (
	"slices"
	"testing"

	"kindred/model"
)

// rounding is the relative error that a capability may have against Score, of the
// largest score: both add the same numbers, perhaps in another order.
const rounding = 1e-5

// capabilities holds what a scorer tells beyond its scores against Score, for known
// people, a fresh visitor and nobody.
func (s *suite) capabilities(t *testing.T) {
	x := Checkerboard(size)
	m := s.fit(t, x, 1)
	people := []model.History{
		{}, {Rows: []int32{3}, Weights: []float32{1e-6}}, {Rows: []int32{3, 4}, Weights: []float32{1e6, 1}},
	}
	for u := range size {
		people = append(people, HistoryOf(x, u))
	}
	sparse := model.NewSparseScores(size + 1) // a row more than there are items is allowed
	for _, h := range people {
		want, warm := score(m, h)
		check := func(capability string, got []float32, said bool) {
			t.Helper()
			if said != warm {
				t.Fatalf("history %v: %s reports %v, Score %v", h, capability, said, warm)
			}
			tolerance := s.opt.Tolerance
			s.opt.Tolerance = rounding
			s.close(t, got, want)
			s.opt.Tolerance = tolerance
		}
		if linear, ok := m.(model.Linear); ok {
			got, said := byQuery(t, linear, h)
			check("Query", got, said)
		}
		if scorer, ok := m.(model.Sparse); ok {
			sparse.Reset()
			said := scorer.ScoreSparse(h, sparse)
			got := make([]float32, size)
			for i := range got {
				got[i] = sparse.At(int32(i))
			}
			check("ScoreSparse", got, said)
		}
		if constant, ok := m.(model.Constant); ok {
			check("Constant", constant.Constant(), true)
		}
	}
}

// byQuery is every item's q·v_i. q starts as rubbish and vectors stay as they are.
func byQuery(t *testing.T, m model.Linear, h model.History) ([]float32, bool) {
	t.Helper()
	v, f := m.Vectors()
	if len(v) != size*f {
		t.Fatalf("%d numbers are no %d vectors of length %d", len(v), size, f)
	}
	before := slices.Clone(v)
	q := slices.Repeat([]float32{99}, f)
	said := m.Query(h, q)
	if !said && slices.ContainsFunc(q, func(x float32) bool { return x != 0 }) {
		t.Fatalf("history %v is cold with query %v", h, q)
	}
	if !slices.Equal(v, before) {
		t.Fatal("a query changed the vectors")
	}
	scores := make([]float32, size)
	for i := range scores {
		sum := 0.0
		for j, x := range q {
			sum += float64(x) * float64(v[i*f+j])
		}
		scores[i] = float32(sum)
	}
	return scores, said
}
