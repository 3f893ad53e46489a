package features

import (
	"cmp"
	"math"
	"slices"

	"kindred/data"
	"kindred/features/window"
)

// interact applies the event's acts on items: history, slots, affinities,
// engagement and the counters over all people.
func (f *fold) interact(p *data.Profile, e data.Event, at int64, acts []data.Interaction) {
	if len(acts) == 0 {
		return
	}
	var kinds uint16
	var revenue, effort float64
	for i, a := range acts {
		w := f.b.cfg.Weights.Of(a)
		kinds |= 1 << a.Kind
		if a.Kind == data.Purchase {
			revenue += a.Value
		}
		effort += math.Max(0, w)
		addHistory(p, a, at, w, f.b.cfg.HistoryCap)
		facets := e.Items[i].Facets
		for _, facet := range sortedFacets(facets) {
			for _, value := range facets[facet] {
				addAffinity(p, facet, value, at, w, f.b.cfg.AffinityCap)
			}
		}
		f.count(a.Item, facets["category"], at, w)
	}
	if e.Value > 0 && kinds&(1<<data.Purchase) != 0 {
		revenue = e.Value // the order says what it was worth
	}
	for _, s := range f.b.slots {
		if s.kinds&kinds != 0 {
			s.add(p, at, revenue)
		}
	}
	if effort > 0 {
		p.Engagement = window.Decay(p.Engagement, at, effort, EngagementHalfLife)
	}
}

// addHistory adds one act to the person's relation with the item.
func addHistory(p *data.Profile, a data.Interaction, at int64, w float64, limit int) {
	one := data.HistoryItem{Item: a.Item, Kinds: 1 << a.Kind, Count: 1, Weight: w, Last: at}
	if a.Kind == data.Rating {
		one.Value, one.Rated = a.Value, at
	}
	i := slices.IndexFunc(p.History, func(h data.HistoryItem) bool { return h.Item == a.Item })
	if i >= 0 {
		one = mergeHistoryItem(p.History[i], one)
		p.History = slices.Delete(p.History, i, i+1)
	}
	i, _ = slices.BinarySearchFunc(p.History, one, compareHistory)
	if i >= limit {
		return // older than all of a full history
	}
	p.History = slices.Insert(p.History, i, one)
	if len(p.History) > limit {
		p.History = p.History[:limit]
	}
}

// compareHistory orders by newest use, then by item.
func compareHistory(a, b data.HistoryItem) int {
	return cmp.Or(cmp.Compare(b.Last, a.Last), cmp.Compare(a.Item, b.Item))
}

// mergeHistoryItem adds two relations to the same item. The newest rating stays;
// of two at the same time, the higher.
func mergeHistoryItem(a, b data.HistoryItem) data.HistoryItem {
	out := data.HistoryItem{
		Item: a.Item, Kinds: a.Kinds | b.Kinds, Count: a.Count + b.Count,
		Weight: window.Bounded(window.Bounded(a.Weight) + window.Bounded(b.Weight)), Last: max(a.Last, b.Last),
	}
	rated := a
	if b.Has(data.Rating) && (!a.Has(data.Rating) || b.Rated > a.Rated || b.Rated == a.Rated && b.Value > a.Value) {
		rated = b
	}
	out.Value, out.Rated = rated.Value, rated.Rated
	return out
}

func sortedFacets(facets map[string][]string) []string {
	out := make([]string, 0, len(facets))
	for name := range facets {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
