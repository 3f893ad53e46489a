package als

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/mat"

	"kindred/model/kernel"
	"kindred/model/sparse"
)

// sweeper runs half-steps: solves every row of one side with the other held fixed.
type sweeper struct {
	loss    objective
	f       int
	workers int
	solver  string
	steps   int
}

// Sizes of the pieces that workers take. They depend on the data alone, never on
// the number of workers.
const (
	chunkEntries = 20000 // entries of a chunk of rows, each row counting rowCost more
	rowCost      = 30
	gramRows     = 4096 // rows whose Gram matrix is added up as one piece, at least
	gramPieces   = 64   // and at most so many pieces
	rotateRows   = 512
)

// halfStep replaces every row of x by its solution for the fixed side y, where r
// holds the rows' entries in y. "cg" also rotates both sides into the eigenbasis of y's Gram matrix.
func (s *sweeper) halfStep(ctx context.Context, x, y []float32, r *sparse.CSR) error {
	gram, err := s.gram(ctx, y)
	if err != nil {
		return err
	}
	var diagonal []float32
	if s.solver == SolverCG {
		if diagonal, err = s.rotate(ctx, gram, x, y); err != nil {
			return err
		}
	}
	chunks := chunksOf(r)
	scratches := make([]*scratch, s.workers)
	return s.each(ctx, len(chunks)-1, func(worker, chunk int) error {
		if scratches[worker] == nil {
			scratches[worker] = newScratch(s.f)
		}
		sc := scratches[worker]
		for row := chunks[chunk]; row < chunks[chunk+1]; row++ {
			target := x[row*s.f : (row+1)*s.f]
			if r.RowLen(row) == 0 {
				clear(target)
				continue
			}
			sc.gather(s, y, r, row)
			if s.solver == SolverCG {
				sc.conjugate(target, diagonal, s.loss.ridge(r.RowLen(row), r.Cols), s.steps)
			} else if !sc.exact(target, gram, s.loss.ridge(r.RowLen(row), r.Cols)) {
				return fmt.Errorf("row %d: %w", row, ErrSingular)
			}
		}
		return nil
	})
}

// gram is a0·yᵀy in float64, lower triangle: pieces of a fixed number of rows, added in order.
func (s *sweeper) gram(ctx context.Context, y []float32) ([]float64, error) {
	f := s.f
	n := len(y) / f
	size := max(gramRows, (n+gramPieces-1)/gramPieces)
	pieces := make([][]float64, (n+size-1)/size)
	err := s.each(ctx, len(pieces), func(_, i int) error {
		pieces[i] = make([]float64, f*f)
		kernel.Syrk(pieces[i], y[i*size*f:min((i+1)*size, n)*f], nil, f, make([]float64, 4*f))
		return nil
	})
	sum := make([]float64, f*f)
	for _, p := range pieces {
		for i, v := range p {
			sum[i] += v
		}
	}
	for i := range sum {
		sum[i] *= s.loss.unobserved
	}
	return sum, err
}

// rotate writes both sides in the eigenbasis of gram and returns its eigenvalues.
func (s *sweeper) rotate(ctx context.Context, gram []float64, x, y []float32) ([]float32, error) {
	f := s.f
	symmetric := mat.NewSymDense(f, nil)
	for j := range f {
		for k := range j + 1 {
			symmetric.SetSym(j, k, gram[j*f+k])
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(symmetric, true) {
		return nil, fmt.Errorf("eigenvalues of the Gram matrix: no convergence: %w", ErrSingular)
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	basis := make([]float32, f*f)
	diagonal := make([]float32, f)
	for j, v := range eigen.Values(nil) {
		diagonal[j] = float32(max(v, 0))
		for k := range f {
			basis[k*f+j] = float32(vectors.At(k, j))
		}
	}
	for _, side := range [][]float32{x, y} {
		n := len(side) / f
		err := s.each(ctx, (n+rotateRows-1)/rotateRows, func(_, i int) error {
			kernel.MulRows(side[i*rotateRows*f:min((i+1)*rotateRows, n)*f], basis, make([]float32, f))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return diagonal, nil
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

// each runs do(worker, i) for every i in [0, n), workers at once, each i once. It stops at
// the first error, or when ctx is done, and waits for all workers before it returns.
func (s *sweeper) each(ctx context.Context, n int, do func(worker, i int) error) error {
	var next atomic.Int64
	var wait sync.WaitGroup
	errs := make([]error, min(s.workers, n))
	for w := range errs {
		wait.Go(func() {
			for errs[w] == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if errs[w] = ctx.Err(); errs[w] == nil {
					errs[w] = do(w, i)
				}
			}
			next.Store(int64(n)) // an error stops the others
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}
