package als

import (
	"fmt"
	"math"
	"slices"

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
	if len(rows) == 0 && len(r) == 0 {
		return w, nil
	}
	eq, err := m.equations(rows, r)
	if err != nil {
		return nil, err
	}
	solution := eq.right
	kernel.CholeskySolve(eq.factor, m.f, solution)
	for k, v := range solution {
		w[k] = float32(v)
		if math.IsNaN(v) || math.Abs(v) > math.MaxFloat32 {
			return nil, fmt.Errorf("als fold-in of %d items: %w", len(rows), ErrSingular)
		}
	}
	return w, nil
}

// Explain splits the score of item by the past items that led to it: with
// W = (a0·HᵀH + λ_u I + Σ w_j h_j h_jᵀ)⁻¹ the score is Σ_j b_j · h_iᵀ W h_j (Hu, Koren & Volinsky,
// section 4), and the j-th summand is the share of past item j. Shares add up to the score; some may be negative.
// At most k causes, largest share first, ties by lower row; nil when the history cannot be folded in.
func (m *Model) Explain(h model.History, item int32, k int) []model.Cause {
	eq, err := m.equations(h.Rows, h.Weights)
	if err != nil || len(h.Rows) == 0 || k <= 0 {
		return nil
	}
	z := make([]float64, m.f)
	for i, v := range m.ItemFactors(item) {
		z[i] = float64(v)
	}
	kernel.CholeskySolve(eq.factor, m.f, z)
	causes := make([]model.Cause, len(h.Rows))
	for j, row := range h.Rows {
		share := 0.0
		for i, v := range m.ItemFactors(row) {
			share += float64(v) * z[i]
		}
		_, b := m.loss.terms(h.Weights[j])
		causes[j] = model.Cause{Row: row, Share: b * share}
	}
	slices.SortFunc(causes, func(a, b model.Cause) int {
		if a.Share != b.Share {
			if a.Share > b.Share {
				return -1
			}
			return 1
		}
		return int(a.Row - b.Row)
	})
	return causes[:min(k, len(causes))]
}

// equations are the normal equations of one person, left side factored.
type equations struct {
	factor []float64 // Cholesky factor, f × f, lower
	right  []float64 // Σ b_i h_i
}

// equations builds and factors them for a history, which it checks.
func (m *Model) equations(rows []int32, r []float32) (equations, error) {
	if len(rows) != len(r) {
		return equations{}, fmt.Errorf("als fold-in: %d rows and %d weights: need as many of one as of the other", len(rows), len(r))
	}
	f := m.f
	eq := equations{factor: slices.Clone(m.gram), right: make([]float64, f)}
	packed := make([]float32, 0, len(rows)*f)
	weights := make([]float32, len(rows))
	for i, row := range rows {
		if row < 0 || int(row) >= m.n {
			return equations{}, fmt.Errorf("als fold-in: row %d is outside the %d items", row, m.n)
		}
		if !(r[i] > 0) || r[i] > math.MaxFloat32 {
			return equations{}, fmt.Errorf("als fold-in: weight of row %d is %v: must be positive and finite", row, r[i])
		}
		w, b := m.loss.terms(r[i])
		weights[i] = float32(w)
		h := m.ItemFactors(row)
		packed = append(packed, h...)
		for k, v := range h {
			eq.right[k] += b * float64(v)
		}
	}
	kernel.Syrk(eq.factor, packed, weights, f, make([]float64, 4*f))
	ridge := m.loss.ridge(len(rows), m.n)
	for k := range f {
		eq.factor[k*f+k] += ridge
	}
	if !kernel.Cholesky(eq.factor, f) {
		return equations{}, fmt.Errorf("als fold-in of %d items: %w", len(rows), ErrSingular)
	}
	return eq, nil
}
