package als

import (
	"context"
	"fmt"

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
			kernel.Syrk(sc.partial, y[from*f:min(from+gramRows, n)*f], nil, f, sc.wide)
			order.take(i, func() {
				for k, v := range sc.partial {
					s.gram[k] += v
				}
			})
			return nil
		})
	}
	for k := range s.gram {
		s.gram[k] *= s.loss.unobserved
	}
	return ctx.Err()
}

// toEigenbasis finds the eigenbasis of the Gram matrix and writes y in it.
func (s *sweeper) toEigenbasis(ctx context.Context, y []float32) error {
	f := s.f
	if !eigen(s.gram, f, s.values, s.vectors) {
		return fmt.Errorf("eigenvalues of the Gram matrix: %w", ErrSingular)
	}
	for j, v := range s.values {
		s.diagonal[j] = float32(max(v, 0))
		for k := range f {
			s.basis[k*f+j] = float32(s.vectors[j*f+k])
		}
	}
	n := len(y) / f
	return s.each(ctx, (n+rotateRows-1)/rotateRows, func(worker, i int) error {
		s.rotate(s.scratch(worker), y[i*rotateRows*f:min((i+1)*rotateRows, n)*f])
		return nil
	})
}

// rotate writes rows in the eigenbasis.
func (s *sweeper) rotate(sc *scratch, rows []float32) {
	kernel.MulRows(rows, s.basis, sc.rows)
}
