package content

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"kindred/model"
)

const (
	// cheapPostings is how many postings a profile may have for ScoreSparse to be cheap.
	cheapPostings = 20_000
	// directPostings is how many it may have for adding them all to be cheaper than a search
	// that has to complete rows.
	directPostings = 1_000_000
	// mostCommon bounds the number of common terms, and so their products' memory: 32 MiB.
	mostCommon = 4096
)

// common is what is known of the terms that most documents hold. Few terms have most
// of the postings (Zipf), and a profile's strongest are often among them: adding all
// of their postings would touch most of a large catalogue for each request.
//
// Of the scores s_i = sum_t p_t x_it of a profile p, the mean is sum_t p_t mean(x_t), and the sum
// of squared differences from it is sum_tu p_t p_u C_tu with the products
// C_tu = sum_i (x_it − mean(x_t))(x_iu − mean(x_u)), kept for pairs of common terms. Rare
// terms touch few rows; for these the scores are computed in full. A row with l
// common terms and no rare one cannot score more than the l strongest common terms of
// the profile allow, √(p_1² + … + p_l²) · |x_i| (Cauchy and Schwarz).
type common struct {
	direct  int64 // directPostings
	once    sync.Once
	place   []int32   // term → number among the common ones, or −1
	mean    []float64 // by term, common or not
	product []float32 // C, lower triangle row by row
	longest []float64 // by the number of common terms an item has: its longest vector of these
}

// Prepare chooses the common terms and multiplies them: 8·√items of them at most.
// Memory is 128 bytes an item at most, and 32 MiB. Cost is O(items · l²) with l common terms an item.
func (m *Model) Prepare() { m.common.once.Do(func() { m.common.build(m) }) }

func (c *common) build(m *Model) {
	n, terms := m.items.Rows, m.terms.Len()
	c.place, c.mean = make([]int32, terms), make([]float64, terms)
	order := make([]int32, terms)
	df := func(t int32) int64 { return m.posting.Ptr[t+1] - m.posting.Ptr[t] }
	for t := range order {
		order[t], c.place[t] = int32(t), -1
		_, weights := m.posting.Row(t)
		for _, w := range weights {
			c.mean[t] += float64(w)
		}
		c.mean[t] /= float64(max(1, n))
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Or(cmp.Compare(df(b), df(a)), cmp.Compare(a, b)) })
	order = order[:min(len(order), mostCommon, 8*int(math.Sqrt(float64(n))))]
	for i, t := range order {
		c.place[t] = int32(i)
	}
	sum := make([]float64, len(order)*(len(order)+1)/2)
	var places []int32
	var held []float64
	for i := range n {
		places, held = places[:0], held[:0]
		row, weights := m.items.Row(i)
		square := 0.0
		for j, t := range row {
			if at := c.place[t]; at >= 0 {
				w := float64(weights[j])
				places, held = append(places, at), append(held, w)
				square += w * w
			}
		}
		for len(c.longest) <= len(places) {
			c.longest = append(c.longest, 0)
		}
		c.longest[len(places)] = max(c.longest[len(places)], math.Sqrt(square))
		for a, x := range places {
			for b, y := range places[:a+1] {
				sum[triangle(x, y)] += held[a] * held[b]
			}
		}
	}
	c.product = make([]float32, len(sum))
	at := 0
	for a, t := range order {
		for _, u := range order[:a+1] {
			c.product[at] = float32(sum[at] - float64(n)*c.mean[t]*c.mean[u])
			at++
		}
	}
}

// triangle is the place of a pair in the lower triangle.
func triangle(a, b int32) int {
	high, low := int(max(a, b)), int(min(a, b))
	return high*(high+1)/2 + low
}

// opinion is a profile that has told its moments. It implements model.Opinion.
type opinion struct {
	m              *Model
	p              *profile
	mean, variance float64
	rest           float64
}

// Ask adds all scores where that costs little. Else it adds those of the rows that hold
// one of the profile's rare terms, or were appended: cost is O(terms² + the rare terms' postings · terms of an item).
func (m *Model) Ask(h model.History, into *model.SparseScores) model.Opinion {
	p := m.profile(h)
	postings := int64(0)
	for _, t := range p.top {
		postings += m.posting.Ptr[t+1] - m.posting.Ptr[t]
	}
	if len(p.top) == 0 || postings <= cheapPostings {
		m.scratch.Put(p)
		return nil
	}
	o := &p.opinion
	*o = opinion{m: m, p: p}
	if postings <= m.common.direct {
		o.all(into)
		return o
	}
	m.Prepare()
	o.moments(into)
	return o
}

// all adds all scores and sets the moments.
func (o *opinion) all(into *model.SparseScores) {
	n := o.m.Items()
	o.Complete(into)
	for i, t := range o.p.top {
		o.p.dense[t] = float64(o.p.weight[i])
	}
	_, sums := into.Bits()
	// Four sums each do not wait for one another.
	var sum, square [4]float64
	sums = sums[:n]
	for ; len(sums) >= 4; sums = sums[4:] {
		a, b, c, d := float64(sums[0]), float64(sums[1]), float64(sums[2]), float64(sums[3])
		sum[0], sum[1], sum[2], sum[3] = sum[0]+a, sum[1]+b, sum[2]+c, sum[3]+d
		square[0], square[1], square[2], square[3] = square[0]+a*a, square[1]+b*b, square[2]+c*c, square[3]+d*d
	}
	for i, x := range sums {
		sum[i] += float64(x)
		square[i] += float64(x) * float64(x)
	}
	o.mean = (sum[0] + sum[1] + sum[2] + sum[3]) / float64(n)
	o.variance = max(0, (square[0]+square[1]+square[2]+square[3])/float64(n)-o.mean*o.mean)
}

// Complete adds up the postings of all terms.
func (o *opinion) Complete(into *model.SparseScores) {
	m, p := o.m, o.p
	into.Reset()
	into.Fill(m.Items())
	for i, t := range p.top {
		items, weights := m.posting.Row(int(t))
		into.AddScaled(items, p.weight[i], weights)
		m.addLater(t, p.weight[i], into)
	}
	o.rest = 0
}

// moments adds what Ask does and sets the moments.
func (o *opinion) moments(into *model.SparseScores) {
	m, p, c := o.m, o.p, o.m.common
	n := int32(m.items.Rows)
	mean, square := 0.0, 0.0 // of the common terms' part
	p.common = p.common[:0]
	for i, t := range p.top {
		w := float64(p.weight[i])
		if c.place[t] < 0 {
			continue
		}
		p.dense[t] = w
		mean += w * c.mean[t]
		for j, at := range p.common {
			square += 2 * w * p.commonWeight(j) * float64(c.product[triangle(c.place[t], at.place)])
		}
		square += w * w * float64(c.product[triangle(c.place[t], c.place[t])])
		p.common = append(p.common, commonTerm{c.place[t], int32(i)})
	}
	o.rest = o.bound()
	commonMean := mean
	for i, t := range p.top { // the rare terms' own part
		if c.place[t] >= 0 {
			continue
		}
		items, weights := m.posting.Row(int(t))
		into.AddScaled(items, p.weight[i], weights)
		mean += float64(p.weight[i]) * c.mean[t]
	}
	rareMean := mean - commonMean
	for _, row := range into.Rows() {
		rare, held := float64(into.At(row)), o.Score(row)
		square += rare*rare + 2*rare*(held-commonMean)
		into.Add(row, float32(held))
	}
	square -= float64(n) * rareMean * rareMean
	for i, t := range p.top {
		p.dense[t] = float64(p.weight[i])
		m.addLater(t, p.weight[i], into)
	}
	o.mean, o.variance = mean, max(0, square)/float64(max(1, n))
	if m.later != nil {
		o.include(into)
	}
}

// bound is the highest score that a row can have for the profile's common terms alone.
func (o *opinion) bound() float64 {
	bound, square, next := 0.0, 0.0, 0 // p.common falls, as top does
	for _, longest := range o.m.common.longest {
		bound = max(bound, math.Sqrt(square)*longest)
		if next < len(o.p.common) {
			w := o.p.commonWeight(next)
			square += w * w
			next++
		}
	}
	return bound * (1 + 1e-5) // room for the float32 weights
}

// include makes the moments of the fitted rows those of all rows.
func (o *opinion) include(into *model.SparseScores) {
	n, later := float64(o.m.items.Rows), float64(o.m.later.items.Rows)
	first := int32(o.m.items.Rows)
	sum, touched := 0.0, 0.0
	for _, row := range into.Rows() {
		if row >= first {
			sum += float64(into.At(row))
		}
	}
	mean := (n*o.mean + sum) / (n + later)
	square := n * (o.variance + (o.mean-mean)*(o.mean-mean))
	for _, row := range into.Rows() {
		if row >= first {
			d := float64(into.At(row)) - mean
			square += d * d
			touched++
		}
	}
	square += (later - touched) * mean * mean
	o.mean, o.variance = mean, square/(n+later)
}

// Moments are those of the scores of all rows, appended ones included.
func (o *opinion) Moments() (mean, variance float64) { return o.mean, o.variance }

// Rest bounds the scores of rows without a rare term.
func (o *opinion) Rest() float64 { return o.rest }

// Most bounds a cosine.
func (o *opinion) Most() float64 { return 1 + 1e-4 }

// Score adds up what the row shares with the profile.
func (o *opinion) Score(row int32) float64 {
	sum := 0.0
	terms, weights := o.m.row(row)
	for i, t := range terms {
		sum += o.p.dense[t] * float64(weights[i])
	}
	return sum
}

// Release returns the memory to the model.
func (o *opinion) Release() {
	for _, t := range o.p.top {
		o.p.dense[t] = 0
	}
	o.m.scratch.Put(o.p)
}
