package kernel_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"kindred/model/kernel"
)

func TestDotRowsIsDotOfEveryRow(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 1))
		const n = 30
		for f := range 301 {
			table := normal(rng, n*f+1)[1:] // not aligned
			q := normal(rng, f+3)[3:]
			rows := make([]int32, 1+rng.IntN(40))
			for i := range rows {
				rows[i] = int32(rng.IntN(n))
			}
			dst := make([]float32, len(rows))
			kernel.DotRows(dst, table, rows, q)
			for i, row := range rows {
				x := table[int(row)*f : int(row)*f+f]
				if want := kernel.Dot(q, x); math.Float32bits(dst[i]) != math.Float32bits(want) {
					t.Fatalf("f = %d: row %d gives %v, Dot %v", f, row, dst[i], want)
				}
				sum, size := 0.0, 0.0
				for j, v := range x {
					p := float64(v) * float64(q[j])
					sum, size = sum+p, size+math.Abs(p)
				}
				if off := math.Abs(float64(dst[i]) - sum); off > size*float64(f)/(1<<24) {
					t.Fatalf("f = %d: row %d gives %v, want %v within %v", f, row, dst[i], sum, size*float64(f)/(1<<24))
				}
			}
		}
	})
}

func TestDotRowsWithoutRowsOrColumns(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		kernel.DotRows(nil, nil, nil, []float32{1, 2})
		kernel.DotRows(nil, []float32{1, 2}, nil, make([]float32, 32))
		dst := []float32{7}
		kernel.DotRows(dst, nil, []int32{0}, nil)
		if dst[0] != 0 {
			t.Errorf("a product of nothing is %v", dst[0])
		}
	})
}

func TestDotRowsOfStrangersPanics(t *testing.T) {
	for _, row := range []int32{-1, 2, math.MaxInt32, math.MinInt32} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("row %d of 2 was accepted", row)
				}
			}()
			kernel.DotRows(make([]float32, 1), make([]float32, 32), []int32{row}, make([]float32, 16))
		}()
	}
}

// normal draws n standard normal values.
func normal(rng *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return v
}
