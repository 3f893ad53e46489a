package als

import (
	"math"
	"math/rand/v2"
	"testing"

	"kindred/model/sparse"
)

// TestConjugateGradientEndsAfterAsManyStepsAsFactors holds the method to what sets it apart
// from plain descent: its directions are conjugate, so f steps solve f equations.
func TestConjugateGradientEndsAfterAsManyStepsAsFactors(t *testing.T) {
	const f, n = 6, 9
	random := rand.New(rand.NewPCG(3, 3))
	items := make([]float32, n*f)
	for i := range items {
		items[i] = float32(random.NormFloat64() * math.Pow(1.6, float64(i%f))) // unevenly scaled on purpose
	}
	var entries []sparse.Triple
	for i := range int32(n) {
		entries = append(entries, sparse.Triple{Col: i, Val: float32(1 + i%4)})
	}
	x := sparse.FromTriples(1, n, entries)
	diagonal := []float32{1, 2, 3, 4, 5, 6}
	gram := make([]float64, f*f)
	for k, d := range diagonal {
		gram[k*f+k] = float64(d)
	}
	loss := objective{scale: 1, regularization: 1, exponent: 0}
	cols, vals := x.Row(0)
	exact := newScratch(f, loss, SolverCholesky)
	exact.take(items, nil, cols, vals)
	want := make([]float32, f)
	if !exact.exact(want, gram, 1) {
		t.Fatal("the equations have no solution")
	}
	got := make([]float32, f)
	sc := newScratch(f, loss, SolverCG)
	sc.take(items, nil, cols, vals)
	sc.conjugate(sc, got, diagonal, 1, f+1)
	for k := range got {
		if math.Abs(float64(got[k]-want[k])) > 1e-2*math.Abs(float64(want[k])) {
			t.Errorf("factor %d = %v, want %v", k, got[k], want[k])
		}
	}
}
