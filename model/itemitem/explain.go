package itemitem

import (
	"cmp"
	"slices"

	"kindred/model"
)

// explanation is a history by row, to be met with neighbours, which are by row, too.
type explanation struct {
	m      *Model
	used   []past
	causes []model.Cause
}

// past is an item of the history and what it counts for.
type past struct {
	row      int32
	strength float32
}

// Explain splits scores by the past items that speak for an item: their summands
// r_j·s_ij, which add up to the score. Cost for each item is O(h + Neighbours).
func (m *Model) Explain(h model.History) model.Explanation {
	e, ok := m.explanations.Get().(*explanation)
	if !ok {
		e = &explanation{m: m}
	}
	e.used = e.used[:0]
	for i, row := range h.Rows {
		e.used = append(e.used, past{row, m.strength(h.Weights[i])})
	}
	slices.SortFunc(e.used, func(a, b past) int { return cmp.Compare(a.row, b.row) })
	return e
}

// Causes are the past items' summands in item's score.
func (e *explanation) Causes(item int32, k int) []model.Cause {
	rows, similarity := e.m.near.Row(int(item))
	e.causes = e.causes[:0]
	at := 0
	for _, p := range e.used {
		for at < len(rows) && rows[at] < p.row {
			at++
		}
		if at == len(rows) {
			break
		}
		if rows[at] == p.row {
			e.causes = append(e.causes, model.Cause{Row: p.row, Share: float64(p.strength * similarity[at])})
		}
	}
	return model.Largest(e.causes, k)
}

// Release returns the memory to the model.
func (e *explanation) Release() { e.m.explanations.Put(e) }
