package content

import (
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

	dense     []float64 // by term: the sum; while explaining, the weight; all zero between uses
	touched   []int32
	near      int // what was fetched
	strengths []strength
	shared    []TermShare
	causes    []model.Cause
	common    []placed // of an opinion: its common terms, and the index in top of the others
	rare      []int32
	frequent  [mostFrequent]float32 // by place: the weight; of an opinion, zero for all that it did not leave out
	opinion   opinion
}

// profile builds the profile of h in memory taken from m.scratch. Every history row
// must be below Items.
func (m *Model) profile(h model.History) *profile {
	p, _ := m.scratch.Get().(*profile)
	if p == nil {
		p = &profile{dense: make([]float64, m.terms.Len())}
	}
	p.top, p.weight, p.touched = p.top[:0], p.weight[:0], p.touched[:0]
	near := 0
	for _, row := range h.Rows { // fetched at once, since the sums wait for one another
		if terms, weights := m.row(row); len(terms) > 0 {
			near += int(terms[0]) + int(math.Float32bits(weights[0]))
		}
	}
	p.near = near
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

// strength is a term of a profile and its sum.
type strength struct {
	term int32
	sum  float64
}

// before orders by falling sum, equal ones by term: no two are equal.
func (a strength) before(b strength) bool { return a.sum > b.sum || a.sum == b.sum && a.term < b.term }

// cut fills top with the k strongest touched terms. Cost is O(touched + k·log k) in
// practice.
func (p *profile) cut(k int) {
	p.strengths = p.strengths[:0]
	for _, t := range p.touched {
		p.strengths = append(p.strengths, strength{t, p.dense[t]})
	}
	strongest(p.strengths, k)
	all := p.strengths[:min(k, len(p.strengths))]
	slices.SortFunc(all, func(a, b strength) int {
		if a.before(b) {
			return -1
		}
		return 1
	})
	for _, s := range all {
		p.top = append(p.top, s.term)
	}
}

// strongest moves the k strongest to the front, in any order (Hoare's quickselect with
// the middle one of three as pivot).
func strongest(s []strength, k int) {
	for k > 0 && k < len(s) {
		pivot := s[len(s)/2]
		if first, last := s[0], s[len(s)-1]; first.before(pivot) == last.before(first) {
			pivot = first
		} else if last.before(pivot) == first.before(last) {
			pivot = last
		}
		i, j := 0, len(s)-1
		for i <= j {
			for s[i].before(pivot) {
				i++
			}
			for pivot.before(s[j]) {
				j--
			}
			if i <= j {
				s[i], s[j] = s[j], s[i]
				i++
				j--
			}
		}
		switch { // s[:j+1] are stronger than s[i:], and what is between is the pivot
		case k <= j:
			s = s[:j+1]
		case k > i:
			s, k = s[i:], k-i
		default:
			return
		}
	}
}
