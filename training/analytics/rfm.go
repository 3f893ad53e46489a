package analytics

import (
	"cmp"
	"slices"

	"kindred/data"
)

// Buyer is somebody's standing among buyers: when they bought last, how often and for how much, and in which
// fifth of all buyers that puts them, 5 the best.
type Buyer struct {
	ID        data.ProfileID `json:"id"`
	Last      int64          `json:"last"` // Unix ms
	Purchases int            `json:"purchases"`
	Revenue   float64        `json:"revenue"`
	R         int            `json:"r"`
	F         int            `json:"f"`
	M         int            `json:"m"`
	Group     string         `json:"group"`
}

// Group is how many buyers are of one kind, and what they are worth.
type Group struct {
	Group   string  `json:"group"`
	People  int     `json:"people"`
	Revenue float64 `json:"revenue"`
}

// RFM ranks everybody who did the purchase event, by id, and sums the groups up, by name.
func (h *History) RFM(purchase string) ([]Buyer, []Group, error) {
	bought, err := h.event("purchase", purchase)
	if err != nil {
		return nil, nil, err
	}
	var out []Buyer
	for i := range h.People {
		b := Buyer{ID: h.People[i].ID}
		for _, a := range h.People[i].Acts {
			if bought(a) {
				b.Purchases++
				b.Revenue += a.Value
				b.Last = a.At
			}
		}
		if b.Purchases > 0 {
			out = append(out, b)
		}
	}
	fifths(out, func(b *Buyer) float64 { return float64(b.Last) }, func(b *Buyer, n int) { b.R = n })
	fifths(out, func(b *Buyer) float64 { return float64(b.Purchases) }, func(b *Buyer, n int) { b.F = n })
	fifths(out, func(b *Buyer) float64 { return b.Revenue }, func(b *Buyer, n int) { b.M = n })
	sums := map[string]*Group{}
	for i := range out {
		b := &out[i]
		b.Group = kindOf(b.R, b.F)
		g := sums[b.Group]
		if g == nil {
			g = &Group{Group: b.Group}
			sums[b.Group] = g
		}
		g.People++
		g.Revenue += b.Revenue
	}
	groups := make([]Group, 0, len(sums))
	for _, g := range sums {
		groups = append(groups, *g)
	}
	slices.SortFunc(groups, func(a, b Group) int { return cmp.Compare(a.Group, b.Group) })
	return out, groups, nil
}

// fifths gives everybody the fifth that their value lies in. Equal values are in one fifth: that of the
// share of buyers who have less.
func fifths(all []Buyer, value func(*Buyer) float64, set func(*Buyer, int)) {
	sorted := make([]float64, len(all))
	for i := range all {
		sorted[i] = value(&all[i])
	}
	slices.Sort(sorted)
	for i := range all {
		below, _ := slices.BinarySearch(sorted, value(&all[i]))
		set(&all[i], 1+5*below/len(all))
	}
}

// kindOf names the usual groups of recency and frequency.
func kindOf(r, f int) string {
	switch {
	case r >= 4 && f >= 4:
		return "champions"
	case r >= 4 && f >= 2:
		return "promising"
	case r >= 4:
		return "new"
	case r == 3 && f >= 3:
		return "loyal"
	case r == 3:
		return "needs attention"
	case f >= 4:
		return "at risk"
	case f >= 2:
		return "hibernating"
	}
	return "lost"
}
