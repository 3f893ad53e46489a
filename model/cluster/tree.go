package cluster

import (
	"math"
	"slices"
)

// Tree finds the points near a place: a k-d tree (Bentley, 1975) that is only an order of
// its points. The middle point of a range splits it: those before it are not above it in
// dimension Split, those behind it not below. It must not change once made.
type Tree struct {
	Points []float64 // n × dims, in the tree's order
	Split  []int32   // by point: the dimension in which it splits its range
	Dims   int
}

// leaf is up to how many points a range is gone through one by one.
const leaf = 12

// newTree orders the rows of x, and says which row of x became which point.
func newTree(x []float64, dims int) (*Tree, []int32) {
	n := len(x) / dims
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	t := &Tree{Points: make([]float64, 0, len(x)), Split: make([]int32, n), Dims: dims}
	t.build(x, order, 0, n)
	for _, i := range order {
		t.Points = append(t.Points, x[int(i)*dims:(int(i)+1)*dims]...)
	}
	return t, order
}

// build orders order[from:to] by splitting it at the median of its widest dimension.
func (t *Tree) build(x []float64, order []int32, from, to int) {
	for to-from > leaf {
		widest, width := 0, -1.0
		for d := range t.Dims {
			low, high := math.Inf(1), math.Inf(-1)
			for _, i := range order[from:to] {
				v := x[int(i)*t.Dims+d]
				low, high = min(low, v), max(high, v)
			}
			if high-low > width {
				widest, width = d, high-low
			}
		}
		part := order[from:to]
		slices.SortFunc(part, func(a, b int32) int {
			va, vb := x[int(a)*t.Dims+widest], x[int(b)*t.Dims+widest]
			switch {
			case va < vb:
				return -1
			case va > vb:
				return 1
			}
			return int(a) - int(b)
		})
		mid := (from + to) / 2
		t.Split[mid] = int32(widest)
		t.build(x, order, from, mid)
		from = mid + 1
	}
}

// point is the i-th point in the tree's order.
func (t *Tree) point(i int) []float64 { return t.Points[i*t.Dims : (i+1)*t.Dims] }

// query is one search: what is near z.
type query struct {
	tree *Tree
	z    []float64
	off  []float64 // by dimension: how far z is from the range being looked at (Arya & Mount, 1993)
	// limit is the squared distance up to which points are wanted. do may lower it.
	limit float64
	skip  func(from, to int) bool     // passes over a range, if not nil
	do    func(i int, d float64) bool // is called with every point, until it says no
}

// run searches the whole tree.
func (q *query) run() {
	var few [32]float64
	if q.off = few[:]; q.tree.Dims > len(few) {
		q.off = make([]float64, q.tree.Dims)
	}
	q.off = q.off[:q.tree.Dims]
	q.in(0, len(q.tree.Split), 0)
}

// in searches a range, whose box is at the squared distance away from z at least.
func (q *query) in(from, to int, away float64) bool {
	t := q.tree
	if to-from > leaf {
		if q.skip != nil && q.skip(from, to) {
			return true
		}
		mid := (from + to) / 2
		p, s := t.point(mid), t.Split[mid]
		off := q.z[s] - p[s]
		near, far := [2]int{from, mid}, [2]int{mid + 1, to}
		if off > 0 {
			near, far = far, near
		}
		if !q.in(near[0], near[1], away) {
			return false
		}
		if d := squared(q.z, p); d <= q.limit && !q.do(mid, d) {
			return false
		}
		former := q.off[s]
		beyond := away - former*former + off*off
		if beyond*(1-1e-12) > q.limit { // rounding must not lose a point
			return true
		}
		q.off[s] = off
		on := q.in(far[0], far[1], beyond)
		q.off[s] = former
		return on
	}
	for i := from; i < to; i++ {
		if d := squared(q.z, t.point(i)); d <= q.limit && !q.do(i, d) {
			return false
		}
	}
	return true
}

// nearest is the point nearest to z, of equally near ones the least by value, among those within the
// squared distance limit that wanted accepts (all, if nil), and that distance; -1 if there is none.
func (t *Tree) nearest(z []float64, limit float64, wanted func(i int) bool) (int, float64) {
	best := -1
	q := query{tree: t, z: z, limit: limit}
	q.do = func(i int, d float64) bool {
		if wanted != nil && !wanted(i) {
			return true
		}
		if best < 0 || d < q.limit || slices.Compare(t.point(i), t.point(best)) < 0 {
			best, q.limit = i, d
		}
		return true
	}
	q.run()
	return best, q.limit
}
