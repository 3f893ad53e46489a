package itemitem

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"kindred/model/kernel"
	"kindred/model/rank"
	"kindred/model/sparse"
)

// ErrInexact means that float32 is not enough for this matrix and regularization.
var ErrInexact = errors.New("the inverse is not exact enough in float32: raise itemitem.regularization")

// fitEASE is the lists of MethodEASE: of the dense inverse where it fits into the
// memory, else of inverses of parts.
func fitEASE(ctx context.Context, x *sparse.CSR, cfg Config, progress func(done, total int)) (*sparse.CSR, Report, error) {
	e := newEASE(ctx, x, cfg, progress)
	solve := e.dense
	if bytes(e.n) > cfg.memory() {
		solve = e.parts
	}
	near, err := solve(ctx)
	if bytes(e.report.Dense) > giveBack {
		debug.FreeOSMemory() // else the collector would let the heap grow to twice the inverse first
	}
	if refused := (*kernel.NotPositiveError)(nil); errors.As(err, &refused) {
		err = fmt.Errorf("%w: %w", ErrInexact, err)
	}
	return near, e.report, err
}

// giveBack is the size from which the inverse's memory is given back at once.
const giveBack = 1 << 28

// ease is one fit.
type ease struct {
	*strengths
	cfg      Config
	n        int
	workers  int
	progress func(done, total int)
	report   Report
}

func newEASE(ctx context.Context, x *sparse.CSR, cfg Config, progress func(done, total int)) *ease {
	e := &ease{strengths: newStrengths(x, cfg), cfg: cfg, n: x.Cols, workers: cfg.workers(), progress: progress}
	e.report = Report{Method: MethodEASE, Items: e.n, Condition: e.norm(ctx) / cfg.Regularization}
	return e
}

// rowsAtOnce is how many rows of an inverse are read together.
const rowsAtOnce = 32

// bytes is the memory in which one worker inverts a matrix of order n and reads the weights
// from it. That of further workers is not in it, so that their number decides nothing.
func bytes(n int) int64 {
	return kernel.SymmetricBytes(n) + kernel.InvertBytes(n, 1) + rowsAtOnce*4*int64(n)
}

// dense is the lists of the inverse of the whole matrix.
func (e *ease) dense(ctx context.Context) (*sparse.CSR, error) {
	p := kernel.NewSymmetric(e.n)
	if err := gram(ctx, e.strengths, e.workers, p); err != nil {
		return nil, err
	}
	if err := p.Invert(ctx, e.workers, func(done, total int) { e.progress(e.n*done/(total+1), e.n) }); err != nil {
		return nil, err
	}
	if err := e.verify(p); err != nil {
		return nil, err
	}
	e.report.Dense = e.n
	diagonal := make([]float32, e.n)
	for i := range diagonal {
		diagonal[i] = p.At(i, i)
	}
	lists := make([][]rank.Ranked, e.n)
	scratch, sizes := make([][]float32, e.workers), make([][]float32, e.workers)
	err := parallel(ctx, e.workers, (e.n+rowsAtOnce-1)/rowsAtOnce, func(worker, at int) {
		if scratch[worker] == nil {
			scratch[worker], sizes[worker] = make([]float32, rowsAtOnce*e.n), make([]float32, e.n)
		}
		first := at * rowsAtOnce
		count := min(rowsAtOnce, e.n-first)
		p.Rows(first, count, scratch[worker])
		for r := range count {
			i, row := first+r, scratch[worker][r*e.n:(r+1)*e.n]
			if e.cfg.Cut == CutPast {
				for j, d := range diagonal {
					row[j] /= -d
				}
			} else {
				d := -diagonal[i]
				for j := range row {
					row[j] /= d
				}
			}
			row[i] = 0
			lists[i] = largest(row, sizes[worker], nil, e.cfg.Neighbours)
		}
	})
	if err != nil {
		return nil, err
	}
	near := pack(lists)
	if e.cfg.Cut == CutPast {
		near = near.Transpose()
	}
	return near, nil
}

// gram sets p to VᵀV + Λ. The sums are taken in float64, row by row, and rounded once.
func gram(ctx context.Context, v *strengths, workers int, p *kernel.Symmetric) error {
	n := p.N()
	sums, rows := make([][]float64, workers), make([][]float32, workers)
	return parallel(ctx, workers, n, func(worker, at int) {
		if sums[worker] == nil {
			sums[worker], rows[worker] = make([]float64, n), make([]float32, n)
		}
		i := n - 1 - at // the longest first
		sum, row := sums[worker][:i+1], rows[worker][:i+1]
		clear(sum)
		people, strengths := v.byItem.Row(i)
		for k, u := range people {
			addTo(sum, v.byUser, int(u), float64(strengths[k]))
		}
		sum[i] += v.ridge[i]
		for j, s := range sum {
			row[j] = float32(s)
		}
		p.SetRow(i, row)
	})
}

// addTo adds scale times the part of row u that lies before sum's end.
func addTo(sum []float64, x *sparse.CSR, u int, scale float64) {
	cols, vals := x.Row(u)
	for k, j := range cols {
		if int(j) >= len(sum) {
			return
		}
		sum[j] += scale * float64(vals[k])
	}
}

// largest is the keep weights of the largest size, none of them zero, by rising row; of
// equal size the first. sizes is memory as long as weights. rows, rising, are the rows that the weights are
// of; nil: all.
func largest(weights, sizes []float32, rows []int32, keep int) []rank.Ranked {
	for i, w := range weights {
		sizes[i] = max(w, -w)
	}
	best := rank.TopK(sizes[:len(weights)], keep, nil)
	for len(best) > 0 && best[len(best)-1].Score == 0 {
		best = best[:len(best)-1]
	}
	slices.SortFunc(best, func(a, b rank.Ranked) int { return int(a.Row - b.Row) })
	for k, b := range best {
		best[k].Score = weights[b.Row]
		if rows != nil {
			best[k].Row = rows[b.Row]
		}
	}
	return best
}
