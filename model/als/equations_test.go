package als

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// scattered is a model whose item factors fall off from dimension to dimension, as
// trained ones do: the larger decay, the worse the condition of its equations.
func scattered(o objective, n, f int, decay float64) *Model {
	random := rand.New(rand.NewPCG(uint64(f), uint64(n)))
	items := make([]float32, n*f)
	for i := range items {
		items[i] = float32(random.NormFloat64() * math.Pow(decay, float64(i%f)))
	}
	return newModel(o, f, items, nil)
}

func TestFoldInIsExactForAnyLengthAndCondition(t *testing.T) {
	const n = 700
	for _, f := range []int{1, 8, 33} {
		for name, c := range map[string]struct {
			o     objective
			decay float64
		}{
			"usual":             {objective{scale: .5, regularization: .01, unobserved: .1, exponent: 1}, .9},
			"hkv":               {objective{hkv: true, scale: 1, regularization: 1, unobserved: 1}, .9},
			"badly conditioned": {objective{scale: 1, regularization: 1e-7, unobserved: 0}, .6},
		} {
			m := scattered(c.o, n, f, c.decay)
			for _, length := range []int{1, 3, f, pastPiece - 1, pastPiece, pastPiece + 1, 2*pastPiece + 7} {
				t.Run(fmt.Sprintf("%s f=%d %d items", name, f, length), func(t *testing.T) {
					rows, r := make([]int32, length), make([]float32, length)
					for i := range rows {
						rows[i], r[i] = int32(i*13%n), float32(1+i%4)
					}
					got, err := m.FoldIn(rows, r)
					if err != nil {
						t.Fatal(err)
					}
					want := textbookRow(m.loss, m.items, f, rows, r, n)
					size := 0.0
					for _, v := range want {
						size = max(size, math.Abs(v))
					}
					for k := range got {
						if math.Abs(float64(got[k])-want[k]) > 1e-6*size {
							t.Fatalf("factor %d = %v, by the textbook %v", k, got[k], want[k])
						}
					}
				})
			}
		}
	}
}
