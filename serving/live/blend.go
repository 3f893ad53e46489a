package live

import (
	"fmt"
	"slices"
	"strings"

	"kindred/model"
	"kindred/model/hybrid"
)

// padded gives a scorer of n rows further rows that it knows nothing about.
// Their score is the mean of the others, which standardises to 0: neither for
// nor against.
type padded struct {
	model.Scorer
	known int // rows that the scorer has
	rows  int // rows in all
}

// Items is the number of rows in all.
func (p padded) Items() int { return p.rows }

// Score scores the known rows for the part of h that lies in them.
func (p padded) Score(h model.History, dst []float32) bool {
	said := p.Scorer.Score(within(h, p.known), dst[:p.known])
	tail := dst[p.known:]
	clear(tail)
	if !said || len(tail) == 0 {
		return said
	}
	sum := 0.0
	for _, s := range dst[:p.known] {
		sum += float64(s)
	}
	mean := float32(sum / float64(max(1, p.known)))
	for i := range tail {
		tail[i] = mean
	}
	return said
}

// Explain passes on for known items and has no causes for others.
func (p padded) Explain(h model.History) model.Explanation {
	if e, ok := p.Scorer.(model.Explainer); ok {
		return paddedExplanation{e.Explain(within(h, p.known)), p.known}
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
func (p padded) Similar(item int32, dst []float32) bool {
	clear(dst)
	s, ok := p.Scorer.(model.SimilarScorer)
	return ok && int(item) < p.known && s.Similar(item, dst[:p.known])
}

// within is the part of h whose rows are below n; h itself where that is all.
func within(h model.History, n int) model.History {
	if !slices.ContainsFunc(h.Rows, func(r int32) bool { return int(r) >= n }) {
		return h
	}
	cut := model.History{Rows: make([]int32, 0, len(h.Rows)), Weights: make([]float32, 0, len(h.Rows))}
	for i, row := range h.Rows {
		if int(row) < n {
			cut.Rows = append(cut.Rows, row)
			cut.Weights = append(cut.Weights, h.Weights[i])
		}
	}
	return cut
}

// blends are the model's blend and its restrictions to every subset of its
// components, indexed by the subset's bits in blending order.
type blends struct {
	model *hybrid.Model
	by    []*hybrid.Scorer // by[0] is nil: no component, no blend
}

// maxComponents bounds the number of subsets that are bound at load.
const maxComponents = 8

// bind joins the weights with scorers that all have the same number of rows.
func bind(m *hybrid.Model, scorers []model.Scorer) (*blends, error) {
	if len(m.Components) > maxComponents {
		return nil, fmt.Errorf("bind the blend: %d components, at most %d are served", len(m.Components), maxComponents)
	}
	b := &blends{model: m, by: make([]*hybrid.Scorer, 1<<len(m.Components))}
	for mask := 1; mask < len(b.by); mask++ {
		var names []string
		for i, name := range m.Components {
			if mask>>i&1 == 1 {
				names = append(names, name)
			}
		}
		only := m
		if len(names) < len(m.Components) {
			var err error
			if only, err = m.Only(names...); err != nil {
				return nil, err
			}
		}
		var err error
		if b.by[mask], err = only.Bind(scorers); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// UnknownComponentError names a component that the model does not have.
type UnknownComponentError struct {
	Name string
	Have []string
}

func (e *UnknownComponentError) Error() string {
	return fmt.Sprintf("unknown component %q; this model has %s", e.Name, strings.Join(e.Have, ", "))
}

// of is the blend of the named components; of all when none is named.
func (b *blends) of(names []string) (*hybrid.Scorer, error) {
	mask := 0
	for _, name := range names {
		i := slices.Index(b.model.Components, name)
		if i < 0 {
			return nil, &UnknownComponentError{Name: name, Have: b.model.Components}
		}
		mask |= 1 << i
	}
	if mask == 0 {
		mask = len(b.by) - 1
	}
	return b.by[mask], nil
}
