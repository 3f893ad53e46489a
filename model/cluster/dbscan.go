package cluster

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// Outlier is the number of who belongs to no group of DBSCAN.
const Outlier int32 = -1

// DensityResult is what DBSCAN finds.
type DensityResult struct {
	K        int     // groups; there may be none
	Labels   []int32 // by row: its group, or Outlier
	Core     []bool  // by row
	Sizes    []int64 // rows by group, border rows included
	Outliers int64
	Radius   float64
}

// DBSCAN finds dense groups among the rows of x, row-major with dims finite values each and usually
// scaled (Ester, Kriegel, Sander & Xu, 1996). A row is a core when cfg.MinPoints rows,
// itself included, are within cfg.Radius of it; cores within the radius of each other are of one
// group; any other row is of the group of its nearest core within the radius, of equally
// near ones the one that comes first by value, so that no row's group depends on the order of rows; or an outlier. Groups
// are numbered by their first core. x is not changed. Cost is O(rows · neighbours) and
// the search for them, O(log rows) each in few dimensions. Errors are as for KMeans.
func DBSCAN(ctx context.Context, x []float64, dims int, cfg Config) (*DensityResult, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if !(cfg.Radius > 0) {
		return nil, fmt.Errorf("cluster: radius is %v: must be above 0", cfg.Radius)
	}
	r, err := finiteRows(x, dims, cfg.Workers)
	if err != nil {
		return nil, err
	}
	tree, rowOf := newTree(x, dims)
	d := &dbscan{rows: r, tree: tree, rowOf: rowOf, limit: cfg.Radius * cfg.Radius}
	if err := d.cores(ctx, cfg.MinPoints); err != nil {
		return nil, err
	}
	if err := d.connect(ctx); err != nil {
		return nil, err
	}
	labels, err := d.label(ctx)
	if err != nil {
		return nil, err
	}
	out := &DensityResult{Labels: labels, Core: d.core, Radius: cfg.Radius}
	for _, c := range labels {
		if c == Outlier {
			out.Outliers++
			continue
		}
		if int(c) >= out.K {
			out.K = int(c) + 1
			out.Sizes = append(out.Sizes, make([]int64, out.K-len(out.Sizes))...)
		}
		out.Sizes[c]++
	}
	return out, nil
}

// dbscan is one run.
type dbscan struct {
	rows
	tree  *Tree   // of all rows, then of the cores
	rowOf []int32 // by point of the tree
	limit float64 // radius squared
	core  []bool  // by row
	up    []int32 // by point of the tree of cores: union-find
}

// cores finds the core rows, and makes the tree one of them.
func (d *dbscan) cores(ctx context.Context, minPoints int) error {
	d.core = make([]bool, d.n)
	err := d.each(ctx, func(_, from, to int) {
		for i := from; i < to; i++ {
			found := 0
			q := query{tree: d.tree, z: d.row(i), limit: d.limit, do: func(int, float64) bool { found++; return found < minPoints }}
			q.run()
			d.core[i] = found == minPoints
		}
	})
	var x []float64
	var rows []int32
	for i, core := range d.core {
		if core {
			x, rows = append(x, d.row(i)...), append(rows, int32(i))
		}
	}
	tree, order := newTree(x, d.dims)
	for i, at := range order {
		order[i] = rows[at]
	}
	d.tree, d.rowOf = tree, order
	return err
}

// connect joins cores within the radius of each other. From time to time it notes which ranges of
// the tree are of one group already, so that cores of that group need not look there. The groups
// do not depend on the order in which they grow.
func (d *dbscan) connect(ctx context.Context) error {
	n := len(d.rowOf)
	d.up = make([]int32, n)
	for i := range d.up {
		d.up[i] = int32(i)
	}
	whole := make([]int32, n) // by the middle of a range: a core of its only group, or -1
	d.uniform(whole, 0, n)
	step := int(float64(n) * .618) // cores from all over the place first
	for step > 1 && gcd(step, n) > 1 {
		step--
	}
	at := int32(0)
	q := query{tree: d.tree, limit: d.limit}
	q.skip = func(from, to int) bool {
		g := whole[(from+to)/2]
		return g >= 0 && d.root(g) == d.root(at)
	}
	q.do = func(j int, _ float64) bool { d.join(at, int32(j)); return true }
	for done, note := 0, 16; done < n; done++ {
		if done == note {
			if err := ctx.Err(); err != nil {
				return err
			}
			d.uniform(whole, 0, n)
			note += max(note/4, 16)
		}
		at = int32((done * max(step, 1)) % n)
		q.z = d.tree.point(int(at))
		q.run()
	}
	return ctx.Err()
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// uniform fills in whole for the ranges below [from, to), and returns the range's own.
func (d *dbscan) uniform(whole []int32, from, to int) int32 {
	if from == to {
		return -1
	}
	if to-from <= leaf {
		root := d.root(int32(from))
		for i := from + 1; i < to; i++ {
			if d.root(int32(i)) != root {
				return -1
			}
		}
		return root
	}
	mid := (from + to) / 2
	a, b := d.uniform(whole, from, mid), d.uniform(whole, mid+1, to)
	whole[mid] = -1
	if root := d.root(int32(mid)); a == root && b == root {
		whole[mid] = root
	}
	return whole[mid]
}

func (d *dbscan) root(i int32) int32 {
	for d.up[i] != i {
		d.up[i] = d.up[d.up[i]]
		i = d.up[i]
	}
	return i
}

func (d *dbscan) join(i, j int32) {
	if a, b := d.root(i), d.root(j); a != b {
		d.up[max(a, b)] = min(a, b)
	}
}

// label numbers the groups by their first core, and gives every row its own.
func (d *dbscan) label(ctx context.Context) ([]int32, error) {
	pointOf := make([]int32, d.n)
	for p, row := range d.rowOf {
		pointOf[row] = int32(p)
	}
	roots := make([]int32, len(d.rowOf))
	for p := range roots {
		roots[p] = d.root(int32(p))
	}
	numbers := map[int32]int32{}
	labels := make([]int32, d.n)
	for i, core := range d.core {
		if !core {
			continue
		}
		root := roots[pointOf[i]]
		if _, known := numbers[root]; !known {
			numbers[root] = int32(len(numbers))
		}
		labels[i] = numbers[root]
	}
	return labels, d.each(ctx, func(_, from, to int) {
		for i := from; i < to; i++ {
			if d.core[i] {
				continue
			}
			labels[i] = Outlier
			if p, _ := d.tree.nearest(d.row(i), d.limit, nil); p >= 0 {
				labels[i] = numbers[roots[p]]
			}
		}
	})
}

// reach is by row the distance to its n-th nearest row, itself the first; for at most most rows, evenly
// chosen. It rises.
func (r rows) reach(ctx context.Context, n, most int) ([]float64, error) {
	tree, _ := newTree(r.x, r.dims)
	step := max(1, (r.n+most-1)/most)
	sample := rows{n: (r.n + step - 1) / step, workers: r.workers}
	out := make([]float64, sample.n)
	n = min(n, r.n)
	err := sample.each(ctx, func(_, from, to int) {
		near := make([]float64, 0, n+1)
		for i := from; i < to; i++ {
			near = near[:0]
			q := query{tree: tree, z: r.row(i * step), limit: math.Inf(1)}
			q.do = func(_ int, d float64) bool {
				at, _ := slices.BinarySearch(near, d)
				near = slices.Insert(near, at, d)
				if near = near[:min(len(near), n)]; len(near) == n {
					q.limit = near[n-1]
				}
				return true
			}
			q.run()
			out[i] = math.Sqrt(near[n-1])
		}
	})
	slices.Sort(out)
	return out, err
}
