package features

import (
	"cmp"
	"slices"

	"kindred/data"
	"kindred/features/window"
)

// addAffinity adds weight w at event time at to the person's interest in one value.
// In a full facet a newcomer with positive weight replaces the weakest value and
// takes over its sum (space-saving); one without is not worth a place.
func addAffinity(p *data.Profile, facet, value string, at int64, w float64, limit int) {
	one := data.Affinity{Facet: facet, Value: value, Decayed: data.Decayed{S: window.Bounded(w), T: at}}
	i, found := slices.BinarySearchFunc(p.Affinities, one, compareAffinity)
	if found {
		a := &p.Affinities[i]
		a.Decayed = window.Decay(a.Decayed, at, w, AffinityHalfLife)
		return
	}
	from, to := facetRange(p.Affinities, facet)
	if to-from >= limit {
		if w <= 0 {
			return
		}
		least := weakest(p.Affinities[from:to]) + from
		if old := p.Affinities[least].Decayed; old.S > 0 {
			one.Decayed = window.Decay(old, at, w, AffinityHalfLife)
		}
		p.Affinities = slices.Delete(p.Affinities, least, least+1)
		if least < i {
			i--
		}
	}
	p.Affinities = slices.Insert(p.Affinities, i, one)
}

func compareAffinity(a, b data.Affinity) int {
	return cmp.Or(cmp.Compare(a.Facet, b.Facet), cmp.Compare(a.Value, b.Value))
}

// facetRange is where the facet's values are.
func facetRange(all []data.Affinity, facet string) (from, to int) {
	from, _ = slices.BinarySearchFunc(all, facet, func(a data.Affinity, f string) int { return cmp.Compare(a.Facet, f) })
	for to = from; to < len(all) && all[to].Facet == facet; to++ {
	}
	return from, to
}

// weakest is the index of the smallest sum when all are brought to the latest time;
// of equal ones, the last by value.
func weakest(all []data.Affinity) int {
	var latest int64
	for _, a := range all {
		latest = max(latest, a.T)
	}
	least, at := 0, 0.0
	for i, a := range all {
		if s := window.At(a.Decayed, latest, AffinityHalfLife); i == 0 || s <= at {
			least, at = i, s
		}
	}
	return least
}

// mergeAffinities adds both and keeps the strongest limit of each facet.
func mergeAffinities(a, b []data.Affinity, limit int) []data.Affinity {
	out := slices.Clone(a)
	for _, x := range b {
		i, found := slices.BinarySearchFunc(out, x, compareAffinity)
		if found {
			out[i].Decayed = window.MergeDecayed(out[i].Decayed, x.Decayed, AffinityHalfLife)
			continue
		}
		out = slices.Insert(out, i, x)
	}
	for i := 0; i < len(out); {
		from, to := facetRange(out, out[i].Facet)
		for to-from > limit {
			least := weakest(out[from:to]) + from
			out = slices.Delete(out, least, least+1)
			to--
		}
		i = to
	}
	return out
}
