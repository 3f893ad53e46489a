package als

import (
	"fmt"
	"math"
	"slices"

	"kindred/model"
	"kindred/model/kernel"
)

// equations are the normal equations A x = Σ b h of one person and their solution, in
// memory that serves one person after the other.
//
// A is factored in float32, and the solution corrected by its residual in float64
// (iterative refinement; Wilkinson, "Rounding Errors in Algebraic Processes", 1963): each correction shrinks
// the error by about the condition of A times 2⁻²⁴, so one or two give what a factor in float64 gives, at a
// fraction of its cost. How much the first one moves the solution tells the ratio, and where it is
// poor, A is factored in float64 after all.
type equations struct {
	m     *Model
	rows  []int32
	w, b  []float32 // the terms of rows
	ridge float64

	wRoom, bRoom []float32 // for w and b

	factor  []float32 // Cholesky factor of A, f × f, lower
	precise []float64 // the same in float64; nil until first needed
	exact   bool      // precise is A's

	packed []float32 // factors of one piece of the past items, gathered
	rhs    []float32
	x, r   []float64 // the solution; its residual

	query  []float32 // f, for the model's use
	shares []float32
	causes []model.Cause
}

const (
	// pastPiece is how many past items are gathered at a time, so that they stay in the cache
	// from the Gram matrix to the residual; nearly all histories are one piece.
	pastPiece = 256
	// enough: corrected once, the solution's error is about the square of what the correction moved it.
	enough = 1e-4
	// lost: a pivot that is so small a part of its diagonal entry is mostly rounding.
	lost = 1e-5
	// lost64 is the same in float64, where nothing is left to fall back on.
	lost64 = 1e-14
	// hopeless: corrections by a factor in float32 do not settle.
	hopeless = 1e-2
)

// newEquations makes the memory for people of m.
func newEquations(m *Model) *equations {
	f := m.f
	v, wide := make([]float32, f*f+2*f+pastPiece*f), make([]float64, 2*f)
	return &equations{
		m: m, factor: v[:f*f], rhs: v[f*f : f*f+f], query: v[f*f+f : f*f+2*f], packed: v[f*f+2*f:],
		x: wide[:f], r: wide[f:],
	}
}

// set builds and solves them for a history, which it checks.
func (eq *equations) set(rows []int32, r []float32) error {
	m := eq.m
	if len(rows) != len(r) {
		return fmt.Errorf("als fold-in: %d rows and %d weights: need as many of one as of the other", len(rows), len(r))
	}
	for i, row := range rows {
		if row < 0 || int(row) >= m.n {
			return fmt.Errorf("als fold-in: row %d is outside the %d items", row, m.n)
		}
		if !(r[i] > 0) || r[i] > math.MaxFloat32 {
			return fmt.Errorf("als fold-in: weight of row %d is %v: must be positive and finite", row, r[i])
		}
	}
	eq.rows, eq.ridge, eq.exact = rows, m.loss.ridge(len(rows), m.n), false
	eq.wRoom, eq.bRoom = slices.Grow(eq.wRoom[:0], len(r))[:len(r)], slices.Grow(eq.bRoom[:0], len(r))[:len(r)]
	eq.w, eq.b = m.loss.termsOf(r, eq.wRoom, eq.bRoom)
	if eq.solve() || eq.solvePrecisely() {
		return nil
	}
	return fmt.Errorf("als fold-in of %d items: %w", len(rows), ErrSingular)
}

// solve finds x by a factor in float32, and reports false where that is not good enough.
func (eq *equations) solve() bool {
	m, f := eq.m, eq.m.f
	copy(eq.factor, m.gram32)
	clear(eq.rhs)
	clear(eq.query)
	for i := 0; i < len(eq.rows); i += pastPiece {
		packed, w, b := eq.piece(i)
		kernel.Gram(eq.factor, packed, w, f)
		kernel.NormalResidual(eq.rhs, packed, w, b, eq.query)
	}
	for k := range f {
		eq.factor[k*f+k] += float32(eq.ridge)
		eq.x[k] = float64(eq.factor[k*f+k])
	}
	if !kernel.CholeskyF32(eq.factor, f) {
		return false
	}
	for k, d := range eq.x {
		if pivot := float64(eq.factor[k*f+k]); pivot*pivot < lost*d || d < 1e-30 { // float32 loses digits below 1e-38
			return false
		}
	}
	clear(eq.x)
	size := eq.correct()
	for range 2 {
		eq.residual()
		for k, v := range eq.r {
			eq.rhs[k] = float32(v)
		}
		moved := eq.correct()
		if moved <= enough*size {
			return true
		}
		if !(moved <= hopeless*size) {
			return false
		}
	}
	return false // slowly better is not there: in float64 then
}

// correct adds A⁻¹rhs to x, and returns its length.
func (eq *equations) correct() float64 {
	kernel.CholeskySolveF32(eq.factor, eq.m.f, eq.rhs)
	square := 0.0
	for k, v := range eq.rhs {
		eq.x[k] += float64(v)
		square += float64(v) * float64(v)
	}
	return math.Sqrt(square)
}

// residual is r = Σ b h − A x.
func (eq *equations) residual() {
	m, f := eq.m, eq.m.f
	for k, v := range eq.x {
		eq.r[k] = -eq.ridge*v - kernel.Dot64(m.gram[k*f:(k+1)*f], eq.x)
	}
	for i := 0; i < len(eq.rows); i += pastPiece {
		packed, w, b := eq.packed, eq.w, eq.b
		if len(eq.rows) > pastPiece { // a single piece is still there
			packed, w, b = eq.piece(i)
		}
		kernel.NormalResidual64(eq.r, packed, w, b, eq.x)
	}
}

// solvePrecisely finds x by a factor in float64.
func (eq *equations) solvePrecisely() bool {
	m, f := eq.m, eq.m.f
	if eq.precise == nil {
		eq.precise = make([]float64, f*f+4*f)
	}
	factor, wide := eq.precise[:f*f], eq.precise[f*f:]
	copy(factor, m.gram)
	clear(eq.r)
	clear(eq.x)
	for i := 0; i < len(eq.rows); i += pastPiece {
		packed, w, b := eq.piece(i)
		kernel.Syrk(factor, packed, w, f, wide)
		kernel.NormalResidual64(eq.r, packed, w, b, eq.x)
	}
	for k := range f {
		factor[k*f+k] += eq.ridge
		eq.x[k] = factor[k*f+k]
	}
	if eq.exact = kernel.Cholesky(factor, f); !eq.exact {
		return false
	}
	for k, d := range eq.x {
		if pivot := factor[k*f+k]; pivot*pivot < lost64*d {
			return false
		}
	}
	copy(eq.x, eq.r)
	kernel.CholeskySolve(factor, f, eq.x)
	return true
}

// piece gathers the past items from i on.
func (eq *equations) piece(i int) (packed, w, b []float32) {
	end := min(i+pastPiece, len(eq.rows))
	f := eq.m.f
	kernel.Gather(eq.packed, eq.m.items, f, eq.rows[i:end])
	return eq.packed[:(end-i)*f], eq.w[i:end], eq.b[i:end]
}

// invert replaces z by A⁻¹z, after set.
func (eq *equations) invert(z []float32) {
	f := eq.m.f
	if !eq.exact {
		kernel.CholeskySolveF32(eq.factor, f, z)
		return
	}
	for k, v := range z {
		eq.r[k] = float64(v)
	}
	kernel.CholeskySolve(eq.precise[:f*f], f, eq.r)
	for k, v := range eq.r {
		z[k] = float32(v)
	}
}
