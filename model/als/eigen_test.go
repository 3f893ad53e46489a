package als

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// symmetric are matrices, lower triangle, on which eigenvalue routines are known to stumble.
func symmetric(n int) map[string][]float64 {
	random := rand.New(rand.NewPCG(uint64(n), 1))
	make2 := func(at func(i, j int) float64) []float64 {
		a := make([]float64, n*n)
		for i := range n {
			for j := range n {
				if a[i*n+j] = at(i, j); j > i {
					a[i*n+j] = math.NaN() // must not be read
				}
			}
		}
		return a
	}
	rows := make([]float64, 3*n*n)
	for i := range rows {
		rows[i] = random.NormFloat64()
	}
	gram := func(count int, decay float64) []float64 {
		return make2(func(i, j int) float64 {
			s := 0.0
			for r := range count {
				s += rows[r*n+i] * rows[r*n+j]
			}
			return s * math.Pow(decay, float64(i+j))
		})
	}
	return map[string][]float64{
		"zero":     make2(func(i, j int) float64 { return 0 }),
		"identity": make2(func(i, j int) float64 { return map[bool]float64{true: 1}[i == j] }),
		"diagonal": make2(func(i, j int) float64 { return map[bool]float64{true: float64(i * i)}[i == j] }),
		"ones":     make2(func(i, j int) float64 { return 1 }),
		"low rank": gram(2, 1),
		"gram":     gram(3*n, 1),
		"decaying": gram(3*n, .8),
		"tiny":     make2(func(i, j int) float64 { return 1e-200 / float64(i+j+1) }),
		"huge":     make2(func(i, j int) float64 { return 1e200 / float64(i+j+1) }),
		"signs":    make2(func(i, j int) float64 { return float64((i*j+i+j)%5 - 2) }),
		"two blocks": make2(func(i, j int) float64 {
			if (i < n/2) != (j < n/2) {
				return 0
			}
			return 1 / float64(1+i-j)
		}),
	}
}

func TestEigenIsAnOrthogonalDecomposition(t *testing.T) {
	for _, n := range []int{1, 2, 3, 5, 16, 33, 64} {
		for name, a := range symmetric(n) {
			t.Run(fmt.Sprintf("%s %d", name, n), func(t *testing.T) {
				d, v := make([]float64, n), make([]float64, n*n)
				if !eigen(slices.Clone(a), n, d, v) {
					t.Fatal("eigen = false")
				}
				size := 0.0
				full := mat.NewSymDense(n, nil)
				for i := range n {
					for j := range i + 1 {
						full.SetSym(i, j, a[i*n+j])
						size = max(size, math.Abs(a[i*n+j]))
					}
				}
				tolerance := 1e-14 * float64(4+n)
				for i := range n {
					for j := range i + 1 {
						product, rebuilt := 0.0, 0.0
						for k := range n {
							product += v[i*n+k] * v[j*n+k]
							rebuilt += v[k*n+i] * d[k] * v[k*n+j]
						}
						if i == j {
							product--
						}
						if !(math.Abs(product) <= tolerance) {
							t.Fatalf("eigenvectors %d and %d: product off by %v", i, j, product)
						}
						if off := math.Abs(rebuilt - a[i*n+j]); !(off <= tolerance*float64(n)*size) {
							t.Fatalf("entry %d %d = %v, rebuilt %v", i, j, a[i*n+j], rebuilt)
						}
					}
				}
				if name == "tiny" || name == "huge" {
					return // gonum panics on them
				}
				var twin mat.EigenSym
				if !twin.Factorize(full, false) {
					t.Fatal("gonum does not converge")
				}
				slices.Sort(d)
				for i, want := range twin.Values(nil) {
					if !(math.Abs(d[i]-want) <= tolerance*float64(n)*size) {
						t.Errorf("eigenvalue %d = %v, want %v", i, d[i], want)
					}
				}
			})
		}
	}
}

func TestEigenRefusesWhatIsNotFinite(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		a := []float64{1, 0, bad, 1}
		if eigen(a, 2, make([]float64, 2), make([]float64, 4)) {
			t.Errorf("eigen of a matrix with %v = true, want false", bad)
		}
	}
}

func BenchmarkEigen(b *testing.B) {
	for _, n := range []int{64, 128, 256} {
		a := symmetric(n)["decaying"]
		work, d, v := make([]float64, n*n), make([]float64, n), make([]float64, n*n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				copy(work, a)
				eigen(work, n, d, v)
			}
		})
	}
}
