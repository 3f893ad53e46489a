package retrieve

import (
	"fmt"
	"slices"
	"sync/atomic"
)

// tail is the rows appended since New, in their order. Whole groups are quantised,
// the rest of less than a group is always scored exactly. Indexes that Append made one from the other
// share the arrays: each sees its own length.
type tail struct {
	segment
	claimed *atomic.Int64 // rows written to the shared arrays, by whichever index
}

// Append returns an index with the rows of vectors, whole rows of length f, after
// those of x, which stays as it is. The values are copied. Cost is O(new · f log f)
// on the average over a chain of appends; appending to one index twice copies its tail. The tail
// is scanned in full by every query: see Tail.
func (x *Index) Append(vectors []float32) *Index {
	f, d := x.base.f, x.base.d
	if len(vectors)%f != 0 {
		panic(fmt.Sprintf("retrieve: append %d values in rows of %d", len(vectors), f))
	}
	n := len(vectors) / f
	if n == 0 {
		return x
	}
	t := x.tail
	if t.claimed == nil || !t.claimed.CompareAndSwap(int64(t.rows), int64(t.rows+n)) {
		// Somebody else has already written behind our rows, or nobody has written any.
		t.vectors, t.meta = slices.Clip(t.vectors), slices.Clip(t.meta)
		t.heads, t.tails = slices.Clip(t.heads), slices.Clip(t.tails)
		t.claimed = new(atomic.Int64)
		t.claimed.Store(int64(t.rows + n))
	}
	t.masked = true
	t.vectors = append(t.vectors, vectors...)
	t.rows += n
	z := newQuantizer(f, d, x.base.basis)
	for g := t.groups(); (g+1)*group <= t.rows; g++ {
		var rows [group]int32
		for i := range rows {
			rows[i] = int32(g*group + i)
		}
		t.grow(1, x.base.split, d)
		z.rows(t.vectors, rows[:])
		z.group(0, t.from(g, x.base.split, d))
	}
	return &Index{base: x.base, tail: t}
}
