package content

import (
	"cmp"
	"math"
	"slices"
	"sync"
)

const (
	// mostCommon bounds the number of common terms, and so their products' memory: 32 MiB.
	mostCommon = 4096
	// mostFrequent is how many of the most common terms have a product with every term.
	mostFrequent = 64
)

// common is what is known of the terms that most documents hold. Few terms have most
// of the postings (Zipf), and a profile's strongest are often among them: adding all
// of their postings would touch most of a large catalogue for each request.
//
// Of the scores s_i = sum_t p_t x_it of a profile p, the mean is sum_t p_t mean(x_t), and the sum
// of squared differences from it is sum_tu p_t p_u C_tu with the products
// C_tu = sum_i (x_it − mean(x_t))(x_iu − mean(x_u)), kept for pairs of common terms, and for those of the most
// frequent ones with any. A row with l of the terms in question cannot score more for these than the l strongest
// of the profile allow, √(p_1² + … + p_l²) · |x_i| (Cauchy and Schwarz).
type common struct {
	once     sync.Once
	place    []int32   // term → its rank by falling number of documents
	mean     []float64 // by term
	frequent frequency // the most common terms
	ptr      []int32   // row → its first in held: what it has of the frequent terms
	held     []weighed
	many     frequency // those that have a product with each other
	product  []float32 // C by places: of the many, lower triangle row by row; then of each other term with the frequent ones

	force *frequency // for tests
}

// frequency is the terms with a place below limit.
type frequency struct {
	limit   int32
	longest []float64 // by the number of these terms an item has: its longest vector of these
}

// Prepare chooses the common terms and multiplies them: 8·√items of them at most.
// Memory is 256 bytes an item at most, and 32 MiB for common terms. Cost is O(items · l²) with l terms an item.
func (m *Model) Prepare() { m.common.once.Do(func() { m.common.build(m) }) }

func (c *common) build(m *Model) {
	n, terms := m.items.Rows, m.terms.Len()
	c.place, c.mean = make([]int32, terms), make([]float64, terms)
	order := make([]int32, terms)
	df := func(t int32) int64 { return m.posting.Ptr[t+1] - m.posting.Ptr[t] }
	for t := range order {
		order[t] = int32(t)
		_, weights := m.posting.Row(t)
		for _, w := range weights {
			c.mean[t] += float64(w)
		}
		c.mean[t] /= float64(max(1, n))
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Or(cmp.Compare(df(b), df(a)), cmp.Compare(a, b)) })
	for i, t := range order {
		c.place[t] = int32(i)
	}
	many := min(terms, mostCommon, 8*int(math.Sqrt(float64(n))))
	c.many.limit = int32(many)
	c.frequent.limit = int32(min(many, mostFrequent, 32*n/max(1, terms-many)))
	sum := make([]float64, c.at(int32(terms), 0))
	var held []placed
	for i := range n {
		held = held[:0]
		row, weights := m.items.Row(i)
		for j, t := range row {
			held = append(held, placed{c.place[t], float64(weights[j])})
		}
		slices.SortFunc(held, func(a, b placed) int { return cmp.Compare(a.place, b.place) })
		for a, x := range held {
			for _, y := range held[:a+1] {
				if x.place >= c.many.limit && y.place >= c.frequent.limit {
					break
				}
				sum[c.at(x.place, y.place)] += x.weight * y.weight
			}
		}
		c.ptr = append(c.ptr, int32(len(c.held)))
		for _, x := range held {
			if x.place < c.frequent.limit {
				c.held = append(c.held, weighed{x.place, float32(x.weight)})
			}
		}
		c.frequent.note(held)
		c.many.note(held)
	}
	c.ptr = append(c.ptr, int32(len(c.held)))
	c.product = make([]float32, len(sum))
	at := 0
	for a, t := range order {
		others := a + 1
		if a >= many {
			others = int(c.frequent.limit)
		}
		for _, u := range order[:others] {
			c.product[at] = float32(sum[at] - float64(n)*c.mean[t]*c.mean[u])
			at++
		}
	}
}

// placed is a term of an item by its place.
type placed struct {
	place  int32
	weight float64
}

// weighed is placed in less memory.
type weighed struct {
	place  int32
	weight float32
}

// note takes in an item's terms, by rising place.
func (f *frequency) note(held []placed) {
	count, square := 0, 0.0
	for count < len(held) && held[count].place < f.limit {
		square += held[count].weight * held[count].weight
		count++
	}
	for len(f.longest) <= count {
		f.longest = append(f.longest, 0)
	}
	f.longest[count] = max(f.longest[count], math.Sqrt(square))
}

// at is where the product of two places is: low is at most high, and one of the frequent where high is
// not one of the many.
func (c *common) at(high, low int32) int {
	a, many := int(high), int(c.many.limit)
	if a <= many {
		return a*(a+1)/2 + int(low)
	}
	return many*(many+1)/2 + (a-many)*int(c.frequent.limit) + int(low)
}

// covariance is C of two places, of which one is frequent or both are among the many.
func (c *common) covariance(a, b int32) float64 {
	return float64(c.product[c.at(max(a, b), min(a, b))])
}
