package hybrid

import (
	"math"
	"slices"
	"sync"

	"kindred/model"
	"kindred/model/kernel"
	"kindred/model/retrieve"
)

// Index holds what finding the best rows of a blend needs of its components'
// vectors, so that no request scores every item; see the package comment. One Index
// serves every blend of the components it was built from: any subset, any weights,
// any number of rows beyond. It does not change and is safe for concurrent use.
//
// Memory beyond the components' own is about 5·(f+c+2) bytes an item for linear
// components with f factors in all and c constant ones, and for each request under
// way 4 bytes a row and sparse component.
type Index struct {
	items   int
	names   []string          // of the scorers it was built from
	columns map[string]column // by name
	rows    *retrieve.Index   // nil without any column
	width   int
	scratch sync.Pool // *List

	deferrals deferrals
	packing   packing
}

// column is one component's place in the index and the moments of its scores.
type column struct {
	at, width int
	unit      float64 // the index holds what the component has times this

	linear   model.Linear // either one or the other
	constant []float32
	mean     []float64 // of the linear component's vectors
	form     []float64 // lower triangle of their covariance, row by row, off the diagonal doubled

	center, deviation float64 // of the constant component's scores
}

// NewIndex builds the index of those scorers that are model.Linear or
// model.Constant, which must all have the same number of items. Cost is O(items ·
// f²) and as much memory again as the index while it runs.
func NewIndex(scorers []model.Scorer) *Index {
	x := &Index{columns: map[string]column{}}
	for _, s := range scorers {
		x.items = s.Items()
		x.names = append(x.names, s.Name())
		switch c := s.(type) {
		case model.Constant:
			x.columns[s.Name()] = constantColumn(c.Constant(), x.width)
			x.width++
		case model.Linear:
			v, f := c.Vectors()
			column := linearColumn(c, v, f)
			column.at, column.width = x.width, f
			x.columns[s.Name()] = column
			x.width += f
		case model.Deferred:
			c.Prepare()
		}
	}
	if x.width > 0 && x.items > 0 {
		x.rows = retrieve.New(x.table(), x.width, retrieve.Config{})
	}
	return x
}

// Items is the number of rows that the index has.
func (x *Index) Items() int { return x.items }

// table is the items × width numbers that rows searches.
func (x *Index) table() []float32 {
	table := make([]float32, x.items*x.width)
	for _, c := range x.columns {
		for i := range x.items {
			out := table[i*x.width+c.at : i*x.width+c.at+c.width]
			if c.linear == nil {
				if c.deviation > 0 {
					out[0] = float32((float64(c.constant[i]) - c.center) / c.deviation)
				}
				continue
			}
			v, f := c.linear.Vectors()
			for j, y := range v[i*f : (i+1)*f] {
				out[j] = float32((float64(y) - c.mean[j]) * c.unit)
			}
		}
	}
	return table
}

// constantColumn takes the moments of scores that are everybody's.
func constantColumn(scores []float32, at int) column {
	c := column{at: at, width: 1, unit: 1, constant: scores}
	var square float64
	c.center, square = moments(scores)
	c.deviation = deviation(c.center, square)
	return c
}

// linearColumn computes the mean and the covariance of the vectors, so that the
// mean of the scores q·v is q·mean and their variance qᵀ·covariance·q. The vectors
// are centred before they are multiplied: nothing cancels.
func linearColumn(s model.Linear, v []float32, f int) column {
	c := column{linear: s, unit: 1, mean: make([]float64, f), form: make([]float64, f*(f+1)/2)}
	n := s.Items()
	if n == 0 || f == 0 {
		return c
	}
	for i := range n {
		for j, y := range v[i*f : (i+1)*f] {
			c.mean[j] += float64(y)
		}
	}
	for j := range c.mean {
		c.mean[j] /= float64(n)
	}
	const block = 1024 // products of so many rows are added in float32, those of blocks in float64
	centred := make([]float32, block*f)
	gram, part := make([]float64, f*f), make([]float32, f*f)
	for from := 0; from < n; from += block {
		rows := v[from*f : min(from+block, n)*f]
		for i, y := range rows {
			centred[i] = float32(float64(y) - c.mean[i%f])
		}
		clear(part)
		kernel.Gram(part, centred[:len(rows)], nil, f)
		for i, x := range part {
			gram[i] += float64(x)
		}
	}
	trace, at := 0.0, 0
	for i := range f {
		for j := range i {
			c.form[at] = 2 * gram[i*f+j] / float64(n)
			at++
		}
		c.form[at] = gram[i*f+i] / float64(n)
		trace += c.form[at]
		at++
	}
	// A power of two near the root of the mean variance: exact, and no component's
	// columns are much larger than another's where the index rounds them.
	if rms := math.Sqrt(trace / float64(f)); rms > 0 && !math.IsInf(rms, 0) {
		c.unit = math.Ldexp(1, -int(math.Round(math.Log2(rms))))
	}
	return c
}

// moments are the mean and variance of q·v over the items.
func (c *column) moments(q []float32) (mean, variance float64) {
	at := 0
	for i, x := range q {
		sum := 0.0
		for j, y := range q[:i+1] {
			sum += c.form[at+j] * float64(y)
		}
		at += i + 1
		variance += float64(x) * sum
		mean += float64(x) * c.mean[i]
	}
	return mean, max(0, variance)
}

// source says how a bound component is asked for its scores.
type source struct {
	slot   int // of its memory in a List
	known  int // rows it has
	column *column
	sparse model.Sparse // where column is nil
}

// sources finds each component's, or nil where one of them has none.
func (x *Index) sources(scorers []model.Scorer) []source {
	out := make([]source, len(scorers))
	for c, s := range scorers {
		if p, ok := s.(Padded); ok {
			s = p.inner
		}
		src := source{slot: slices.Index(x.names, s.Name()), known: s.Items()}
		if column, ok := x.columns[s.Name()]; ok && src.known == x.items {
			src.column = &column
		} else if sparse, ok := s.(model.Sparse); ok && src.slot >= 0 {
			src.sparse = sparse
		} else {
			return nil
		}
		out[c] = src
	}
	return out
}
