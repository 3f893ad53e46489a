package als

import (
	"context"
	"fmt"

	"kindred/model/kernel"
	"kindred/model/sparse"
)

// sweeper runs half-steps: solves every row of one side with the other held fixed.
// Its memory is what a fit needs beside factors and matrices, see the package comment.
type sweeper struct {
	loss    objective
	f       int
	workers int
	solver  string
	steps   int
	relax   float32 // ω of the half-step

	scratches []*scratch // one a worker, made when it first has work

	// Of the half-step: what all its rows share.
	gram     []float64 // a0·YᵀY, f × f, lower triangle; the eigen step destroys it
	values   []float64 // its eigenvalues
	vectors  []float64 // its eigenvectors, rows
	diagonal []float32 // the eigenvalues
	basis    []float32 // the eigenvectors, columns: a row y of either side becomes y·basis
	square   float64   // sum of the squares of Y
	half     []uint16  // Y·unit in half precision, or nil: rows are gathered from it
	unit     float64   // a power of two; with it diagonal is times unit²
}

// halfFrom is how many numbers of a side are worth a copy in half precision. A smaller side
// is near the processor anyway, and what is fitted from it is the same, but for the last
// digits, at every kernel level.
const halfFrom = 1 << 16

// newSweeper makes the memory that all workers share, for sides of at most so many rows.
func newSweeper(loss objective, cfg Config, workers, rows int) *sweeper {
	f := cfg.Factors
	s := &sweeper{loss: loss, f: f, workers: workers, solver: cfg.Solver, steps: cfg.CGSteps, relax: 1}
	s.scratches = make([]*scratch, workers)
	s.gram = make([]float64, f*f)
	if s.solver == SolverCG {
		s.values, s.vectors = make([]float64, f), make([]float64, f*f)
		s.diagonal, s.basis = make([]float32, f), make([]float32, f*f)
		if kernel.Current() > kernel.Generic && rows*f > halfFrom { // plain Go decodes slower than it waits for memory
			s.half = make([]uint16, rows*f)
		}
	}
	return s
}

// scratch is the worker's memory.
func (s *sweeper) scratch(worker int) *scratch {
	if s.scratches[worker] == nil {
		s.scratches[worker] = newScratch(s.f, s.loss, s.solver)
	}
	return s.scratches[worker]
}

// Sizes of the pieces that workers take. They depend on the data alone, never on
// the number of workers.
const (
	chunkEntries = 20000 // entries of a chunk of rows, each row counting rowCost more
	rowCost      = 30
)

// halfStep replaces every row of x by its solution for the fixed side y, where r
// holds the rows' entries in y. "cg" also rotates both sides into the eigenbasis of y's Gram matrix.
func (s *sweeper) halfStep(ctx context.Context, x, y []float32, r *sparse.CSR) error {
	if err := s.addGram(ctx, y); err != nil {
		return err
	}
	if s.solver == SolverCG {
		if err := s.toEigenbasis(ctx, y); err != nil {
			return err
		}
	}
	chunks := chunksOf(r)
	if err := s.each(ctx, len(chunks)-1, func(worker, chunk int) error {
		return s.solveRows(s.scratch(worker), x, y, r, chunks[chunk], chunks[chunk+1])
	}); err != nil {
		return err
	}
	if s.solver == SolverCG {
		return s.solveHuge(ctx, x, y, r)
	}
	return nil
}

// solveRows solves the rows from first to end, and leaves huge ones to solveHuge.
func (s *sweeper) solveRows(sc *scratch, x, y []float32, r *sparse.CSR, first, end int) error {
	if s.solver == SolverCG {
		s.rotate(sc, x[first*s.f:end*s.f])
	}
	half, last := s.halfOf(y), r.Ptr[end]
	for row := first; row < end; row++ {
		target := x[row*s.f : (row+1)*s.f]
		n := r.RowLen(row)
		if n == 0 {
			clear(target)
			continue
		}
		ridge := s.loss.ridge(n, r.Cols)
		_, vals := r.Row(row)
		sc.take(y, half, r.Col[r.Ptr[row]:last], vals)
		if s.solver == SolverCG && n > hugeEntries {
			continue
		}
		copy(sc.old, target)
		if s.solver == SolverCG {
			s.conjugate(sc, sc, target, ridge)
		} else if !sc.exact(target, s.gram, ridge) {
			return fmt.Errorf("row %d: %w", row, ErrSingular)
		}
		s.overshoot(target, sc.old)
	}
	return nil
}

// conjugate solves one row, with sc's memory, in the units of the fixed side: where that is multiplied by unit, the
// solution is divided by it, and diagonal and ridge are multiplied by its square. Powers of two round nothing.
func (s *sweeper) conjugate(sc *scratch, sys system, x []float32, ridge float64) {
	if s.unit != 1 {
		kernel.Affine(x, x, float32(1/s.unit), 0)
		ridge *= s.unit * s.unit
	}
	direct := s.f <= directFactors && len(sc.vals) >= directEntries && len(sc.vals) <= hugeEntries
	if !direct || !sc.direct(x, s.diagonal, ridge) {
		sc.conjugate(sys, x, s.diagonal, ridge, s.steps)
	}
	if s.unit != 1 {
		kernel.Affine(x, x, float32(s.unit), 0)
	}
}

// overshoot moves x, the solution of a row that was old before, on to old + ω(x − old).
func (s *sweeper) overshoot(x, old []float32) {
	if s.relax != 1 {
		kernel.Affine(x, x, s.relax, 0)
		kernel.Axpy(1-s.relax, old, x)
	}
}

// chunksOf cuts the rows into runs of similar cost: chunk i is rows [c[i], c[i+1]).
func chunksOf(r *sparse.CSR) []int {
	cuts, cost := []int{0}, 0
	for row := range r.Rows {
		if cost += r.RowLen(row) + rowCost; cost >= chunkEntries || row == r.Rows-1 {
			cuts, cost = append(cuts, row+1), 0
		}
	}
	return cuts
}
