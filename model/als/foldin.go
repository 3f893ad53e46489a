package als

import (
	"fmt"
	"math"

	"kindred/model"
	"kindred/model/kernel"
)

// FoldIn solves for the factors of one person with the item factors H held fixed,
//
//	w = (a0·HᵀH + λ_u I + Σ c_i h_i h_iᵀ)⁻¹ Σ c_i h_i,   c = s·r,
//
// (Hu, Koren & Volinsky, eq. 4; for objective hkv the sum on the left has c−1), so a
// person met a second ago is scored like a trained one.
//
// rows are item rows in [0, Items), each at most once, and r their strengths, r > 0;
// both have length h. The result has length Factors and is zero for h = 0. Cost is O(hf² + f³).
// The error is a shape error naming both lengths, a weight that is not positive and
// finite, or wraps ErrSingular.
func (m *Model) FoldIn(rows []int32, r []float32) ([]float32, error) {
	w := make([]float32, m.f)
	if err := m.FoldInInto(w, rows, r); err != nil {
		return nil, err
	}
	return w, nil
}

// FoldInInto is FoldIn into dst, of length Factors; it allocates nothing in the steady
// state. After an error dst is zero.
func (m *Model) FoldInInto(dst []float32, rows []int32, r []float32) error {
	dst = dst[:m.f]
	clear(dst)
	if len(rows) == 0 && len(r) == 0 {
		return nil
	}
	eq := m.scratch.Get().(*equations)
	defer m.scratch.Put(eq)
	if err := eq.set(m, rows, r); err != nil {
		return err
	}
	solution := eq.right
	kernel.CholeskySolve(eq.factor, m.f, solution)
	for k, v := range solution {
		dst[k] = float32(v)
		if math.IsNaN(v) || math.Abs(v) > math.MaxFloat32 {
			clear(dst)
			return fmt.Errorf("als fold-in of %d items: %w", len(rows), ErrSingular)
		}
	}
	return nil
}

// equations are the normal equations of one person, left side factored, in memory
// that serves one person after the other.
type equations struct {
	factor []float64 // Cholesky factor, f × f, lower
	right  []float64 // Σ b_i h_i

	packed  []float32 // factors of gatherRows past items, gathered
	weights []float32
	wide    []float64 // 4·f
	query   []float32 // f
	causes  []model.Cause
}

// gatherRows is how many past items are gathered at a time, a multiple of the four
// that Syrk adds at once, so that the sum does not depend on it.
const gatherRows = 128

// newEquations makes the memory for f factors.
func newEquations(f int) *equations {
	return &equations{
		factor: make([]float64, f*f), right: make([]float64, f), wide: make([]float64, 4*f),
		query: make([]float32, f), packed: make([]float32, 0, gatherRows*f), weights: make([]float32, 0, gatherRows),
	}
}

// set builds and factors them for a history, which it checks.
func (eq *equations) set(m *Model, rows []int32, r []float32) error {
	if len(rows) != len(r) {
		return fmt.Errorf("als fold-in: %d rows and %d weights: need as many of one as of the other", len(rows), len(r))
	}
	f := m.f
	copy(eq.factor, m.gram)
	clear(eq.right)
	eq.packed, eq.weights = eq.packed[:0], eq.weights[:0]
	for i, row := range rows {
		if row < 0 || int(row) >= m.n {
			return fmt.Errorf("als fold-in: row %d is outside the %d items", row, m.n)
		}
		if !(r[i] > 0) || r[i] > math.MaxFloat32 {
			return fmt.Errorf("als fold-in: weight of row %d is %v: must be positive and finite", row, r[i])
		}
		w, b := m.loss.terms(r[i])
		h := m.ItemFactors(row)
		eq.weights, eq.packed = append(eq.weights, float32(w)), append(eq.packed, h...)
		for k, v := range h {
			eq.right[k] += b * float64(v)
		}
		if len(eq.weights) == gatherRows || i == len(rows)-1 {
			kernel.Syrk(eq.factor, eq.packed, eq.weights, f, eq.wide)
			eq.packed, eq.weights = eq.packed[:0], eq.weights[:0]
		}
	}
	ridge := m.loss.ridge(len(rows), m.n)
	for k := range f {
		eq.factor[k*f+k] += ridge
	}
	if !kernel.Cholesky(eq.factor, f) {
		return fmt.Errorf("als fold-in of %d items: %w", len(rows), ErrSingular)
	}
	return nil
}
