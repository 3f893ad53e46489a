package content

import (
	"math"

	"kindred/model"
	"kindred/model/kernel"
)

// What things cost, in units of about a nanosecond.
const (
	// cheapPostings is how many postings a profile may have for ScoreSparse to be cheap.
	cheapPostings = 2000
	// costPosting is of adding a posting, costRow of completing a row that one touched, costPair of a product,
	// costBlunt of the wider search that bounds for many terms need.
	costPosting, costRow, costPair, costBlunt = 3, 15, 2, 50_000
)

// opinion is a profile that has told its moments. It implements model.Opinion.
type opinion struct {
	m              *Model
	p              *profile
	mean, variance float64
	rest, more     float64
	most           float64
}

// Ask leaves out what the common terms say, unless all of the postings are few: the frequent ones,
// or in a large catalogue all of the many. The rare terms' part is added to the rows that they touch; where these are
// very few, the rest of their score, too. Appended rows have all of their score. Cost is O(terms² + the rare terms' postings).
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
	m.Prepare()
	o := &p.opinion
	*o = opinion{m: m, p: p}
	terms := o.choose()
	o.commonTerms(terms)
	o.rareTerms(into)
	if terms == &m.common.frequent {
		o.partly(into)
	} else {
		o.wholly(into)
	}
	for i, t := range p.top {
		p.dense[t] = float64(p.weight[i])
	}
	if m.later != nil {
		o.include(into)
	}
	return o
}

// choose says which terms' postings cost more than they are worth.
func (o *opinion) choose() *frequency {
	m, c := o.m, o.m.common
	if c.force != nil {
		return c.force
	}
	var few, many, frequent, common int64
	for _, t := range o.p.top {
		df := m.posting.Ptr[t+1] - m.posting.Ptr[t]
		if c.place[t] < c.frequent.limit {
			frequent++
		} else {
			few += df * costPosting
		}
		if c.place[t] < c.many.limit {
			common++
		} else {
			many += df * costRow
		}
	}
	few += costPair * frequent * int64(len(o.p.top))
	many += costPair*common*common/2 + costBlunt
	if few <= many {
		return &c.frequent
	}
	return &c.many
}

// commonTerms collects the profile's terms among the given ones, and sets their moments and their bound. variance
// is a sum of squares until settle.
func (o *opinion) commonTerms(f *frequency) {
	p, c := o.p, o.m.common
	p.common, p.rare = p.common[:0], p.rare[:0]
	clear(p.frequent[:])
	for i, t := range p.top {
		place, w := c.place[t], float64(p.weight[i])
		if place >= f.limit {
			p.rare = append(p.rare, int32(i))
			continue
		}
		p.dense[t] = w
		o.mean += w * c.mean[t]
		if sum := 0.0; place < c.frequent.limit {
			p.frequent[place] = p.weight[i]
		} else {
			for _, other := range p.common {
				if other.place >= c.frequent.limit {
					sum += other.weight * c.covariance(place, other.place)
				}
			}
			o.variance += w * (2*sum + w*c.covariance(place, place))
		}
		p.common = append(p.common, placed{place, w})
	}
	for _, x := range p.common { // what the frequent ones have to do with all
		sum, own := 2*o.withFrequent(x.place, min(x.place, c.frequent.limit)), 0.0
		if x.place < c.frequent.limit {
			own = x.weight * c.covariance(x.place, x.place)
		}
		o.variance += x.weight * (sum + own)
	}
	o.rest = o.bound(f)
}

// withFrequent is the sum over the frequent terms below limit of their weight times their product with a term that
// is at the limit or above it.
func (o *opinion) withFrequent(place, limit int32) float64 {
	c := o.m.common
	return float64(kernel.Dot(o.p.frequent[:limit], c.product[c.at(place, 0):]))
}

// bound is the highest score that a row can have for the profile's common terms alone.
func (o *opinion) bound(f *frequency) float64 {
	bound, square, next := 0.0, 0.0, 0 // p.common falls by weight, as top does
	for _, longest := range f.longest {
		bound = max(bound, math.Sqrt(square)*longest)
		if next < len(o.p.common) {
			w := o.p.common[next].weight
			square += w * w
			next++
		}
	}
	return bound * (1 + 1e-5) // room for the float32 weights
}

// rareTerms adds the postings of the others.
func (o *opinion) rareTerms(into *model.SparseScores) {
	for _, i := range o.p.rare {
		into.Fetch(o.m.posting.Row(int(o.p.top[i])))
	}
	for _, i := range o.p.rare {
		items, weights := o.m.posting.Row(int(o.p.top[i]))
		into.AddScaled(items, o.p.weight[i], weights)
	}
}

// partly sets the moments by products of the rare terms with the common ones, and leaves the touched rows
// what the rare ones gave them.
func (o *opinion) partly(into *model.SparseScores) {
	p, c := o.p, o.m.common
	mean, cross := 0.0, 0.0 // of the rare terms' part
	for _, i := range p.rare {
		t, w := p.top[i], float64(p.weight[i])
		mean += w * c.mean[t]
		cross += w * o.withFrequent(c.place[t], c.frequent.limit)
	}
	o.variance += 2 * cross
	square, most := 0.0, float32(0)
	_, sums := into.Bits()
	for _, row := range into.Rows() {
		x := sums[row]
		square += float64(x) * float64(x)
		if x > most {
			most = x
		}
	}
	o.more, o.most = o.rest, float64(most)+o.rest
	o.settle(square, mean)
}

// wholly completes the scores of the touched rows, which say what the rare terms have to do with the common ones.
func (o *opinion) wholly(into *model.SparseScores) {
	p, c := o.p, o.m.common
	mean, square := 0.0, 0.0
	for _, i := range p.rare {
		mean += float64(p.weight[i]) * c.mean[p.top[i]]
	}
	o.most = o.rest
	for _, row := range into.Rows() {
		rare, common := float64(into.At(row)), o.Score(row) // dense has the common terms by now
		square += rare*rare + 2*rare*(common-o.mean)
		into.Add(row, float32(common))
		o.most = max(o.most, rare+common)
	}
	o.settle(square, mean)
}

// settle joins the moments of the rare terms' part with those of the common ones'.
func (o *opinion) settle(square, mean float64) {
	n := float64(o.m.items.Rows)
	o.variance = max(0, o.variance+square-n*mean*mean) / max(1, n)
	o.mean += mean
}

// include adds the appended rows' scores and makes the moments those of all rows.
func (o *opinion) include(into *model.SparseScores) {
	m, before := o.m, len(into.Rows())
	for i, t := range o.p.top {
		m.addLater(t, o.p.weight[i], into)
	}
	touched := into.Rows()[before:]
	n, later := float64(m.items.Rows), float64(m.later.items.Rows)
	sum := 0.0
	for _, row := range touched {
		sum += float64(into.At(row))
		o.most = max(o.most, float64(into.At(row)))
	}
	mean := (n*o.mean + sum) / (n + later)
	square := n * (o.variance + (o.mean-mean)*(o.mean-mean))
	for _, row := range touched {
		d := float64(into.At(row)) - mean
		square += d * d
	}
	square += (later - float64(len(touched))) * mean * mean
	o.mean, o.variance = mean, square/(n+later)
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
	o.rest, o.more = 0, 0
}

// Moments are those of the scores of all rows, appended ones included.
func (o *opinion) Moments() (mean, variance float64) { return o.mean, o.variance }

// Rest bounds the scores of rows without a rare term.
func (o *opinion) Rest() float64 { return o.rest }

// More bounds what the common terms add to rows with a rare one.
func (o *opinion) More() float64 { return o.more }

// Left is what the frequent terms say of a row, or where all of the many were left out, all that its score is.
func (o *opinion) Left(row int32) float64 {
	c := o.m.common
	if o.rest == 0 || int(row) >= o.m.items.Rows {
		return 0
	}
	if o.more == 0 {
		return o.Score(row)
	}
	sum := float32(0)
	for _, x := range c.held[c.ptr[row]:c.ptr[row+1]] {
		sum += o.p.frequent[x.place&(mostFrequent-1)] * x.weight
	}
	return float64(sum)
}

// Most bounds all scores.
func (o *opinion) Most() float64 { return o.most * (1 + 1e-4) }

// Score adds up what the row shares with the profile.
func (o *opinion) Score(row int32) float64 {
	sum := 0.0
	terms, weights := o.m.row(row)
	weights = weights[:len(terms)]
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
