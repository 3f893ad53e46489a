package als

import (
	"kindred/model/kernel"
)

// scratch is one worker's memory and the row it is solving: O(f²) and packedBytes.
type scratch struct {
	f    int
	loss objective

	// The row, and the side that is held fixed.
	y    []float32
	half []uint16 // y in half precision; nil: rows are gathered from y
	vals []float32
	cols []int32 // of the row, and behind them those of the rows that follow, to ask for ahead

	packed []float32 // factors of one piece of the row's entries, gathered
	w, b   []float32 // room for their terms
	terms  []float32 // the weights of a row of one piece
	out    []float32 // what one piece of a long row adds to a pass
	minus  []float32 // a direction, reversed
	none   []float32 // zeros
	old    []float32 // the row before it is solved

	// conjugate gradient
	dl, inverse, residual, p, ap []float32
	rows                         []float32 // for changes of basis
	// Gram matrices
	gram          []float32
	partial, wide []float64
	// exact
	left, right []float64
}

// packedBytes bounds the factors that a worker gathers at once, so that they stay in
// its second level cache between the passes over them. A row with more entries is
// gathered piece by piece in every pass.
const packedBytes = 1 << 20

// pieceEntries is how many entries fit into packedBytes.
func pieceEntries(f int) int { return max(64, packedBytes/4/f&^15) }

// newScratch makes a worker's memory for f factors.
func newScratch(f int, loss objective, solver string) *scratch {
	n := pieceEntries(f)
	v := make([]float32, 8*f)
	sc := &scratch{
		f: f, loss: loss, out: v[:f], old: v[6*f : 7*f], minus: v[7*f:], none: make([]float32, tile),
		packed: make([]float32, n*f), w: make([]float32, n), b: make([]float32, n),
		partial: make([]float64, f*f), wide: make([]float64, 4*f),
	}
	if solver == SolverCholesky {
		sc.left, sc.right = make([]float64, f*f), make([]float64, f)
	} else {
		sc.dl, sc.inverse, sc.residual = v[f:2*f], v[2*f:3*f], v[3*f:4*f]
		sc.p, sc.ap = v[4*f:5*f], v[5*f:6*f]
		sc.rows, sc.gram = make([]float32, kernel.RotateRows*f), make([]float32, f*f)
	}
	return sc
}

// take makes the entries of values vals in cols the row to solve; cols may go on behind them.
func (sc *scratch) take(y []float32, half []uint16, cols []int32, vals []float32) {
	sc.y, sc.half, sc.cols, sc.vals = y, half, cols, vals
}

// pieces is the number of pieces of the row.
func (sc *scratch) pieces() int { return (len(sc.vals) + len(sc.w) - 1) / len(sc.w) }

// piece is the entries of one of them, and cols beyond.
func (sc *scratch) piece(i int) (cols []int32, w, b []float32) {
	size := len(sc.w)
	vals := sc.vals[i*size : min((i+1)*size, len(sc.vals))]
	w, b = sc.loss.termsOf(vals, sc.w, sc.b)
	return sc.cols[i*size:], w, b
}

// system is the left side of a row's equations less the diagonal, Σ w y yᵀ, and the right side Σ b y.
type system interface {
	// addResidual adds Σ (b − w y·x) y to r. It is called once, before addProduct.
	addResidual(r, x []float32)
	// addProduct adds Σ w (y·p) y to out.
	addProduct(out, p []float32)
}

func (sc *scratch) addResidual(r, x []float32) {
	if sc.pieces() == 1 {
		sc.gatherResidual(0, r, x)
		return
	}
	for i := range sc.pieces() {
		sc.pieceResidual(i, sc.out, x)
		kernel.Axpy(1, sc.out, r)
	}
}

func (sc *scratch) addProduct(out, p []float32) {
	if n := len(sc.vals); sc.pieces() == 1 {
		kernel.NormalMul(out, sc.packed[:n*sc.f], sc.terms, p)
		return
	}
	for i := range sc.pieces() {
		sc.pieceProduct(i, sc.out, p)
		kernel.Axpy(1, sc.out, out)
	}
}

// pieceResidual writes what piece i adds to addResidual into out, and pieceProduct
// what it adds to addProduct.
func (sc *scratch) pieceResidual(i int, out, x []float32) {
	clear(out)
	sc.gatherResidual(i, out, x)
}

// tile is how many entries of a long row are gathered for a product: few, for they are not
// needed again and should not drive the other side out of the cache.
const tile = 64

func (sc *scratch) pieceProduct(i int, out, p []float32) {
	clear(out)
	cols, w, _ := sc.piece(i)
	if sc.half == nil {
		for ; len(w) > 0; cols, w = cols[min(tile, len(w)):], w[min(tile, len(w)):] {
			n := min(tile, len(w))
			kernel.Gather(sc.packed, sc.y, sc.f, cols[:n])
			kernel.NormalMul(out, sc.packed[:n*sc.f], w[:n], p)
		}
		return
	}
	// The residual of −p with a right side of zeros is the product with p, gathered and added in one loop.
	kernel.Affine(sc.minus, p, -1, 0)
	for ; len(w) > 0; cols, w = cols[min(tile, len(w)):], w[min(tile, len(w)):] {
		n := min(tile, len(w))
		kernel.GatherResidualHalf(out, sc.packed, sc.half, cols, w[:n], sc.none[:n], sc.minus)
	}
}

// gatherResidual packs piece i and adds its part of the residual to out.
func (sc *scratch) gatherResidual(i int, out, x []float32) {
	cols, w, b := sc.piece(i)
	sc.terms = w
	if sc.half != nil {
		kernel.GatherResidualHalf(out, sc.packed, sc.half, cols, w, b, x)
		return
	}
	kernel.GatherResidual(out, sc.packed, sc.y, cols, w, b, x)
}

// conjugate improves x by a few steps of preconditioned conjugate gradient on
// (D + λI + Σ w y yᵀ) x = Σ b y, D the diagonal; the preconditioner is D + λI.
func (sc *scratch) conjugate(sys system, x, diagonal []float32, ridge float64, steps int) {
	r, p, ap, dl, inverse := sc.residual, sc.p, sc.ap, sc.dl, sc.inverse
	kernel.CGStart(r, dl, inverse, x, diagonal, float32(ridge))
	sys.addResidual(r, x)
	norm, beta := kernel.CGNorm(r, inverse), float32(0)
	for step := range steps {
		if !(norm > 1e-20) { // solved as well as float32 can tell
			return
		}
		kernel.CGDirection(p, ap, r, inverse, dl, beta)
		sys.addProduct(ap, p)
		curvature := kernel.Dot(p, ap)
		if !(curvature > 0) {
			return
		}
		alpha := norm / curvature
		if step == steps-1 {
			kernel.Axpy(alpha, p, x)
			return
		}
		next := kernel.CGStep(x, r, p, ap, inverse, alpha)
		norm, beta = next, next/norm
	}
}

// With few factors the Gram matrix of a long row costs less than the passes over it: 12 and 13 ns an
// entry at 32 factors, 37 and 21 at 64, 120 and 44 at 128 (AVX-512, factors gathered
// from the third level cache; AVX2 is alike).
const (
	directFactors = 32
	directEntries = 512 // from here on the factor of the matrix does not count
)

// direct solves (D + λI + Σ w y yᵀ) x = Σ b y by the matrix itself, in float32, and reports whether it
// could; x is as it was where it could not.
func (sc *scratch) direct(x, diagonal []float32, ridge float64) bool {
	f := sc.f
	clear(sc.gram)
	clear(sc.p)
	clear(sc.residual)
	for i := range sc.pieces() {
		cols, w, b := sc.piece(i)
		sc.gather(cols[:len(w)])
		packed := sc.packed[:len(w)*f]
		kernel.Gram(sc.gram, packed, w, f)
		kernel.NormalResidual(sc.residual, packed, w, b, sc.p)
	}
	for k, d := range diagonal {
		sc.gram[k*f+k] += d + float32(ridge)
	}
	if !kernel.CholeskyF32(sc.gram, f) {
		return false
	}
	kernel.CholeskySolveF32(sc.gram, f, sc.residual)
	copy(x, sc.residual)
	return true
}

// gather packs the factors of cols, which are at most one piece.
func (sc *scratch) gather(cols []int32) {
	if sc.half != nil {
		kernel.GatherDecode(sc.packed, sc.half, sc.f, cols)
		return
	}
	kernel.Gather(sc.packed, sc.y, sc.f, cols)
}

// exact solves (G + λI + Σ w y yᵀ) x = Σ b y in float64 and reports whether it could.
func (sc *scratch) exact(x []float32, gram []float64, ridge float64) bool {
	f := sc.f
	copy(sc.left, gram)
	clear(sc.right)
	for i := range sc.pieces() {
		cols, w, b := sc.piece(i)
		sc.gather(cols[:len(w)])
		kernel.Syrk(sc.left, sc.packed[:len(w)*f], w, f, sc.wide)
		for j, c := range b {
			for k, v := range sc.packed[j*f : (j+1)*f] {
				sc.right[k] += float64(c) * float64(v)
			}
		}
	}
	for k := range f {
		sc.left[k*f+k] += ridge
	}
	if !kernel.Cholesky(sc.left, f) {
		return false
	}
	kernel.CholeskySolve(sc.left, f, sc.right)
	for k, v := range sc.right {
		x[k] = float32(v)
	}
	return true
}
