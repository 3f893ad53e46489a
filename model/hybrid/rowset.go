package hybrid

import (
	"runtime"
	"sync"
	"sync/atomic"

	"kindred/model/rank"
	"kindred/model/retrieve"
)

// RowSet is a set of rows of one Index laid out for it, made to be kept between
// requests. nil stands for no set. It is safe for concurrent use.
type RowSet struct {
	set    *rank.Set
	mask   atomic.Pointer[retrieve.Mask]
	count  int     // known rows
	listed []int32 // all of them where they are few

	index *Index       // nil: not to be packed
	uses  atomic.Int32 // by searches, until it is being packed
}

// RowSet lays a set out. set is kept and must not change; rows beyond the index
// are ignored. Cost is O(items/64 + rows), memory items/4 bytes. Without an index, x
// nil, it may hold all rows of a blend.
func (x *Index) RowSet(set *rank.Set) *RowSet {
	r := &RowSet{set: set}
	if x == nil || x.rows == nil {
		r.count = few + 1 // not looked at
		return r
	}
	r.mask.Store(x.rows.Mask(set))
	rows := set.Rows()
	for len(rows) > 0 && int(rows[len(rows)-1]) >= x.items {
		rows = rows[:len(rows)-1]
	}
	if r.count = len(rows); r.count <= few {
		r.listed = rows
	}
	return r
}

// Category is RowSet for a set that many requests will ask for as Filter.Only: the index
// copies its rows' codes together, which makes asking for it cheaper than for all rows. That takes about 2 ms
// for 1000 rows, in the background and from the second request on, one set at a time.
func (x *Index) Category(set *rank.Set) *RowSet {
	r := x.RowSet(set)
	if x != nil && x.rows != nil && r.count > few && 2*r.count <= x.items {
		r.index = x
	}
	return r
}

// packing lays out the sets of one index, one at a time, for at most 2·items rows in all
// of the sets that are in use.
type packing struct {
	one  sync.Mutex
	rows atomic.Int64
}

// pack lays r out, unless the index has no room for it.
func (x *Index) pack(r *RowSet) {
	p, n := &x.packing, int64(r.count)
	p.one.Lock()
	defer p.one.Unlock()
	if p.rows.Add(n) > 2*int64(x.items) {
		p.rows.Add(-n)
		return
	}
	runtime.AddCleanup(r, func(n int64) { p.rows.Add(-n) }, n)
	r.mask.Store(r.mask.Load().Pack())
}

// Has reports whether the row is in the set.
func (r *RowSet) Has(row int32) bool { return r != nil && r.set.Has(row) }

// rows is the set itself, nil for no set.
func (r *RowSet) rows() *rank.Set {
	if r == nil {
		return nil
	}
	return r.set
}

// laid is the set as the index's search reads it, or nil for no set.
func (r *RowSet) laid() *retrieve.Mask {
	if r == nil {
		return nil
	}
	if r.index != nil && r.uses.Load() < 2 && r.uses.Add(1) == 2 {
		go r.index.pack(r)
	}
	return r.mask.Load()
}
