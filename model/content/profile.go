package content

import (
	"cmp"
	"math"
	"slices"

	"kindred/model"
)

// profile is a person's content profile: the strongest terms of the weighted mean
// of what they used, scaled to length 1, strongest first and equal ones by term.
type profile struct {
	top    []int32
	weight []float32
	scale  float64 // weight = scale · sum over the history of (its weight · the item's weight)

	dense   []float64 // by term: the sum; while explaining, the weight; all zero between uses
	touched []int32
	floor   float64 // a term below it is not among the strongest
	shared  []TermShare
	causes  []model.Cause
}

// profile builds the profile of h in memory taken from m.scratch. Every history row
// must be below Items.
func (m *Model) profile(h model.History) *profile {
	p, _ := m.scratch.Get().(*profile)
	if p == nil {
		p = &profile{dense: make([]float64, m.terms.Len())}
	}
	p.top, p.weight, p.touched, p.floor = p.top[:0], p.weight[:0], p.touched[:0], 0
	for i, row := range h.Rows {
		terms, weights := m.row(row)
		for j, t := range terms {
			if p.dense[t] == 0 {
				p.touched = append(p.touched, t)
			}
			p.dense[t] += float64(h.Weights[i]) * float64(weights[j])
		}
	}
	// A term is there once: weights of history and items are positive, so its sum stays above 0.
	p.cut(m.cfg.ProfileTerms)
	square := 0.0
	for _, t := range p.top {
		square += p.dense[t] * p.dense[t]
	}
	p.scale = 1 / math.Sqrt(square)
	for _, t := range p.top {
		p.weight = append(p.weight, float32(p.dense[t]*p.scale))
	}
	for _, t := range p.touched {
		p.dense[t] = 0
	}
	return p
}

// cut fills top with the k strongest touched terms. Cost is O(touched + k·log k) in
// practice: twice k are kept at a time, and sorting them drops the weaker half.
func (p *profile) cut(k int) {
	order := func(a, b int32) int { return cmp.Or(cmp.Compare(p.dense[b], p.dense[a]), cmp.Compare(a, b)) }
	for _, t := range p.touched {
		if len(p.top) == 2*k {
			slices.SortFunc(p.top, order)
			p.top = p.top[:k]
			p.floor = p.dense[p.top[k-1]]
		}
		if len(p.top) < k || p.dense[t] >= p.floor {
			p.top = append(p.top, t)
		}
	}
	slices.SortFunc(p.top, order)
	p.top = p.top[:min(k, len(p.top))]
}
