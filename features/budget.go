package features

import (
	"kindred/data"
)

// What a budget leaves of recents and of every facet while there are traits to give up.
const (
	minRecents    = 10
	minAffinities = 8
)

// shrink brings the profile, without its history, under limit bytes. It gives up,
// in this order and only as far as needed:
//
//  1. recents, oldest first, down to 10;
//  2. affinities, the weakest of the longest facet first, down to 8 a facet;
//  3. traits, the largest first;
//  4. the other recents, oldest first.
//
// What remains is bounded by construction: slots, identifiers, sessions, clusters,
// the merge log, consent.
func shrink(p *data.Profile, limit int) {
	over := size(p) - limit
	if over <= 0 {
		return
	}
	over = shrinkRecent(p, over, minRecents)
	for over > 0 {
		from, to := longestFacet(p.Affinities)
		if to-from <= minAffinities {
			break
		}
		i := weakest(p.Affinities[from:to]) + from
		over -= affinitySize(p.Affinities[i])
		p.Affinities = append(p.Affinities[:i], p.Affinities[i+1:]...)
	}
	for over > 0 && len(p.Traits) > 0 {
		largest := 0
		for i, t := range p.Traits {
			if traitSize(t) > traitSize(p.Traits[largest]) {
				largest = i
			}
		}
		over -= traitSize(p.Traits[largest])
		p.Traits = append(p.Traits[:largest], p.Traits[largest+1:]...)
	}
	shrinkRecent(p, over, 0)
}

func shrinkRecent(p *data.Profile, over, keep int) int {
	for over > 0 && len(p.Recent) > keep {
		last := len(p.Recent) - 1
		over -= recentSize(p.Recent[last])
		p.Recent = p.Recent[:last]
	}
	return over
}

func longestFacet(all []data.Affinity) (from, to int) {
	for i := 0; i < len(all); {
		f, t := facetRange(all, all[i].Facet)
		if t-f > to-from {
			from, to = f, t
		}
		i = t
	}
	return from, to
}

// size estimates the encoded bytes of a profile without its history, never by less
// than the strings it holds.
func size(p *data.Profile) int {
	n := 256 + len(p.Consent)
	for _, id := range p.Identity {
		n += len(id.ID) + 20
	}
	for _, m := range p.Merges {
		n += len(m.From) + len(m.Source) + 8
	}
	for _, t := range p.Traits {
		n += traitSize(t)
	}
	for _, s := range p.Slots {
		n += 10 + 4*len(s.Panes) + 3*len(s.Ring)
	}
	for _, a := range p.Affinities {
		n += affinitySize(a)
	}
	for _, r := range p.Recent {
		n += recentSize(r)
	}
	return n
}

func traitSize(t data.Trait) int        { return len(t.Name) + len(t.Value) + len(t.Source) + 10 }
func affinitySize(a data.Affinity) int  { return len(a.Facet) + len(a.Value) + 18 }
func recentSize(r data.RecentEvent) int { return len(r.ID) + len(r.Name) + len(r.Item) + 10 }
