package als

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"kindred/model"
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

// BenchmarkFoldIn is a person of so many interactions among 27 000 items.
func BenchmarkFoldIn(b *testing.B) {
	for _, f := range []int{64, 128} {
		m := scattered(objective{scale: .5, regularization: .01, unobserved: .1, exponent: 1}, 27000, f, .98)
		for _, length := range []int{20, 50, 200} {
			rows, r := make([]int32, length), make([]float32, length)
			for i := range rows {
				rows[i], r[i] = int32(i*131%m.n), float32(1+i%4)
			}
			dst := make([]float32, f)
			b.Run(fmt.Sprintf("f=%d/history=%d", f, length), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := m.FoldInInto(dst, rows, r); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkExplain is three causes for each of 20 items, of a person with 100 past ones.
func BenchmarkExplain(b *testing.B) {
	m := scattered(objective{scale: .5, regularization: .01, unobserved: .1, exponent: 1}, 27000, 64, .98)
	h := model.History{}
	for i := range int32(100) {
		h.Rows, h.Weights = append(h.Rows, i*131), append(h.Weights, 1)
	}
	b.ReportAllocs()
	for b.Loop() {
		e := m.Explain(h)
		for item := range int32(20) {
			e.Causes(item*1000, 3)
		}
		e.Release()
	}
}
