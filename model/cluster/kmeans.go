package cluster

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrTooFewRows: there are not enough rows to tell groups apart.
var ErrTooFewRows = errors.New("too few rows to cluster")

// Result is one clustering.
type Result struct {
	K          int       // clusters found: fewer than asked where the rows hold fewer distinct points
	Centroids  []float64 // K × dims
	Labels     []int32   // by row, in [0, K); of DBSCAN also Outlier
	Sizes      []int64   // rows by cluster, all above 0 but for components that others cover
	Inertia    float64   // about the centroids, without outliers
	Iterations int       // of the best start

	Mixture *MixtureResult // of the mixture
	Density *DensityResult // of DBSCAN
}

// KMeans clusters the rows of x, row-major with dims finite values each and usually
// scaled, into cfg.K clusters. It returns the best of cfg.Starts. progress, where
// not nil, counts starts. x is not changed. Cost is O(starts · iterations · rows ·
// K · dims). The error is ErrTooFewRows, cfg's, ctx's, or says that x is not a whole number
// of finite rows.
func KMeans(ctx context.Context, x []float64, dims int, cfg Config, progress func(done, total int)) (*Result, error) {
	r, err := checkedRows(x, dims, cfg)
	if err != nil {
		return nil, err
	}
	// A start only has to show whether it is worth going on; the best goes on to the end.
	short := cfg
	short.Tolerance = max(cfg.Tolerance, shortFall)
	var best *Result
	for start := range cfg.Starts {
		centroids, err := r.seeds(ctx, cfg.K, cfg.Seed, uint64(start))
		if err != nil {
			return nil, err
		}
		found, err := r.lloyd(ctx, centroids, short)
		if err != nil {
			return nil, err
		}
		if best == nil || found.Inertia < best.Inertia {
			best = found
		}
		if progress != nil {
			progress(start+1, cfg.Starts)
		}
	}
	if cfg.MaxIterations -= best.Iterations; cfg.MaxIterations < 1 || cfg.Tolerance >= shortFall {
		return best, nil
	}
	found, err := r.lloyd(ctx, slices.Clone(best.Centroids), cfg)
	if err != nil {
		return nil, err
	}
	found.Iterations += best.Iterations
	return found, nil
}

// shortFall is the Tolerance of a start before it is known to be the best.
const shortFall = 1e-4

// checkedRows is x as rows that can be clustered into cfg.K.
func checkedRows(x []float64, dims int, cfg Config) (rows, error) {
	if err := cfg.Validate(); err != nil {
		return rows{}, err
	}
	if cfg.K < 1 {
		return rows{}, fmt.Errorf("cluster: k is %d: must be 1 or more", cfg.K)
	}
	r, err := finiteRows(x, dims, cfg.Workers)
	if err == nil && r.n < cfg.K {
		err = fmt.Errorf("cluster %d rows into %d: %w", r.n, cfg.K, ErrTooFewRows)
	}
	return r, err
}

// finiteRows wraps x, unless it is not whole rows of finite values.
func finiteRows(x []float64, dims, workers int) (rows, error) {
	if dims < 1 || len(x)%dims != 0 {
		return rows{}, fmt.Errorf("cluster: %d values are not rows of %d dimensions", len(x), dims)
	}
	if at := slices.IndexFunc(x, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }); at >= 0 {
		return rows{}, fmt.Errorf("cluster: row %d, dimension %d is %v: scale the rows first", at/dims, at%dims, x[at])
	}
	return newRows(x, dims, workers), nil
}

// lloyd holds the state of one start.
type lloyd struct {
	rows
	k         int
	centroids []float64
	labels    []int32
	distance  []float64 // squared, of each row to its centroid
	sums      []float64 // blocks × k × dims
	counts    []int64   // blocks × k
	inertia   []float64 // by block
	moved     []bool    // by block: a label changed
}

// lloyd iterates from the given centroids, which it takes over, until no row moves.
func (r rows) lloyd(ctx context.Context, centroids []float64, cfg Config) (*Result, error) {
	k := len(centroids) / r.dims
	s := &lloyd{
		rows: r, k: k, centroids: centroids,
		labels: slices.Repeat([]int32{-1}, r.n), distance: make([]float64, r.n),
		sums: make([]float64, r.blocks()*k*r.dims), counts: make([]int64, r.blocks()*k),
		inertia: make([]float64, r.blocks()), moved: make([]bool, r.blocks()),
	}
	last := math.Inf(1)
	for iteration := 1; ; iteration++ {
		if err := s.each(ctx, s.assign); err != nil {
			return nil, err
		}
		inertia := 0.0
		for _, j := range s.inertia {
			inertia += j
		}
		settled := !slices.Contains(s.moved, true) || last-inertia <= cfg.Tolerance*last && !math.IsInf(last, 1)
		sizes := s.reduce()
		if iteration >= cfg.MaxIterations || s.fill(sizes) == 0 && settled {
			return s.result(sizes, inertia, iteration), nil
		}
		s.update(sizes)
		last = inertia
	}
}

// assign gives the rows of one block to their nearest centroids, equal distances to
// the lower number, and sums them up.
func (s *lloyd) assign(b, from, to int) {
	sums, counts := s.sums[b*s.k*s.dims:(b+1)*s.k*s.dims], s.counts[b*s.k:(b+1)*s.k]
	clear(sums)
	clear(counts)
	s.inertia[b], s.moved[b] = 0, false
	for i := from; i < to; i++ {
		x := s.row(i)
		best, nearest := 0, math.Inf(1)
		for c := range s.k {
			if d := squared(x, s.centroids[c*s.dims:(c+1)*s.dims]); d < nearest {
				best, nearest = c, d
			}
		}
		if s.labels[i] != int32(best) {
			s.labels[i], s.moved[b] = int32(best), true
		}
		s.distance[i] = nearest
		s.inertia[b] += nearest
		counts[best]++
		sum := sums[best*s.dims : (best+1)*s.dims]
		for d, v := range x {
			sum[d] += v
		}
	}
}

// reduce adds the blocks' sums to the first block's, in order, and returns the sizes.
func (s *lloyd) reduce() []int64 {
	sums, sizes := s.sums[:s.k*s.dims], slices.Clone(s.counts[:s.k])
	for b := 1; b < s.blocks(); b++ {
		for i, v := range s.sums[b*s.k*s.dims : (b+1)*s.k*s.dims] {
			sums[i] += v
		}
		for c, n := range s.counts[b*s.k : (b+1)*s.k] {
			sizes[c] += n
		}
	}
	return sizes
}

// fill gives every empty cluster the row farthest from its own centroid (the first
// of equal ones), out of its former cluster, and returns how many it filled: not all
// where the rows hold fewer distinct points than clusters.
func (s *lloyd) fill(sizes []int64) (filled int) {
	sums := s.sums[:s.k*s.dims]
	for c, size := range sizes {
		if size > 0 {
			continue
		}
		far := -1
		for i, d := range s.distance {
			if d > 0 && sizes[s.labels[i]] > 1 && (far < 0 || d > s.distance[far]) {
				far = i
			}
		}
		if far < 0 {
			return filled
		}
		donor := int(s.labels[far])
		for d, v := range s.row(far) {
			sums[donor*s.dims+d] -= v
			sums[c*s.dims+d] = v
		}
		sizes[donor]--
		sizes[c] = 1
		s.labels[far], s.distance[far] = int32(c), 0
		filled++
	}
	return filled
}

// update moves every centroid to the mean of its rows; one without rows stays.
func (s *lloyd) update(sizes []int64) {
	for c, size := range sizes {
		for d := range s.dims {
			if size > 0 {
				s.centroids[c*s.dims+d] = s.sums[c*s.dims+d] / float64(size)
			}
		}
	}
}

// result drops empty clusters and returns the rest. Labels, sizes and inertia are
// those of the centroids as they were when the rows were last assigned.
func (s *lloyd) result(sizes []int64, inertia float64, iterations int) *Result {
	r := &Result{Labels: s.labels, Inertia: inertia, Iterations: iterations}
	renumbered := make([]int32, s.k)
	for c, size := range sizes {
		if size == 0 {
			continue
		}
		renumbered[c] = int32(r.K)
		r.K++
		r.Sizes = append(r.Sizes, size)
		r.Centroids = append(r.Centroids, s.centroids[c*s.dims:(c+1)*s.dims]...)
	}
	for i, label := range r.Labels {
		r.Labels[i] = renumbered[label]
	}
	return r
}

// Inertia is the sum of squared distances of the rows of x to their nearest centroids.
func Inertia(x []float64, dims int, centroids []float64) float64 {
	sum := 0.0
	for i := 0; i < len(x); i += dims {
		nearest := math.Inf(1)
		for c := 0; c < len(centroids); c += dims {
			nearest = min(nearest, squared(x[i:i+dims], centroids[c:c+dims]))
		}
		sum += nearest
	}
	return sum
}
