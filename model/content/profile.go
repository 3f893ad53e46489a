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

	dense   []float64 // by term: the sum; all zero between uses
	touched []int32
	floor   float64 // a term below it is not among the strongest
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
		terms, weights := m.items.Row(int(row))
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

// Explain returns at most k past items with the largest share in item's score. The
// shares of all past items sum to the score, because the profile is linear in them.
func (m *Model) Explain(h model.History, item int32, k int) []model.Cause {
	p := m.profile(h)
	defer m.scratch.Put(p)
	target := m.within(p, item)
	var causes []model.Cause
	for i, row := range h.Rows {
		share := 0.0
		terms, weights := m.items.Row(int(row))
		for j, t := range terms {
			if at, ok := slices.BinarySearchFunc(target, t, termOrder); ok {
				share += float64(weights[j]) * target[at].Share
			}
		}
		if share > 0 {
			causes = append(causes, model.Cause{Row: row, Share: share * float64(h.Weights[i]) * p.scale})
		}
	}
	slices.SortStableFunc(causes, func(a, b model.Cause) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Row, b.Row))
	})
	return causes[:max(0, min(k, len(causes)))]
}

// TermShare is one term's part of a score.
type TermShare struct {
	Term  int32
	Text  string
	Share float64 // the shares of all terms sum to the score
}

// ExplainTerms returns at most k terms that profile and item share, with the
// largest parts of the item's score: "because both say …".
func (m *Model) ExplainTerms(h model.History, item int32, k int) []TermShare {
	p := m.profile(h)
	defer m.scratch.Put(p)
	weight := make(map[int32]float64, len(p.top))
	for i, t := range p.top {
		weight[t] = float64(p.weight[i])
	}
	shared := m.within(p, item)
	for i := range shared {
		shared[i].Share *= weight[shared[i].Term]
	}
	return m.largest(shared, k)
}

// SharedTerms returns at most k terms that two items share, with the largest parts
// of their cosine.
func (m *Model) SharedTerms(a, b int32, k int) []TermShare {
	terms, weights := m.items.Row(int(a))
	others, otherWeights := m.items.Row(int(b))
	var shared []TermShare
	for i, t := range terms {
		if j, ok := slices.BinarySearch(others, t); ok {
			shared = append(shared, TermShare{Term: t, Share: float64(weights[i]) * float64(otherWeights[j])})
		}
	}
	return m.largest(shared, k)
}

// within lists the item's terms that the profile holds, by term, with the item's
// weight as share.
func (m *Model) within(p *profile, item int32) []TermShare {
	top := slices.Clone(p.top)
	slices.Sort(top)
	terms, weights := m.items.Row(int(item))
	var found []TermShare
	for i, t := range terms {
		if _, ok := slices.BinarySearch(top, t); ok {
			found = append(found, TermShare{Term: t, Share: float64(weights[i])})
		}
	}
	return found
}

// largest sorts by falling share, equal ones by term, cuts to k and names the terms.
func (m *Model) largest(shares []TermShare, k int) []TermShare {
	slices.SortStableFunc(shares, func(a, b TermShare) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Term, b.Term))
	})
	shares = shares[:max(0, min(k, len(shares)))]
	for i := range shares {
		shares[i].Text = m.terms.Key(shares[i].Term)
	}
	return shares
}

// termOrder finds a term in a list sorted by term.
func termOrder(s TermShare, t int32) int { return cmp.Compare(s.Term, t) }
