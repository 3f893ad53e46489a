package itemitem

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"kindred/model/rank"
	"kindred/model/sparse"
)

// Fit finds every item's neighbours in x, people × items, whose values are
// strengths r > 0. progress, if not nil, is called from the calling goroutine when done.
//
// The error is the configuration's, a matrix that is not valid, or the context's, which
// is looked at between items. x is not changed. Cost is O(Σ_u |S_u|²) time
// and O(n·Neighbours) memory.
func Fit(ctx context.Context, x *sparse.CSR, cfg Config, progress func(done, total int)) (*Model, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("fit itemitem: %w", err)
	}
	if err := x.Validate(); err != nil {
		return nil, fmt.Errorf("fit itemitem: %w", err)
	}
	for u := range x.Rows {
		cols, vals := x.Row(u)
		for i, v := range vals {
			if v <= 0 {
				return nil, fmt.Errorf("fit itemitem: row %d column %d: strength %v must be above 0", u, cols[i], v)
			}
		}
	}
	b := newBuilder(x, cfg)
	rows := make([][]rank.Ranked, x.Cols)
	workers := cfg.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(workers, x.Cols) {
		wait.Go(func() {
			sums := make([]float64, x.Cols)
			var touched []int32
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= x.Cols {
					return
				}
				rows[i], touched = b.neighbours(i, sums, touched[:0])
			}
		})
	}
	wait.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("fit itemitem: %w", err)
	}
	if progress != nil {
		progress(x.Cols, x.Cols)
	}
	lists := pack(rows)
	if cfg.Cut == CutPast {
		lists = lists.Transpose()
	}
	return newModel(cfg.Binary, lists), nil
}

// builder is what all lists are computed from; it is only read.
type builder struct {
	cfg            Config
	byUser, byItem *sparse.CSR // scaled strengths v
	own, other     []float64   // powers of |v|² in the denominator: of the list's owner, of the others
}

// newBuilder scales the strengths and takes the norms.
func newBuilder(x *sparse.CSR, cfg Config) *builder {
	v := &sparse.CSR{Rows: x.Rows, Cols: x.Cols, Ptr: x.Ptr, Col: x.Col, Val: slices.Clone(x.Val)}
	squares := make([]float64, x.Cols)
	for u := range v.Rows {
		cols, vals := v.Row(u)
		scale := math.Pow(float64(max(len(cols), 1)), -cfg.PersonExponent)
		for i, c := range cols {
			if cfg.Binary {
				vals[i] = 1
			}
			vals[i] = float32(float64(vals[i]) * scale)
			squares[c] += float64(vals[i]) * float64(vals[i])
		}
	}
	b := &builder{cfg: cfg, byUser: v, byItem: v.Transpose(), own: make([]float64, x.Cols), other: make([]float64, x.Cols)}
	owner := cfg.Asymmetry // the owner is the target
	if cfg.Cut == CutPast {
		owner = 1 - cfg.Asymmetry
	}
	for i, s := range squares {
		b.own[i] = math.Pow(s, owner)
		b.other[i] = math.Pow(s, 1-owner)
	}
	return b
}

// neighbours returns the list that item i owns, by rising row. sums is all zero
// before and after; touched is memory to use.
func (b *builder) neighbours(i int, sums []float64, touched []int32) ([]rank.Ranked, []int32) {
	people, strengths := b.byItem.Row(i)
	for p, u := range people {
		vi := float64(strengths[p])
		cols, vals := b.byUser.Row(int(u))
		for k, j := range cols {
			if sums[j] == 0 {
				touched = append(touched, j)
			}
			sums[j] += vi * float64(vals[k])
		}
	}
	found := make([]rank.Ranked, 0, len(touched))
	for _, j := range touched {
		s := float32(sums[j] / (b.own[i]*b.other[j] + b.cfg.Shrink))
		if int(j) != i && s > 0 && s <= math.MaxFloat32 {
			found = append(found, rank.Ranked{Row: j, Score: s})
		}
		sums[j] = 0
	}
	best := slices.Clone(rank.Best(found, b.cfg.Neighbours))
	slices.SortFunc(best, func(a, b rank.Ranked) int { return int(a.Row - b.Row) })
	return best, touched
}

// pack lays the lists into one square matrix.
func pack(rows [][]rank.Ranked) *sparse.CSR {
	m := &sparse.CSR{Rows: len(rows), Cols: len(rows), Ptr: make([]int64, len(rows)+1)}
	for i, row := range rows {
		for _, n := range row {
			m.Col, m.Val = append(m.Col, n.Row), append(m.Val, n.Score)
		}
		m.Ptr[i+1] = int64(len(m.Col))
	}
	return m
}
