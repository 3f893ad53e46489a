package kernel

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// normalMatrix is a random XᵀX + λI of order n in float32 and, of the same numbers, in float64.
func normalMatrix(n int, lambda float64, seed uint64) (*Symmetric, *mat.SymDense) {
	r := rand.New(rand.NewPCG(seed, 3))
	x := mat.NewDense(n/2+2, n, nil)
	x.Apply(func(_, _ int, _ float64) float64 { return r.NormFloat64() }, x)
	full := mat.NewSymDense(n, nil)
	full.SymOuterK(1, x.T())
	m := NewSymmetric(n)
	row := make([]float32, n)
	for i := range n {
		for j := range i + 1 {
			row[j] = float32(full.At(i, j))
			if i == j {
				row[j] += float32(lambda)
			}
			full.SetSym(i, j, float64(row[j]))
		}
		m.SetRow(i, row)
	}
	return m, full
}

// orders are below, at and above the orders of tiles, pivots and blocks.
var orders = []int{1, 2, 23, 24, 25, 95, 96, 97, 383, 384, 385, 500, 769}

func TestTheInverseIsThatOfFloat64(t *testing.T) {
	AtEveryLevel(t, func(t *testing.T) {
		for _, n := range orders {
			if level == Generic && n != 1 && n != 97 && n != 385 { // plain Go takes seconds for the others
				continue
			}
			m, full := normalMatrix(n, float64(n)/10+1, uint64(n))
			if err := m.Invert(t.Context(), 2, nil); err != nil {
				t.Fatalf("order %d: %v", n, err)
			}
			var factor mat.Cholesky
			var want mat.SymDense
			if !factor.Factorize(full) {
				t.Fatalf("order %d: the twin cannot factor", n)
			}
			if err := factor.InverseTo(&want); err != nil {
				t.Fatal(err)
			}
			worst, size := 0.0, 0.0
			for i := range n {
				for j := range n {
					worst = max(worst, math.Abs(float64(m.At(i, j))-want.At(i, j)))
					size = max(size, math.Abs(want.At(i, j)))
				}
			}
			// float32 keeps about κ·2⁻²⁴ of the largest entry.
			if bound := factor.Cond() * 6e-8; !(worst <= bound*size) {
				t.Errorf("order %d: %.2g off at %.2g, want within %.2g of it", n, worst, size, bound)
			}
		}
	})
}

func TestAnIllConditionedMatrixLosesNoMoreThanItsConditionSays(t *testing.T) {
	const n = 800
	r := rand.New(rand.NewPCG(8, 9))
	x := mat.NewDense(n/2, n, nil) // popular columns make one eigenvalue large
	x.Apply(func(_, j int, _ float64) float64 {
		if r.Float64() < 1/(1+float64(j)/50) {
			return 1
		}
		return 0
	}, x)
	full := mat.NewSymDense(n, nil)
	full.SymOuterK(1, x.T())
	for _, lambda := range []float64{100, 1, .01} {
		m := NewSymmetric(n)
		row := make([]float32, n)
		a := mat.NewSymDense(n, nil)
		for i := range n {
			for j := range i + 1 {
				row[j] = float32(full.At(i, j))
				if i == j {
					row[j] += float32(lambda)
				}
				a.SetSym(i, j, float64(row[j]))
			}
			m.SetRow(i, row)
		}
		if err := m.Invert(t.Context(), 2, nil); err != nil {
			t.Fatal(err)
		}
		var factor mat.Cholesky
		var want mat.SymDense
		factor.Factorize(a)
		if err := factor.InverseTo(&want); err != nil {
			t.Fatal(err)
		}
		var values mat.EigenSym
		values.Factorize(a, false)
		of := values.Values(nil)
		condition := of[n-1] / of[0]
		worst := 0.0
		for i := range n {
			for j := range n {
				worst = max(worst, math.Abs(float64(m.At(i, j))-want.At(i, j))*of[0])
			}
		}
		if bound := condition * 6e-8; !(worst <= bound) {
			t.Errorf("λ %v, condition %.2g: %.2g off, want within %.2g", lambda, condition, worst, bound)
		}
	}
}

func TestAnInverseIsTheSameBytesForAnyWorkerCount(t *testing.T) {
	var want []float32
	for _, workers := range []int{1, 2, 7, 0} {
		m, _ := normalMatrix(800, 50, 1)
		if err := m.Invert(t.Context(), workers, nil); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = m.data
		}
		if !slices.Equal(m.data, want) {
			t.Errorf("%d workers give other bytes than 1", workers)
		}
	}
}

func TestWhatIsNotPositiveDefiniteIsRefused(t *testing.T) {
	for _, row := range []int{0, 100, 399, 699} {
		m, _ := normalMatrix(700, 10, 1)
		rows := make([]float32, 700)
		m.Rows(row, 1, rows)
		rows[row] = -1
		m.SetRow(row, rows)
		var refused *NotPositiveError
		if err := m.Invert(t.Context(), 2, nil); !errors.As(err, &refused) || refused.Row > row || refused.Row+pivotOrder <= row {
			t.Errorf("-1 at row %d: %v", row, err)
		}
	}
	m := NewSymmetric(2)
	m.SetRow(0, []float32{float32(math.NaN())})
	if err := m.Invert(t.Context(), 1, nil); err == nil {
		t.Error("NaN is positive")
	}
}

func TestInvertReportsStepsAndStops(t *testing.T) {
	m, _ := normalMatrix(800, 10, 1)
	var got []int
	if err := m.Invert(t.Context(), 2, func(done, total int) { got = append(got, done, total) }); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, []int{1, 3, 2, 3, 3, 3}) {
		t.Errorf("progress %v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	steps := 0
	err := m.Invert(ctx, 2, func(int, int) { steps++; cancel() })
	if !errors.Is(err, context.Canceled) || steps != 1 {
		t.Errorf("Invert = %v after %d steps, want context.Canceled after 1", err, steps)
	}
	if err := NewSymmetric(0).Invert(t.Context(), 2, nil); err != nil {
		t.Errorf("the inverse of nothing: %v", err)
	}
}

func TestASymmetricMatrixGivesBackWhatWasSet(t *testing.T) {
	m := NewSymmetric(0)
	for _, n := range []int{900, 3, 384, 1000} { // again in the same memory
		if m.Reset(n); m.N() != n {
			t.Fatalf("order %d, want %d", m.N(), n)
		}
		value := func(i, j int) float32 { return float32(max(i, j)*1000 + min(i, j)) }
		row := make([]float32, n)
		for i := range n {
			for j := range row {
				row[j] = value(i, j)
			}
			if i != 2 { // a row that was never set is zero
				m.SetRow(i, row)
			}
		}
		for _, at := range [][2]int{{0, n}, {n / 2, 1}, {n / 3, 2}, {min(380, n-1), min(10, n-min(380, n-1))}} {
			first, count := at[0], at[1]
			rows := make([]float32, count*n)
			m.Rows(first, count, rows)
			for k, v := range rows {
				i, j := first+k/n, k%n
				want := value(i, j)
				if i == 2 && j <= 2 || j == 2 && i <= 2 {
					want = 0
				}
				if v != want || m.At(i, j) != want {
					t.Fatalf("order %d: (%d, %d) is %v and %v, want %v", n, i, j, v, m.At(i, j), want)
				}
			}
		}
	}
	if got := SymmetricBytes(41_000); got > 3_500_000_000 {
		t.Errorf("41,000 rows take %d bytes", got)
	}
}

func FuzzInvert(f *testing.F) {
	f.Add(uint16(30), uint64(1))
	f.Fuzz(func(t *testing.T, order uint16, seed uint64) {
		n := int(order%150) + 1
		m, full := normalMatrix(n, 5, seed)
		if err := m.Invert(t.Context(), 2, nil); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			for j := range n {
				sum := 0.0
				for k := range n {
					sum += full.At(i, k) * float64(m.At(k, j))
				}
				if i == j {
					sum--
				}
				if !(math.Abs(sum) < 1e-4) {
					t.Fatalf("order %d: A·P at (%d, %d) is %v off", n, i, j, sum)
				}
			}
		}
	})
}

func BenchmarkInvert(b *testing.B) {
	const n = 2000
	m := NewSymmetric(n)
	row := make([]float32, n)
	for b.Loop() {
		m.Reset(n)
		for i := range n {
			row[i] = n
			m.SetRow(i, row)
			row[i] = 1
		}
		if err := m.Invert(b.Context(), 1, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*n*n*n/b.Elapsed().Seconds()/1e9, "GF/s")
}
