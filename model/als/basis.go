package als

import (
	"context"
	"fmt"
	"math"

	"kindred/model/kernel"
)

const (
	gramRows   = 4096 // rows whose Gram matrix one worker adds up at a time
	gramRound  = 64   // such pieces between two looks at the context
	rotateRows = 512
)

// addGram computes a0·yᵀy, lower triangle: pieces of a fixed number of rows, added in
// order.
func (s *sweeper) addGram(ctx context.Context, y []float32) error {
	f := s.f
	n := len(y) / f
	pieces := (n + gramRows - 1) / gramRows
	clear(s.gram)
	for first := 0; first < pieces; first += gramRound {
		if err := ctx.Err(); err != nil {
			return err
		}
		order := newTurns()
		// Every piece of a round must have its turn, so the round itself cannot be cancelled.
		s.each(context.WithoutCancel(ctx), min(gramRound, pieces-first), func(worker, i int) error {
			sc := s.scratch(worker)
			from := (first + i) * gramRows
			clear(sc.partial)
			rows := y[from*f : min(from+gramRows, n)*f]
			if s.solver == SolverCholesky {
				kernel.Syrk(sc.partial, rows, nil, f, sc.wide)
			} else {
				addGram32(sc.partial, sc.gram, rows, f)
			}
			order.take(i, func() {
				for k, v := range sc.partial {
					s.gram[k] += v
				}
			})
			return nil
		})
	}
	s.square = 0
	for k := range f {
		s.square += s.gram[k*f+k]
	}
	for k := range s.gram {
		s.gram[k] *= s.loss.unobserved
	}
	return ctx.Err()
}

// blockRows is how many rows are added up in float32 before they are added to a sum in
// float64.
const blockRows = 1024

// addGram32 adds the rows' Gram matrix to the lower triangle of sum, by blocks in block,
// both f × f. Its errors are a few 2⁻²⁴ of the block's own entries.
func addGram32(sum []float64, block, rows []float32, f int) {
	for step := blockRows * f; len(rows) > 0; {
		n := min(step, len(rows))
		clear(block)
		kernel.Gram(block, rows[:n], nil, f)
		for j := range f {
			to := sum[j*f : j*f+j+1]
			for k, v := range block[j*f : j*f+j+1] {
				to[k] += float64(v)
			}
		}
		rows = rows[n:]
	}
}

// toEigenbasis finds the eigenbasis of the Gram matrix and writes y in it.
func (s *sweeper) toEigenbasis(ctx context.Context, y []float32) error {
	f := s.f
	if !eigen(s.gram, f, s.values, s.vectors) {
		return fmt.Errorf("eigenvalues of the Gram matrix: %w", ErrSingular)
	}
	n := len(y) / f
	s.unit = 1
	if s.half != nil {
		s.unit = halfUnit(s.square, n)
	}
	for j, v := range s.values {
		s.diagonal[j] = float32(max(v, 0) * s.unit * s.unit)
		for k := range f {
			s.basis[k*f+j] = float32(s.vectors[j*f+k])
		}
	}
	return s.each(ctx, (n+rotateRows-1)/rotateRows, func(worker, i int) error {
		from, end := i*rotateRows*f, min((i+1)*rotateRows, n)*f
		s.rotate(s.scratch(worker), y[from:end])
		if s.half != nil {
			s.encode(s.scratch(worker), s.half[from:end], y[from:end])
		}
		return nil
	})
}

// encode writes rows in half precision, in units of s.unit.
func (s *sweeper) encode(sc *scratch, dst []uint16, rows []float32) {
	if s.unit == 1 {
		kernel.HalfEncode(dst, rows)
		return
	}
	for len(rows) > 0 { // as many numbers at a time as the worker has room for
		scaled := sc.packed[:min(len(sc.packed), len(rows))]
		kernel.Affine(scaled, rows[:len(scaled)], float32(s.unit), 0)
		kernel.HalfEncode(dst, scaled)
		dst, rows = dst[len(scaled):], rows[len(scaled):]
	}
}

// halfUnit is the power of two by which n rows are multiplied before they are written in half precision,
// whose numbers lie between 2⁻¹⁴, below which they lose digits, and 2¹⁶. square is the sum of all squared
// entries. Rows as trained ones are, of lengths about 1, need none; otherwise their mean length is
// brought there, and no entry exceeds it more than √n times.
func halfUnit(square float64, n int) float64 {
	if mean := math.Sqrt(square / float64(max(n, 1))); mean > 0 && (mean < 0x1p-6 || mean > 1) {
		return math.Exp2(math.Floor(-math.Log2(mean)))
	}
	return 1
}

// rotate writes rows in the eigenbasis.
func (s *sweeper) rotate(sc *scratch, rows []float32) {
	kernel.Rotate(rows, s.basis, s.f, sc.rows)
}

// halfOf is the copy of y in half precision, or nil.
func (s *sweeper) halfOf(y []float32) []uint16 {
	if s.half == nil {
		return nil
	}
	return s.half[:len(y)]
}
