package als

import (
	"slices"

	"kindred/model"
	"kindred/model/kernel"
)

// explanation is a history and its normal equations.
type explanation struct {
	m  *Model
	h  model.History // empty if it cannot be folded in
	eq *equations
}

// Explain splits scores by the past items that led to them: with
// W = (a0·HᵀH + λ_u I + Σ w_j h_j h_jᵀ)⁻¹ the score of item i is Σ_j b_j · h_iᵀ W h_j (Hu, Koren & Volinsky,
// section 4), and the j-th summand is the share of past item j. Shares add up to the score; some may be negative.
// A history that cannot be folded in has no causes. Cost is that of FoldIn, and O(hf + f²) for each item.
func (m *Model) Explain(h model.History) model.Explanation {
	e := &explanation{m: m, h: h, eq: m.scratch.Get().(*equations)}
	if len(h.Rows) == 0 || e.eq.set(h.Rows, h.Weights) != nil {
		e.h = model.History{}
	}
	return e
}

// Causes are the past items' shares in item's score.
func (e *explanation) Causes(item int32, k int) []model.Cause {
	if len(e.h.Rows) == 0 {
		return nil
	}
	eq := e.eq
	z := eq.query
	copy(z, e.m.ItemFactors(item))
	eq.invert(z)
	eq.causes = eq.causes[:0]
	eq.shares = slices.Grow(eq.shares[:0], len(e.h.Rows))[:len(e.h.Rows)]
	kernel.DotRows(eq.shares, e.m.items, e.h.Rows, z)
	for j, row := range e.h.Rows {
		eq.causes = keep(eq.causes, k, model.Cause{Row: row, Share: float64(eq.b[j]) * float64(eq.shares[j])})
	}
	return e.eq.causes
}

// keep inserts a cause into the k largest so far, which are in the order of model.Largest. A
// list asks for three of a hundred: nearly all are turned away by one comparison,
// where sorting them all would take longer than computing them.
func keep(largest []model.Cause, k int, c model.Cause) []model.Cause {
	if len(largest) >= k {
		if k <= 0 || !before(c, largest[k-1]) {
			return largest
		}
		largest = largest[:k-1]
	}
	i := len(largest)
	largest = append(largest, c)
	for ; i > 0 && before(c, largest[i-1]); i-- {
		largest[i] = largest[i-1]
	}
	largest[i] = c
	return largest
}

// before is the order of model.Largest.
func before(a, b model.Cause) bool {
	return a.Share > b.Share || a.Share == b.Share && a.Row < b.Row
}

// Release returns the memory to the model.
func (e *explanation) Release() { e.m.scratch.Put(e.eq) }
