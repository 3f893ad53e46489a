package retrieve

import (
	"fmt"

	"kindred/model/rank"
)

// Query asks for the best rows by q·v_row, or q·v_row + addend for the rows that
// have one.
type Query struct {
	Vector []float32 // q, length f
	K      int       // how many; ≤ 0 gives none
	Only   *Mask     // nil: every row
	Hide   []*Mask   // rows in any of them are left out; nil ones hide nothing
	Seen   []int32   // rows to leave out, of this query only
	// Rows have an addend of their own: score(row) = q·v_row + Add[i] for Rows[i]. They
	// are distinct; of a row given twice the first counts.
	Rows []int32
	Add  []float32
	// Else is the addend of every row that has none of its own: score(row) = q·v_row + Else,
	// rounded like any other, so that rows with equal sums tie whether they are in Rows or not.
	Else float32
	// Least, if not nil, leaves out the rows that score lower, and is a bound for the search
	// before it has found K rows.
	Least *float32
	// Score, if not nil, makes Add and Else bounds: no addend is greater. It is asked for the score of a row with
	// the product q·v_row and returns that, product + addend in float32, or, where that is below least, any number
	// below least. Rows that the bounds exclude are not asked for.
	Score func(row int32, product, least float32) float32
	// Most, if not 0, is how many rows may be asked for. With more Top gives up: the answer is nil then.
	Most int
}

// Fallback says in which way a query did without the bound.
type Fallback uint8

// Pruned is the normal case. Flat: most rows were read because their norms
// are alike, and the bound left many to rescore. Direct: the masks allowed so few rows that
// their exact scores were computed at once. Exact: the query's norm is zero, not
// finite or beyond all scale, so every allowed row was scored exactly.
const (
	Pruned Fallback = iota
	Flat
	Direct
	Exact
)

// String is the word for metrics.
func (f Fallback) String() string {
	return [...]string{"pruned", "flat", "direct", "exact"}[f]
}

// Stats is what a query cost.
type Stats struct {
	Rows      int // of the index
	Scanned   int // rows whose codes were read, perhaps the first part only
	Finished  int // of those, how many were read to the end
	Survivors int // of those, how many the bound did not exclude when they were read
	Rescored  int // rows whose exact score was computed
	Asked     int // rows whose Score was asked for
	Fallback  Fallback
}

// Fraction is the part of the index's rows whose codes were read, 0 to 1.
func (s Stats) Fraction() float64 {
	return float64(s.Scanned) / float64(max(1, s.Rows))
}

// Top returns at most K rows, best first: falling score, equal scores by rising row,
// exactly what sorting the scores of all allowed rows gives (rank.TopK on the
// result of Scores, each plus its addend in float32). Rows whose score is not a number are left out; rows that
// the index does not have are ignored in Seen and Rows. A vector of another length, Rows and
// Add of different lengths or a mask of another index panic.
//
// It is safe for concurrent use and allocates the answer only.
func (x *Index) Top(q Query) ([]rank.Ranked, Stats) {
	if len(q.Vector) != x.base.f || len(q.Rows) != len(q.Add) {
		panic(fmt.Sprintf("retrieve: a query of %d values with %d addends for %d rows: the index has vectors of %d",
			len(q.Vector), len(q.Add), len(q.Rows), x.base.f))
	}
	if q.Only != nil && q.Only.base != x.base {
		panic("retrieve: only a mask of another index")
	}
	for _, h := range q.Hide {
		if h != nil && h.base != x.base {
			panic("retrieve: hide a mask of another index")
		}
	}
	k := min(q.K, x.Len())
	if k <= 0 {
		return nil, Stats{Rows: x.Len()}
	}
	s, _ := x.base.scratch.Get().(*search)
	if s == nil {
		s = new(search)
	}
	s.begin(x, q, k)
	s.takeOut()
	s.promising()
	if q.Only != nil && q.Only.packed != nil {
		s.segment(q.Only.packed, 0)
	} else {
		s.segment(&x.base.segment, 0)
	}
	s.segment(&x.tail.segment, x.base.groups())
	s.others()
	var list []rank.Ranked
	if !s.spent() {
		list = s.best.list()
	}
	stats := s.finish()
	x.base.scratch.Put(s)
	return list, stats
}
