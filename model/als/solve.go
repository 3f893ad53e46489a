package als

import (
	"kindred/model/kernel"
	"kindred/model/sparse"
)

// scratch is one worker's memory: the row being solved and its vectors.
type scratch struct {
	f      int
	packed []float32 // factors of the row's entries, gathered
	w, b   []float32
	// conjugate gradient
	inverse, residual, z, p, ap []float32
	// exact
	left, right, wide []float64
}

// newScratch makes a worker's memory for f factors.
func newScratch(f int) *scratch {
	v := make([]float32, 5*f)
	return &scratch{
		f: f, inverse: v[:f], residual: v[f : 2*f], z: v[2*f : 3*f], p: v[3*f : 4*f], ap: v[4*f:],
		left: make([]float64, f*f), right: make([]float64, f), wide: make([]float64, 4*f),
	}
}

// gather packs the fixed side's factors of one row's entries, with their terms.
func (sc *scratch) gather(s *sweeper, y []float32, r *sparse.CSR, row int) {
	cols, vals := r.Row(row)
	sc.packed, sc.w, sc.b = sc.packed[:0], sc.w[:0], sc.b[:0]
	for i, c := range cols {
		sc.packed = append(sc.packed, y[int(c)*sc.f:(int(c)+1)*sc.f]...)
		w, b := s.loss.terms(vals[i])
		sc.w, sc.b = append(sc.w, float32(w)), append(sc.b, float32(b))
	}
}

// conjugate improves x by a few steps of preconditioned conjugate gradient on
// (D + λI + Σ w y yᵀ) x = Σ b y, D the diagonal; the preconditioner is D + λI.
func (sc *scratch) conjugate(x, diagonal []float32, ridge float64, steps int) {
	f := sc.f
	lambda := float32(ridge)
	inverse, r, z, p, ap := sc.inverse[:f], sc.residual[:f], sc.z[:f], sc.p[:f], sc.ap[:f]
	for k, d := range diagonal[:f] {
		r[k] = -(d + lambda) * x[k]
		inverse[k] = 0
		if d+lambda > 0 {
			inverse[k] = 1 / (d + lambda)
		}
	}
	kernel.NormalResidual(r, sc.packed, sc.w, sc.b, x)
	for k := range r {
		z[k] = inverse[k] * r[k]
	}
	copy(p, z)
	rz := kernel.Dot(r, z)
	for range steps {
		if !(rz > 1e-20) { // solved as well as float32 can tell
			return
		}
		for k, d := range diagonal[:f] {
			ap[k] = (d + lambda) * p[k]
		}
		kernel.NormalMul(ap, sc.packed, sc.w, p)
		curvature := kernel.Dot(p, ap)
		if !(curvature > 0) {
			return
		}
		alpha := rz / curvature
		kernel.Axpy(alpha, p, x)
		kernel.Axpy(-alpha, ap, r)
		for k := range r {
			z[k] = inverse[k] * r[k]
		}
		next := kernel.Dot(r, z)
		beta := next / rz
		rz = next
		for k := range p {
			p[k] = z[k] + beta*p[k]
		}
	}
}

// exact solves (G + λI + Σ w y yᵀ) x = Σ b y in float64 and reports whether it could.
func (sc *scratch) exact(x []float32, gram []float64, ridge float64) bool {
	f := sc.f
	copy(sc.left, gram)
	kernel.Syrk(sc.left, sc.packed, sc.w, f, sc.wide)
	clear(sc.right)
	for i, b := range sc.b {
		for k, v := range sc.packed[i*f : (i+1)*f] {
			sc.right[k] += float64(b) * float64(v)
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
