package itemitem

import (
	"context"
	"math"
	"slices"

	"kindred/model/rank"
	"kindred/model/sparse"
)

// fitCosine is the lists of MethodCosine.
func fitCosine(ctx context.Context, x *sparse.CSR, cfg Config) (*sparse.CSR, error) {
	b := newBuilder(x, cfg)
	rows, err := b.lists(ctx, cfg.workers())
	if err != nil {
		return nil, err
	}
	lists := pack(rows)
	if cfg.Cut == CutPast {
		lists = lists.Transpose()
	}
	return lists, nil
}

// builder finds lists of items that share people; it is only read.
type builder struct {
	*strengths
	own, other []float64 // factors of the denominator: of the list's owner, of the others
	shrink     float64
	keep       int
}

// newBuilder takes the powers of the norms that make the similarity of the package comment.
func newBuilder(x *sparse.CSR, cfg Config) *builder {
	v := newStrengths(x, cfg)
	b := &builder{strengths: v, own: make([]float64, x.Cols), other: make([]float64, x.Cols), shrink: cfg.Shrink, keep: cfg.Neighbours}
	owner := cfg.Asymmetry // the owner is the target
	if cfg.Cut == CutPast {
		owner = 1 - cfg.Asymmetry
	}
	for i, s := range v.squares {
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
		s := float32(sums[j] / (b.own[i]*b.other[j] + b.shrink))
		if int(j) != i && s > 0 && s <= math.MaxFloat32 {
			found = append(found, rank.Ranked{Row: j, Score: s})
		}
		sums[j] = 0
	}
	best := slices.Clone(rank.Best(found, b.keep))
	slices.SortFunc(best, func(a, b rank.Ranked) int { return int(a.Row - b.Row) })
	return best, touched
}

// lists are the lists of all items.
func (b *builder) lists(ctx context.Context, workers int) ([][]rank.Ranked, error) {
	rows := make([][]rank.Ranked, b.byItem.Rows)
	type scratch struct {
		sums    []float64
		touched []int32
	}
	all := make([]scratch, workers)
	err := parallel(ctx, workers, len(rows), func(worker, i int) {
		s := &all[worker]
		if s.sums == nil {
			s.sums = make([]float64, len(rows))
		}
		rows[i], s.touched = b.neighbours(i, s.sums, s.touched[:0])
	})
	return rows, err
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
