package assemble

import (
	"cmp"
	"math"
	"slices"

	"kindred/data"
	"kindred/model"
	"kindred/model/sparse"
)

// Preference is the rule that sums acts into preferences.
type Preference struct {
	// Weigh is the weight of one interaction: features.Weights.Of.
	Weigh func(data.Interaction) float64
	// Binary makes every preference r > 0 equal to 1.
	Binary bool
}

// Of is the weight of one act.
func (p Preference) Of(a Act) float64 {
	w := bounded(p.Weigh(data.Interaction{Kind: a.Kind, Value: float64(a.Value)}))
	if p.Binary && w > 0 {
		return 1
	}
	return w
}

// Taste is what one person did, per item.
type Taste struct {
	Liked model.History // items with r > 0, most recently used first
	Seen  []int32       // all items, sorted
}

// maxStrength bounds a preference: below it, every sum that a fit makes of squares
// of preferences is finite in float32.
const maxStrength = 1e9

// bounded is the strength within ±maxStrength; what is not a number is 0. Whatever
// one person did, the others can be trained on.
func bounded(w float64) float64 {
	if math.IsNaN(w) {
		return 0
	}
	return math.Max(-maxStrength, math.Min(w, maxStrength))
}

// TasteOf sums one person's acts, in time order, per item. An item that was ever
// hidden is not liked. Weights that are not finite, or absurd, are bounded.
func TasteOf(acts []Act, rule Preference) Taste {
	type pair struct {
		item   int32
		weight float64
		last   int // index of the newest act
		hidden bool
	}
	index := make(map[int32]int, len(acts))
	pairs := make([]pair, 0, len(acts))
	for i, a := range acts {
		at, ok := index[a.Item]
		if !ok {
			at = len(pairs)
			index[a.Item] = at
			pairs = append(pairs, pair{item: a.Item})
		}
		pairs[at].weight = bounded(pairs[at].weight + bounded(rule.Weigh(data.Interaction{Kind: a.Kind, Value: float64(a.Value)})))
		pairs[at].last = i
		pairs[at].hidden = pairs[at].hidden || a.Kind == data.Hide
	}
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Compare(b.last, a.last) })
	t := Taste{Seen: make([]int32, 0, len(pairs))}
	for _, p := range pairs {
		t.Seen = append(t.Seen, p.item)
		if rule.Binary && p.weight > 0 {
			p.weight = 1
		}
		if p.weight > 0 && !p.hidden {
			t.Liked.Rows = append(t.Liked.Rows, p.item)
			t.Liked.Weights = append(t.Liked.Weights, float32(p.weight))
		}
	}
	slices.Sort(t.Seen)
	return t
}

// Tastes are the tastes of all people, by row.
func Tastes(acts []Act, people int, rule Preference) []Taste {
	out := make([]Taste, people)
	for p, own := range ByPerson(acts, people) {
		out[p] = TasteOf(own, rule)
	}
	return out
}

// Matrix is the people × items matrix of the preferences r > 0.
func Matrix(tastes []Taste, items int) *sparse.CSR {
	n := 0
	for _, t := range tastes {
		n += len(t.Liked.Rows)
	}
	triples := make([]sparse.Triple, 0, n)
	for p, t := range tastes {
		for i, row := range t.Liked.Rows {
			triples = append(triples, sparse.Triple{Row: int32(p), Col: row, Val: t.Liked.Weights[i]})
		}
	}
	return sparse.FromTriples(len(tastes), items, triples)
}

// Users counts the people who used each item, liked or not, and the people who
// used anything.
func Users(tastes []Taste, items int) (users []int32, people int) {
	users = make([]int32, items)
	for _, t := range tastes {
		if len(t.Seen) > 0 {
			people++
		}
		for _, row := range t.Seen {
			users[row]++
		}
	}
	return users, people
}
