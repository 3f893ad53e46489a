package content

import (
	"cmp"
	"slices"

	"kindred/model"
)

// Explanation says which past items and which terms led to scores. It implements
// model.Explanation.
type Explanation struct {
	m *Model
	h model.History
	p *profile
}

// Explain builds h's profile once for all items that are explained.
func (m *Model) Explain(h model.History) model.Explanation {
	e := &Explanation{m: m, h: h, p: m.profile(h)}
	for i, t := range e.p.top {
		e.p.dense[t] = float64(e.p.weight[i])
	}
	return e
}

// Causes returns at most k past items with the largest share in item's score. The
// shares of all past items sum to the score, because the profile is linear in them.
func (e *Explanation) Causes(item int32, k int) []model.Cause {
	shared := e.shared(item)
	causes := e.p.causes[:0]
	for i, row := range e.h.Rows {
		share := 0.0
		terms, weights := e.m.row(row)
		at := 0
		for j, t := range terms { // both rise
			for at < len(shared) && shared[at].Term < t {
				at++
			}
			if at < len(shared) && shared[at].Term == t {
				share += float64(weights[j]) * shared[at].Share
			}
		}
		if share > 0 {
			causes = append(causes, model.Cause{Row: row, Share: share * float64(e.h.Weights[i]) * e.p.scale})
		}
	}
	e.p.causes = causes
	return model.Largest(causes, k)
}

// Terms returns at most k terms that profile and item share, with the largest
// parts of the item's score: "because both say …". They are valid until the next
// call of a method.
func (e *Explanation) Terms(item int32, k int) []TermShare {
	shared := e.shared(item)
	for i := range shared {
		shared[i].Share *= e.p.dense[shared[i].Term]
	}
	return e.m.largest(shared, k)
}

// shared lists the item's terms that the profile holds, by term, with the item's
// weight as share.
func (e *Explanation) shared(item int32) []TermShare {
	terms, weights := e.m.row(item)
	shared := e.p.shared[:0]
	for i, t := range terms {
		if e.p.dense[t] > 0 {
			shared = append(shared, TermShare{Term: t, Share: float64(weights[i])})
		}
	}
	e.p.shared = shared
	return shared
}

// Release returns the memory to the model.
func (e *Explanation) Release() {
	for _, t := range e.p.top {
		e.p.dense[t] = 0
	}
	e.m.scratch.Put(e.p)
}

// TermShare is one term's part of a score.
type TermShare struct {
	Term  int32
	Text  string
	Share float64 // the shares of all terms sum to the score
}

// SharedTerms returns at most k terms that two items share, with the largest parts
// of their cosine.
func (m *Model) SharedTerms(a, b int32, k int) []TermShare {
	terms, weights := m.row(a)
	others, otherWeights := m.row(b)
	var shared []TermShare
	for i, t := range terms {
		if j, ok := slices.BinarySearch(others, t); ok {
			shared = append(shared, TermShare{Term: t, Share: float64(weights[i]) * float64(otherWeights[j])})
		}
	}
	return m.largest(shared, k)
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
