package als

import (
	"context"

	"kindred/model/kernel"
	"kindred/model/sparse"
)

// hugeEntries is the length from which a row is solved by all workers together, so that the one
// item that everybody uses does not keep the others waiting.
const hugeEntries = 1 << 16

// solveHuge solves the rows that solveRows left out, one after the other.
func (s *sweeper) solveHuge(ctx context.Context, x, y []float32, r *sparse.CSR) error {
	for row := range r.Rows {
		n := r.RowLen(row)
		if n <= hugeEntries {
			continue
		}
		t := &team{s: s, ctx: ctx, y: y}
		t.cols, t.vals = r.Row(row)
		sc := s.scratch(0)
		sc.take(y, s.halfOf(y), t.cols, t.vals)
		t.parts = make([]float32, sc.pieces()*s.f)
		target := x[row*s.f : (row+1)*s.f]
		copy(sc.old, target)
		s.conjugate(sc, t, target, s.loss.ridge(n, r.Cols))
		if t.err != nil {
			return t.err
		}
		s.overshoot(target, sc.old)
	}
	return nil
}

// team is the system of a row whose passes are cut into pieces that the workers
// share. Each piece's part is kept and they are added in order, as one worker does.
type team struct {
	s     *sweeper
	ctx   context.Context // of the half-step; conjugate knows no errors
	y     []float32
	cols  []int32
	vals  []float32
	parts []float32 // pieces × f
	err   error     // the first
}

func (t *team) addResidual(r, x []float32) {
	t.pass(r, func(sc *scratch, i int, part []float32) { sc.pieceResidual(i, part, x) })
}

func (t *team) addProduct(out, p []float32) {
	t.pass(out, func(sc *scratch, i int, part []float32) { sc.pieceProduct(i, part, p) })
}

func (t *team) pass(out []float32, do func(sc *scratch, i int, part []float32)) {
	f := t.s.f
	err := t.s.each(t.ctx, len(t.parts)/f, func(worker, i int) error {
		sc := t.s.scratch(worker)
		sc.take(t.y, t.s.halfOf(t.y), t.cols, t.vals)
		do(sc, i, t.parts[i*f:(i+1)*f])
		return nil
	})
	if t.err == nil {
		t.err = err
	}
	for i := 0; i < len(t.parts); i += f {
		kernel.Axpy(1, t.parts[i:i+f], out)
	}
}
