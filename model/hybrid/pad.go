package hybrid

import (
	"slices"

	"kindred/model"
)

// Padded gives a scorer of n rows further rows that it knows nothing about. Their
// score is the mean of the others, which standardises to 0: neither for nor
// against. It implements model.Scorer, model.Explainer and model.SimilarScorer;
// a blend sees through it to the capabilities of the scorer within.
type Padded struct {
	inner model.Scorer
	rows  int
}

var (
	_ model.Scorer        = Padded{}
	_ model.Explainer     = Padded{}
	_ model.SimilarScorer = Padded{}
)

// Pad gives s rows up to the number given, which must be s.Items or more.
func Pad(s model.Scorer, rows int) Padded {
	if rows < s.Items() {
		panic("hybrid: Pad to fewer rows than the scorer has")
	}
	return Padded{s, rows}
}

// Name is the scorer's.
func (p Padded) Name() string { return p.inner.Name() }

// Items is the number of rows in all.
func (p Padded) Items() int { return p.rows }

// Score scores the known rows for the part of h that lies in them.
func (p Padded) Score(h model.History, dst []float32) bool {
	known := p.inner.Items()
	said := p.inner.Score(within(h, known, nil), dst[:known])
	tail := dst[known:]
	clear(tail)
	if !said || len(tail) == 0 {
		return said
	}
	sum := 0.0
	for _, s := range dst[:known] {
		sum += float64(s)
	}
	mean := float32(sum / float64(max(1, known)))
	for i := range tail {
		tail[i] = mean
	}
	return said
}

// Explain passes on for known items and has no causes for others.
func (p Padded) Explain(h model.History) model.Explanation {
	if e, ok := p.inner.(model.Explainer); ok {
		known := p.inner.Items()
		return paddedExplanation{e.Explain(within(h, known, nil)), known}
	}
	return nothing{}
}

// paddedExplanation explains the known items.
type paddedExplanation struct {
	model.Explanation
	known int
}

func (p paddedExplanation) Causes(item int32, k int) []model.Cause {
	if int(item) >= p.known {
		return nil
	}
	return p.Explanation.Causes(item, k)
}

// nothing explains nothing.
type nothing struct{}

func (nothing) Causes(int32, int) []model.Cause { return nil }
func (nothing) Release()                        {}

// Similar passes on for known items; nothing is similar to others.
func (p Padded) Similar(item int32, dst []float32) bool {
	clear(dst)
	known := p.inner.Items()
	s, ok := p.inner.(model.SimilarScorer)
	return ok && int(item) < known && s.Similar(item, dst[:known])
}

// within is the part of h whose rows are below n; h itself where that is all.
// buffer, where not nil, is memory for the part.
func within(h model.History, n int, buffer *model.History) model.History {
	if !slices.ContainsFunc(h.Rows, func(r int32) bool { return int(r) >= n }) {
		return h
	}
	if buffer == nil {
		buffer = &model.History{Rows: make([]int32, 0, len(h.Rows)), Weights: make([]float32, 0, len(h.Rows))}
	}
	cut := model.History{Rows: buffer.Rows[:0], Weights: buffer.Weights[:0]}
	for i, row := range h.Rows {
		if int(row) < n {
			cut.Rows = append(cut.Rows, row)
			cut.Weights = append(cut.Weights, h.Weights[i])
		}
	}
	*buffer = cut
	return cut
}
