package als

import (
	"fmt"
	"math"
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
	eq := m.scratch.Get().(*equations)
	defer m.scratch.Put(eq)
	return eq.foldIn(dst[:m.f], rows, r)
}

// foldIn is FoldInInto in this memory.
func (eq *equations) foldIn(dst []float32, rows []int32, r []float32) error {
	clear(dst)
	if len(rows) == 0 && len(r) == 0 {
		return nil
	}
	if err := eq.set(rows, r); err != nil {
		return err
	}
	for k, v := range eq.x {
		if math.IsNaN(v) || math.Abs(v) > math.MaxFloat32 {
			clear(dst)
			return fmt.Errorf("als fold-in of %d items: %w", len(rows), ErrSingular)
		}
		dst[k] = float32(v)
	}
	return nil
}
