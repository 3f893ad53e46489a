package compact

import (
	"math"
	"strings"
	"time"

	"kindred/data"
	"kindred/features/window"
)

// affinity is a data.Affinity: 18 bytes, in the order of data.Profile, as 16-bit
// numbers, so that none are lost to alignment.
type affinity struct {
	name [2]uint16 // the symbol of facet and value
	at   stamp
	s    [4]uint16 // a float64
}

func (a *affinity) pair() Symbol { return Symbol(a.name[0]) | Symbol(a.name[1])<<16 }

func newAffinity(pair Symbol) affinity {
	return affinity{name: [2]uint16{uint16(pair), uint16(pair >> 16)}}
}

func (a *affinity) decayed() data.Decayed {
	u := uint64(a.s[0]) | uint64(a.s[1])<<16 | uint64(a.s[2])<<32 | uint64(a.s[3])<<48
	return data.Decayed{S: math.Float64frombits(u), T: a.at.time()}
}

func (a *affinity) set(d data.Decayed) {
	u := math.Float64bits(d.S)
	a.s, a.at = [4]uint16{uint16(u), uint16(u >> 16), uint16(u >> 32), uint16(u >> 48)}, stamped(d.T, 0)
}

func (s *Store) affinitySize(pair Symbol) int { return s.Symbols.length(pair) + 18 }

// AddAffinity adds weight w at time at to the person's interest in one value, as
// features.addAffinity does: in a full facet a newcomer with positive weight replaces
// the weakest value and takes over its sum. Fits(at) must hold.
func (s *Store) AddAffinity(p *Person, pair Symbol, at int64, w float64, limit int, halfLife time.Duration) {
	all := view[affinity](s, p, inAffinities)
	one := newAffinity(pair)
	for i := range all {
		if all[i].name == one.name {
			all[i].set(window.Decay(all[i].decayed(), at, w, halfLife))
			return
		}
	}
	one.set(data.Decayed{S: window.Bounded(w), T: at})
	from, to := 0, 0
	if len(all) >= limit {
		from, to = s.facetRange(all, pair)
	}
	i := s.place(all, pair)
	if to-from >= limit {
		if w <= 0 {
			return
		}
		least := from + weakest(all[from:to], halfLife)
		if old := all[least].decayed(); old.S > 0 {
			one.set(window.Decay(old, at, w, halfLife))
		}
		p.size -= uint32(s.affinitySize(all[least].pair()))
		p.size += uint32(s.affinitySize(pair))
		if least < i {
			i--
			copy(all[least:i], all[least+1:i+1])
		} else {
			copy(all[i+1:least+1], all[i:least])
		}
		all[i] = one
		return
	}
	p.size += uint32(s.affinitySize(pair))
	insert(s, p, inAffinities, i, one)
}

// facetRange is where the values of the pair's facet are.
func (s *Store) facetRange(all []affinity, pair Symbol) (from, to int) {
	facet := s.Symbols.known[pair].facet
	for from < len(all) && s.Symbols.known[all[from].pair()].facet != facet {
		from++
	}
	for to = from; to < len(all) && s.Symbols.known[all[to].pair()].facet == facet; to++ {
	}
	return from, to
}

// place is how many values are before the pair in the order of facet and value.
func (s *Store) place(all []affinity, pair Symbol) int {
	facet, value := s.Symbols.Texts(pair)
	of := s.Symbols.known[pair].facet
	low, high := 0, len(all)
	for low < high {
		middle := (low + high) / 2
		x := all[middle].pair()
		f, v := s.Symbols.Texts(x)
		if f < facet || s.Symbols.known[x].facet == of && v < value {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// weakest is the index of the smallest sum when all are brought to the latest time;
// of equal ones, the last.
func weakest(all []affinity, halfLife time.Duration) int {
	var latest int64
	for i := range all {
		latest = max(latest, all[i].at.time())
	}
	least, at := 0, 0.0
	perMS := math.Ln2 / 8 / float64(halfLife.Milliseconds())
	for i := range all {
		d := all[i].decayed()
		if i > 0 && atLeast(d.S, float64(latest-d.T)*perMS) > at {
			continue
		}
		if s := window.At(d, latest, halfLife); i == 0 || s <= at {
			least, at = i, s
		}
	}
	return least
}

// atLeast is a lower bound of s·e^(−8x) for x ≥ 0 that is cheaper than the power:
// e^(−x) ≥ 1 − x, eight times over, less what rounding may take; −∞ where it says nothing.
func atLeast(s, x float64) float64 {
	y := 1 - x
	if !(s > 0 && y > 0) {
		return math.Inf(-1)
	}
	y *= y
	y *= y
	return s * (y * y) * (1 - 1e-12)
}

// AppendSums appends the sums, at about time now (window.Coarse), of the values of a
// facet, in order.
func (s *Store) AppendSums(dst []float64, p *Person, facet Symbol, now int64, halfLife time.Duration) []float64 {
	all := view[affinity](s, p, inAffinities)
	name := s.Symbols.Text(facet)
	low, high := 0, len(all)
	for low < high { // they are in order of the facets' names
		middle := (low + high) / 2
		if f := s.Symbols.known[all[middle].pair()].facet; f != facet && s.Symbols.Text(f) < name {
			low = middle + 1
		} else {
			high = middle
		}
	}
	for i := low; i < len(all) && s.Symbols.known[all[i].pair()].facet == facet; i++ {
		dst = append(dst, window.Coarse(all[i].decayed(), now, halfLife))
	}
	return dst
}

func (s *Store) packAffinities(p *Person, all []data.Affinity) {
	out := resize[affinity](s, p, inAffinities, len(all))
	for i, a := range all {
		out[i] = newAffinity(s.Symbols.Pair(a.Facet, a.Value))
		out[i].set(a.Decayed)
	}
}

func fitAffinities(all []data.Affinity) bool {
	for i, a := range all {
		if !Fits(a.T) || i > 0 && (strings.Compare(all[i-1].Facet, a.Facet) > 0 || all[i-1].Facet == a.Facet && all[i-1].Value >= a.Value) {
			return false
		}
	}
	return len(all) <= maxPart
}

func (s *Store) unpackAffinities(p *Person, dst []data.Affinity) []data.Affinity {
	for _, a := range view[affinity](s, p, inAffinities) {
		facet, value := s.Symbols.Texts(a.pair())
		dst = append(dst, data.Affinity{Facet: facet, Value: value, Decayed: a.decayed()})
	}
	return dst
}
