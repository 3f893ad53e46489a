package retrieve

import (
	"fmt"
	"sync"

	"kindred/model/kernel"
)

// Config says how to lay out an index. The zero Config is a good one.
type Config struct {
	// Seed makes the rotation. It changes no answer.
	Seed uint64
	// Workers is how many goroutines build; 0 means one for each processor. It
	// changes no byte of the index.
	Workers int
	// Basis says in which coordinates the rows are quantised. It changes no answer.
	Basis Basis
	// Order says in which order the rows stand. It changes no answer.
	Order Order
}

// group is the number of rows that are scanned together; the rows of a segment are
// padded to a multiple of it.
const group = kernel.ScanGroup

// Index finds rows by inner product. Rows [0, base) stand in an order of its own, rows from base on are
// the tail in the order in which they were appended.
//
// A position is a row's place in the order of the scan: [0, tailStart) are the base
// with its padding, then comes the tail.
type Index struct {
	base *base
	tail tail
}

// base is what Append shares: the rows that were there when the index was made.
type base struct {
	segment
	f, d    int     // length of a vector, and of its quantised copy
	split   int     // length of the first part of the copy: d where there is one part
	basis   *basis  // of the copy
	place   []int32 // row → position
	scratch *sync.Pool
}

// New returns an index over the rows of vectors, n×f row-major. It keeps vectors and
// reads them for exact scores: they must not change any more. f < 1 or vectors that
// are not whole rows panic. Cost is O(n f log f + n log n), and O(n f) for each of up to 512 clusters where rows stand by
// direction; at 64 dimensions about two seconds of one core for a million rows, and thrice that with clusters.
func New(vectors []float32, f int, cfg Config) *Index {
	if f < 1 || len(vectors)%f != 0 {
		panic(fmt.Sprintf("retrieve: an index over %d values in rows of %d", len(vectors), f))
	}
	b := &base{f: f, d: (f + 3) &^ 3, scratch: &sync.Pool{}}
	b.build(vectors, cfg)
	return &Index{base: b}
}

// Len is the number of rows.
func (x *Index) Len() int { return x.base.rows + x.tail.rows }

// Tail is the number of rows that were appended since New: the part that is scanned
// without the help of an order. Make a new index when it is no longer small.
func (x *Index) Tail() int { return x.Len() - x.base.rows }

// Factors is f, the length of a vector.
func (x *Index) Factors() int { return x.base.f }

// tailStart is the position of the tail's first row.
func (x *Index) tailStart() int { return x.base.groups() * group }

// positions is one more than the highest position, rounded up to whole groups.
func (x *Index) positions() int {
	return x.tailStart() + (x.Tail()+group-1)/group*group
}

// position is where the row stands, or −1 for a row that is not there.
func (x *Index) position(row int32) int {
	switch {
	case row < 0:
		return -1
	case int(row) < x.base.rows:
		return int(x.base.place[row])
	case int(row) < x.Len():
		return x.tailStart() + int(row) - x.base.rows
	}
	return -1
}

// Score computes the score of one row without an addend: what Top ranks by.
// q has length f. It is the slow way for one row; see Scores for all.
func (x *Index) Score(q []float32, row int32) float32 {
	var dst [1]float32
	rows, table := [1]int32{row}, x.base.vectors
	if int(row) >= x.base.rows {
		rows[0], table = row-int32(x.base.rows), x.tail.vectors
	}
	kernel.DotRows(dst[:], table, rows[:], q)
	return dst[0]
}

// Scores computes the scores of all rows without addends: sorting them gives what
// Top gives. dst has length Len and q length f. Cost is O(n f).
func (x *Index) Scores(q, dst []float32) {
	rows := make([]int32, 0, 256)
	each := func(dst, table []float32) {
		for at := 0; at < len(dst); at += cap(rows) {
			rows = rows[:0]
			for row := at; row < min(at+cap(rows), len(dst)); row++ {
				rows = append(rows, int32(row))
			}
			kernel.DotRows(dst[at:at+len(rows)], table, rows, q)
		}
	}
	each(dst[:x.base.rows], x.base.vectors)
	each(dst[x.base.rows:x.Len()], x.tail.vectors)
}
