package modeltest

import (
	"kindred/model"
	"kindred/model/sparse"
)

// Checkerboard is n people × n items: person u used every item i of the same
// parity with strength 1, except item u itself. Item u is the right answer for person u.
func Checkerboard(n int) *sparse.CSR {
	var t []sparse.Triple
	for u := range n {
		for i := u % 2; i < n; i += 2 {
			if i != u {
				t = append(t, sparse.Triple{Row: int32(u), Col: int32(i), Val: 1})
			}
		}
	}
	return sparse.FromTriples(n, n, t)
}

// HistoryOf is a row of the matrix as a history, newest last.
func HistoryOf(x *sparse.CSR, row int) model.History {
	cols, vals := x.Row(row)
	h := model.History{}
	h.Rows = append(h.Rows, cols...)
	h.Weights = append(h.Weights, vals...)
	return h
}
