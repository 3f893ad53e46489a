package kernel_test

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"kindred/model/kernel"
)

// The twins: the definition of each kernel, in float64, one term after the other.

func dot(a, b []float32) float64 {
	s := 0.0
	for i := range a {
		s += float64(a[i]) * float64(b[i])
	}
	return s
}

// matrix draws n·f numbers of moderate size.
func matrix(t *rapid.T, name string, n int) []float32 {
	return rapid.SliceOfN(rapid.Float32Range(-4, 4), n, n).Draw(t, name)
}

// near fails when got is further from want than rounding explains; size is the
// magnitude of the terms that were added.
func near(t *rapid.T, what string, got, want, size float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-5*(1+size) {
		t.Fatalf("%s = %v, want %v", what, got, want)
	}
}

func TestDotAndAxpyAgreeWithTheirDefinitions(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			n := rapid.IntRange(0, 40).Draw(t, "n")
			a, b := matrix(t, "a", n), matrix(t, "b", n+rapid.IntRange(0, 3).Draw(t, "longer"))
			near(t, "Dot", float64(kernel.Dot(a, b)), dot(a, b[:n]), 16*float64(n))
			alpha := rapid.Float32Range(-2, 2).Draw(t, "alpha")
			y := slices.Clone(b)
			kernel.Axpy(alpha, a, y)
			for i := range y {
				want := float64(b[i])
				if i < n {
					want += float64(alpha) * float64(a[i])
				}
				near(t, "Axpy", float64(y[i]), want, 16)
			}
			a64, b64 := widen(a), widen(b)
			near(t, "Dot64", kernel.Dot64(a64, b64), dot(a, b[:n]), 0)
		})
	})
}

func TestRowKernelsAgreeWithTheirDefinitions(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			n, f := rapid.IntRange(0, 11).Draw(t, "n"), rapid.IntRange(1, 19).Draw(t, "f")
			rows, p := matrix(t, "rows", n*f), matrix(t, "p", f)
			w, b, start := matrix(t, "w", n), matrix(t, "b", n), matrix(t, "start", f)

			scores := make([]float32, n)
			kernel.Gemv(scores, rows, p)
			product, residual := slices.Clone(start), slices.Clone(start)
			kernel.NormalMul(product, rows, w, p)
			kernel.NormalResidual(residual, rows, w, b, p)

			size := 64 * 16 * float64(n*f)
			for i := range n {
				near(t, "Gemv", float64(scores[i]), dot(rows[i*f:(i+1)*f], p), 16*float64(f))
			}
			for k := range f {
				wantProduct, wantResidual := float64(start[k]), float64(start[k])
				for i := range n {
					y := float64(rows[i*f+k])
					s := dot(rows[i*f:(i+1)*f], p)
					wantProduct += float64(w[i]) * s * y
					wantResidual += (float64(b[i]) - float64(w[i])*s) * y
				}
				near(t, "NormalMul", float64(product[k]), wantProduct, size)
				near(t, "NormalResidual", float64(residual[k]), wantResidual, size)
			}
		})
	})
}

func TestSyrkAndMulRowsAgreeWithTheirDefinitions(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			n, f := rapid.IntRange(0, 11).Draw(t, "n"), rapid.IntRange(1, 19).Draw(t, "f")
			rows, w, v := matrix(t, "rows", n*f), matrix(t, "w", n), matrix(t, "v", f*f)
			if rapid.Bool().Draw(t, "unweighted") {
				w = nil
			}
			g := make([]float64, f*f)
			for i := range g {
				g[i] = 7
			}
			kernel.Syrk(g, rows, w, f, make([]float64, 4*f))
			for j := range f {
				for k := range f {
					want := 7.0
					for i := 0; i < n && k <= j; i++ {
						wi := 1.0
						if w != nil {
							wi = float64(w[i])
						}
						want += wi * float64(rows[i*f+j]) * float64(rows[i*f+k])
					}
					near(t, "Syrk", g[j*f+k], want, 0.01)
				}
			}
			turned := slices.Clone(rows)
			kernel.MulRows(turned, v, make([]float32, f))
			for i := range n {
				for k := range f {
					want := 0.0
					for j := range f {
						want += float64(rows[i*f+j]) * float64(v[j*f+k])
					}
					near(t, "MulRows", float64(turned[i*f+k]), want, 16*float64(f))
				}
			}
		})
	})
}

func TestCholeskySolvesWhatGonumSolves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "n")
		a := make([]float64, n*n)
		kernel.Syrk(a, matrix(t, "rows", 2*n*n), nil, n, make([]float64, 4*n))
		for i := range n {
			a[i*n+i] += 1
		}
		b := widen(matrix(t, "b", n))

		dense := mat.NewSymDense(n, nil)
		for i := range n {
			for j := range i + 1 {
				dense.SetSym(i, j, a[i*n+j])
			}
		}
		var factor mat.Cholesky
		var want mat.VecDense
		if !factor.Factorize(dense) || factor.SolveVecTo(&want, mat.NewVecDense(n, slices.Clone(b))) != nil {
			t.Fatal("gonum cannot solve it")
		}
		if !kernel.Cholesky(a, n) {
			t.Fatal("Cholesky refuses a positive definite matrix")
		}
		kernel.CholeskySolve(a, n, b)
		for i, got := range b {
			near(t, "x", got, want.AtVec(i), math.Abs(want.AtVec(i)))
		}
	})
}

func TestCholeskyRefusesWhatIsNotPositiveDefinite(t *testing.T) {
	for name, a := range map[string][]float64{
		"zero":       {0, 0, 0, 0},
		"indefinite": {1, 0, 2, 1},
		"not a number": {
			math.NaN(), 0,
			0, 1,
		},
		"infinite": {math.Inf(1), 0, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if kernel.Cholesky(a, 2) {
				t.Errorf("Cholesky = true, want false")
			}
		})
	}
}

func TestKernelsAllocateNothing(t *testing.T) {
	const n, f = 9, 16
	rows, p, w, out := make([]float32, n*f), make([]float32, f), make([]float32, n), make([]float32, f)
	g, wide := make([]float64, f*f), make([]float64, 4*f)
	if got := testing.AllocsPerRun(10, func() {
		kernel.Gemv(w, rows, p)
		kernel.NormalMul(out, rows, w, p)
		kernel.NormalResidual(out, rows, w, w, p)
		kernel.Syrk(g, rows, w, f, wide)
		kernel.MulRows(rows, rows[:0], out[:0])
		kernel.Cholesky(g, f)
	}); got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}

func widen(v []float32) []float64 {
	w := make([]float64, len(v))
	for i, x := range v {
		w[i] = float64(x)
	}
	return w
}

func BenchmarkCholesky(b *testing.B) {
	const f = 64
	a := make([]float64, f*f)
	for b.Loop() {
		for i := range f {
			clear(a[i*f : i*f+f])
			a[i*f+i] = 2
		}
		kernel.Cholesky(a, f)
	}
}
