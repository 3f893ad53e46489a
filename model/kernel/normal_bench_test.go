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

func BenchmarkDot(b *testing.B) {
	for _, n := range []int{64, 128, 1024} {
		atEveryLevel(b, fmt.Sprintf("n=%d", n), func(b *testing.B) {
			x, y := randoms(1, n), randoms(2, n)
			for b.Loop() {
				kernel.Dot(x, y)
			}
			perRow(b, 1, 2*n)
		})
	}
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

// BenchmarkGatherResidual draws 144 rows at a time at random: from a table in the second level
// cache, and from one of 256 MB.
func BenchmarkGatherResidual(b *testing.B) {
	for _, f := range []int{64, 128} {
		for name, many := range map[string]int{"cache": 1 << 18 / f, "memory": 1 << 26 / f} {
			const n, sets = 144, 1 << 10
			table := make([]float32, many*f)
			half := make([]uint16, many*f)
			for i := range table { // or all pages would be the same one
				table[i], half[i] = 1, 0x3c00
			}
			rows := make([]int32, n*sets)
			random := rand.New(rand.NewPCG(1, 1))
			for i := range rows {
				rows[i] = random.Int32N(int32(many))
			}
			w, c, p, out, packed := randoms(2, n), randoms(4, n), randoms(3, f), make([]float32, f), make([]float32, n*f)
			run := func(b *testing.B, do func(rows []int32)) {
				i := 0
				for b.Loop() {
					do(rows[i*n : (i+1)*n])
					i = (i + 1) % sets
				}
				perRow(b, n, 4*n*f)
			}
			atEveryLevel(b, fmt.Sprintf("f=%d/%s/single", f, name), func(b *testing.B) {
				run(b, func(rows []int32) { kernel.GatherResidual(out, packed, table, rows, w, c, p) })
			})
			atEveryLevel(b, fmt.Sprintf("f=%d/%s/half", f, name), func(b *testing.B) {
				run(b, func(rows []int32) { kernel.GatherResidualHalf(out, packed, half, rows, w, c, p) })
			})
		}
	}
}

func BenchmarkGram(b *testing.B) {
	for _, f := range []int{50, 64, 128, 256} {
		const n = 200
		atEveryLevel(b, fmt.Sprintf("f=%d/n=%d", f, n), func(b *testing.B) {
			rows, w, g := randoms(1, n*f), randoms(2, n), make([]float32, f*f)
			for b.Loop() {
				kernel.Gram(g, rows, w, f)
			}
			perRow(b, n, n*f*(f+1)) // of the lower triangle alone
		})
	}
}

func BenchmarkRotate(b *testing.B) {
	for _, f := range []int{50, 64, 128, 256} {
		const n = 64
		atEveryLevel(b, fmt.Sprintf("f=%d", f), func(b *testing.B) {
			rows, v, scratch := make([]float32, n*f), randoms(2, f*f), make([]float32, kernel.RotateRows*f)
			for b.Loop() {
				kernel.Rotate(rows, v, f, scratch)
			}
			perRow(b, n, 2*n*f*f)
		})
	}
}

func BenchmarkSyrk(b *testing.B) {
	for _, f := range []int{64, 128} {
		for _, room := range []int{4, 32} {
			const n = 200
			atEveryLevel(b, fmt.Sprintf("f=%d/n=%d/scratch=%d", f, n, room), func(b *testing.B) {
				rows, w, g, scratch := randoms(1, n*f), randoms(2, n), make([]float64, f*f), make([]float64, room*f)
				for b.Loop() {
					kernel.Syrk(g, rows, w, f, scratch)
				}
				perRow(b, n, n*f*(f+1))
			})
		}
	}
}
