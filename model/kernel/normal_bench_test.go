package kernel_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"kindred/model/kernel"
)

// perRow reports nanoseconds per row-pass, and GFLOP/s.
func perRow(b *testing.B, rows, flops int) {
	ns := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
	b.ReportMetric(ns/float64(rows), "ns/row")
	b.ReportMetric(float64(flops)/ns, "GFLOP/s")
}

// atEveryLevel is AtEveryLevel for benchmarks.
func atEveryLevel(b *testing.B, name string, bench func(b *testing.B)) {
	for l := kernel.Generic; l <= kernel.BestLevel(); l++ {
		b.Run(name+"/"+l.String(), func(b *testing.B) {
			kernel.SetLevel(b, l)
			bench(b)
		})
	}
}

func randoms(seed uint64, n int) []float32 {
	random := rand.New(rand.NewPCG(seed, 1))
	v := make([]float32, n)
	for i := range v {
		v[i] = random.Float32() - .5
	}
	return v
}

func BenchmarkNormalMul(b *testing.B) {
	for _, f := range []int{50, 64, 100, 128, 192, 256} {
		for _, n := range []int{20, 144} {
			atEveryLevel(b, fmt.Sprintf("f=%d/n=%d", f, n), func(b *testing.B) {
				rows, w, p, out := randoms(1, n*f), randoms(2, n), randoms(3, f), make([]float32, f)
				for b.Loop() {
					kernel.NormalMul(out, rows, w, p)
				}
				perRow(b, n, 4*n*f)
			})
		}
	}
}
