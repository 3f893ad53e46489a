package kernel_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"kindred/model/kernel"
)

// positive is a positive definite n × n matrix of moderate condition, with rubbish above the diagonal.
func positive(seed uint64, n int) guarded {
	a := newGuarded(seed, n*n)
	rows := randoms(seed+1, 2*n*n)
	wide := make([]float64, n*n)
	kernel.Syrk(wide, rows, nil, n, make([]float64, 4*n))
	for i := range n {
		for j := range n {
			a.v[i*n+j] = float32(math.NaN())
			if j <= i {
				a.v[i*n+j] = float32(wide[i*n+j])
			}
		}
		a.v[i*n+i] += float32(n)/4 + .5
	}
	return a
}

func TestCholeskyF32OfEveryOrderAtEveryLevel(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		for _, n := range append(lengths()[:150], 530) {
			if n == 530 && testing.Short() {
				continue
			}
			a, b := positive(uint64(n), n), newGuarded(uint64(n+1), n)
			wide, want := make([]float64, n*n), widen(b.v)
			for i := range n {
				for j := range i + 1 {
					wide[i*n+j] = float64(a.v[i*n+j])
				}
			}
			if !kernel.Cholesky(wide, n) || !kernel.CholeskyF32(a.v, n) {
				t.Fatalf("order %d: refused", n)
			}
			kernel.CholeskySolve(wide, n, want)
			kernel.CholeskySolveF32(a.v, n, b.v)
			for i := range n {
				for j := range i + 1 {
					within(t, "L", a.v[i*n+j], wide[i*n+j], 4*math.Sqrt(float64(n)))
					if a.v[i*n+j] != a.v[j*n+i] {
						t.Fatalf("order %d: (%d, %d) is not mirrored", n, i, j)
					}
				}
				within(t, "x", b.v[i], want[i], 8)
			}
			a.intact(t, "CholeskyF32")
			b.intact(t, "CholeskySolveF32")
		}
	})
}

func TestCholeskyF32RefusesWhatIsNotPositiveDefinite(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		for _, bad := range []float32{0, -1, float32(math.NaN()), float32(math.Inf(1))} {
			for _, n := range []int{1, 2, 9, 40} {
				for i := range n {
					a := slices.Clone(positive(1, n).v)
					a[i*n+i] = bad
					if kernel.CholeskyF32(a, n) {
						t.Fatalf("order %d with %v in place %d of the diagonal: not refused", n, bad, i)
					}
				}
			}
		}
	})
}

func BenchmarkCholeskyF32(b *testing.B) {
	for _, n := range []int{50, 64, 128, 256} {
		atEveryLevel(b, fmt.Sprintf("factor/n=%d", n), func(b *testing.B) {
			a, work := positive(1, n).v, make([]float32, n*n)
			for b.Loop() {
				copy(work, a)
				kernel.CholeskyF32(work, n)
			}
			perRow(b, n, n*n*n/3)
		})
		atEveryLevel(b, fmt.Sprintf("solve/n=%d", n), func(b *testing.B) {
			a, x := positive(1, n).v, randoms(2, n)
			kernel.CholeskyF32(a, n)
			for b.Loop() {
				kernel.CholeskySolveF32(a, n, x)
			}
			perRow(b, n, 2*n*n)
		})
	}
}
