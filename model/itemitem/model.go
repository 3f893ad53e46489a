package itemitem

import (
	"sync"

	"kindred/model"
	"kindred/model/sparse"
)

// Model is the similarities of one fit. It implements model.Scorer,
// model.Explainer, model.SimilarScorer and model.Sparse. Fit and UnmarshalBinary make one.
type Model struct {
	binary bool
	report Report
	near   *sparse.CSR // row i: the past items that speak for target i
	speaks *sparse.CSR // its transpose; row j: the targets that past item j speaks for

	explanations sync.Pool // *explanation
}

var (
	_ model.Scorer        = (*Model)(nil)
	_ model.Explainer     = (*Model)(nil)
	_ model.SimilarScorer = (*Model)(nil)
	_ model.Sparse        = (*Model)(nil)
)

// newModel takes ownership of near.
func newModel(binary bool, report Report, near *sparse.CSR) *Model {
	return &Model{binary: binary, report: report, near: near, speaks: near.Transpose()}
}

// Report is how the model was made.
func (m *Model) Report() Report { return m.report }

// Name is "itemitem".
func (m *Model) Name() string { return "itemitem" }

// Items is the number of item rows.
func (m *Model) Items() int { return m.near.Rows }

// Neighbours returns the past items that speak for item, by rising row, and their
// similarities. The caller must not change them.
func (m *Model) Neighbours(item int32) (rows []int32, similarity []float32) {
	return m.near.Row(int(item))
}

// strength is what a history's weight counts for.
func (m *Model) strength(r float32) float32 {
	if m.binary {
		return 1
	}
	return r
}

// Score writes Σ r_j·s_ij for every item i into dst, added in the history's order.
// It reports false when no item of the history speaks for any other. Cost is O(n + Σ_j |targets of j|).
func (m *Model) Score(h model.History, dst []float32) bool {
	dst = dst[:m.Items()]
	clear(dst)
	known := false
	for i, row := range h.Rows {
		targets, similarity := m.speaks.Row(int(row))
		r := m.strength(h.Weights[i])
		for k, target := range targets {
			dst[target] += r * similarity[k]
		}
		known = known || len(targets) > 0
	}
	return known
}

// A history with more postings than one item in fillShare touches so many rows that it costs less to touch all.
const fillShare = 2

// ScoreSparse adds what Score writes to into. Cost is O(Σ_j |targets of j|).
func (m *Model) ScoreSparse(h model.History, into *model.SparseScores) bool {
	postings := 0
	for _, row := range h.Rows {
		targets, similarity := m.speaks.Row(int(row))
		into.Fetch(targets, similarity)
		postings += len(targets)
	}
	if postings > m.Items()/fillShare && into.Touched() == 0 {
		into.Fill(m.Items())
	}
	known := false
	for i, row := range h.Rows {
		targets, similarity := m.speaks.Row(int(row))
		into.AddScaled(targets, m.strength(h.Weights[i]), similarity)
		known = known || len(targets) > 0
	}
	return known
}

// Similar writes the similarity of item's neighbours into dst and zero elsewhere;
// it reports false for an item without neighbours.
func (m *Model) Similar(item int32, dst []float32) bool {
	dst = dst[:m.Items()]
	clear(dst)
	rows, similarity := m.near.Row(int(item))
	for i, row := range rows {
		dst[row] = similarity[i]
	}
	return len(rows) > 0
}
