package itemitem

import (
	"math"
	"slices"

	"kindred/model/sparse"
)

// strengths is the matrix v of the package comment; it is only read.
type strengths struct {
	byUser, byItem *sparse.CSR
	squares        []float64 // |v_i|² of every item
	ridge          []float64 // Λ_ii of EASE
}

// newStrengths scales the strengths and takes the norms.
func newStrengths(x *sparse.CSR, cfg Config) *strengths {
	v := &sparse.CSR{Rows: x.Rows, Cols: x.Cols, Ptr: x.Ptr, Col: x.Col, Val: slices.Clone(x.Val)}
	squares := make([]float64, x.Cols)
	for u := range v.Rows {
		cols, vals := v.Row(u)
		scale := math.Pow(float64(max(len(cols), 1)), -cfg.PersonExponent)
		for i, c := range cols {
			if cfg.Binary {
				vals[i] = 1
			}
			vals[i] = float32(float64(vals[i]) * scale)
			squares[c] += float64(vals[i]) * float64(vals[i])
		}
	}
	ridge := make([]float64, x.Cols)
	for i, s := range squares {
		ridge[i] = cfg.Regularization + cfg.Dropout/(1-cfg.Dropout)*s
	}
	return &strengths{byUser: v, byItem: v.Transpose(), squares: squares, ridge: ridge}
}
