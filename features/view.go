package features

import (
	"math"
	"slices"

	"kindred/data"
	"kindred/features/window"
)

// Preference is how much a person wants an item: Weight is r > 0.
type Preference struct {
	Item   data.ItemID
	Weight float64
}

// Preferences are the items that speak for the person's taste, most recently used
// first. r is the summed weight of everything they did to the item; items at or
// below zero and hidden ones are left out.
//
// w are the weights that the model was trained with. Where the history tells the
// sum apart (one kind of act; one rating) r is computed with w; where it does not,
// r is the sum as it was folded.
func Preferences(p data.Profile, w Weights) []Preference {
	out := make([]Preference, 0, len(p.History))
	for _, h := range p.History {
		r := h.Weight
		if k, ok := onlyKind(h); ok && k != data.Rating {
			r = float64(h.Count) * w.of(k, 0)
		} else if ok && h.Count == 1 {
			r = w.of(data.Rating, h.Value)
		}
		if r = window.Bounded(r); r > 0 && !h.Has(data.Hide) {
			out = append(out, Preference{Item: h.Item, Weight: r})
		}
	}
	return out
}

// onlyKind is the kind of every interaction with h, if they are all of one kind.
func onlyKind(h data.HistoryItem) (data.Kind, bool) {
	for k := data.View; k <= data.Hide; k++ {
		if h.Kinds == 1<<k {
			return k, true
		}
	}
	return data.KindNone, false
}

// Seen are the items the person has used in any way, hidden ones included, most
// recently used first.
func Seen(p data.Profile) []data.ItemID {
	out := make([]data.ItemID, len(p.History))
	for i, h := range p.History {
		out[i] = h.Item
	}
	return out
}

// Hidden are the items the person asked not to see again, newest first.
func Hidden(p data.Profile) []data.ItemID {
	var out []data.ItemID
	for _, h := range p.History {
		if h.Has(data.Hide) {
			out = append(out, h.Item)
		}
	}
	return out
}

// EngagementScore is 100·(1 − e^(−S/τ)) at now (Unix ms), where S is the decayed
// weight of what the person did (half-life EngagementHalfLife) and τ is
// EngagementScale. It lies in [0, 100).
func EngagementScore(p data.Profile, now int64) float64 { return engagementScore(p.Engagement, now) }

func engagementScore(d data.Decayed, now int64) float64 {
	s := window.At(d, now, EngagementHalfLife)
	return 100 * -math.Expm1(-s/EngagementScale)
}

// AffinityShare is a person's interest in one value of a facet: Share in (0, 1).
type AffinityShare struct {
	Value string
	Share float64
}

// TopAffinities are the k strongest values of the facet at now (Unix ms), strongest
// first, ties by value, with their shares
//
//	a_c = S_c / (ΣS + κ)
//
// over the positive sums; κ (AffinityPrior) keeps one click from being 100 % interest.
func TopAffinities(p data.Profile, facet string, now int64, k int) []AffinityShare {
	var out []AffinityShare
	total := AffinityPrior
	for _, a := range p.Affinities {
		if a.Facet != facet {
			continue
		}
		if s := window.At(a.Decayed, now, AffinityHalfLife); s > 0 {
			out = append(out, AffinityShare{Value: a.Value, Share: s})
			total += s
		}
	}
	slices.SortStableFunc(out, func(a, b AffinityShare) int {
		switch {
		case a.Share > b.Share:
			return -1
		case a.Share < b.Share:
			return 1
		}
		return 0 // p.Affinities is ordered by value
	})
	out = out[:min(k, len(out))]
	for i := range out {
		out[i].Share /= total
	}
	return out
}
