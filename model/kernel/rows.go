package kernel

// passNumbers bounds the numbers that one assembly call reads: such calls cannot be
// interrupted by the collector, and this many take well under a millisecond even from main memory.
const passNumbers = 1 << 18

// passRows is how many rows of f columns one assembly call may take.
func passRows(f int) int { return max(8, passNumbers/f&^7) }

// Gemv writes into dst the inner product of p with each row of the len(dst) × len(p)
// matrix rows: dst = rows·p, added in float32.
func Gemv(dst, rows, p []float32) {
	f := len(p)
	if f == 0 {
		clear(dst)
		return
	}
	rows = rows[:len(dst)*f]
	for step := passRows(f); len(dst) > step; dst, rows = dst[step:], rows[step*f:] {
		gemv(dst[:step], rows[:step*f], p)
	}
	if len(dst) > 0 {
		gemv(dst, rows, p)
	}
}

func gemvGeneric(dst, rows, p []float32) {
	f := len(p)
	i := 0
	for ; i+4 <= len(dst); i += 4 {
		r := rows[i*f : (i+4)*f]
		dst[i], dst[i+1], dst[i+2], dst[i+3] = dot4(r[:f], r[f:2*f], r[2*f:3*f], r[3*f:], p)
	}
	for ; i < len(dst); i++ {
		dst[i] = dotGeneric(p, rows[i*f:(i+1)*f])
	}
}

// NormalMul adds Σ wᵢ (yᵢ·p) yᵢ to out, the yᵢ being the len(w) rows of the matrix rows
// with f = len(p) = len(out) columns: the product of p with a weighted Gram
// matrix that is never formed. Cost is one pass over rows: about 3 ns for
// 64 columns with AVX-512, while they are in the first level cache.
func NormalMul(out, rows, w, p []float32) { pass(out, rows, w, nil, p) }

// NormalResidual adds Σ (bᵢ − wᵢ (yᵢ·p)) yᵢ to out: what is left of the right-hand side
// Σ bᵢyᵢ after the guess p. Shapes and cost as in NormalMul; b is as long as w.
func NormalResidual(out, rows, w, b, p []float32) {
	if len(w) > 0 {
		pass(out, rows, w, b[:len(w)], p)
	}
}

// pass is NormalMul, or NormalResidual where b is not nil.
func pass(out, rows, w, b, p []float32) {
	f := len(p)
	rows, out = rows[:len(w)*f], out[:f]
	if f == 0 || len(w) == 0 {
		return
	}
	for step := passRows(f); len(w) > step; rows, w = rows[step*f:], w[step:] {
		addNormal(out, rows[:step*f], w[:step], b, p)
		if b != nil {
			b = b[step:]
		}
	}
	addNormal(out, rows, w, b, p)
}

func addNormalGeneric(out, rows, w, b, p []float32) {
	f := len(p)
	factor := func(i int, dot float32) float32 {
		if b == nil {
			return w[i] * dot
		}
		return b[i] - w[i]*dot
	}
	i := 0
	for ; i+4 <= len(w); i += 4 {
		r := rows[i*f : (i+4)*f]
		r0, r1, r2, r3 := r[:f], r[f:2*f], r[2*f:3*f], r[3*f:]
		d0, d1, d2, d3 := dot4(r0, r1, r2, r3, p)
		axpy4(factor(i, d0), factor(i+1, d1), factor(i+2, d2), factor(i+3, d3), r0, r1, r2, r3, out)
	}
	for ; i < len(w); i++ {
		r := rows[i*f : (i+1)*f]
		axpyGeneric(factor(i, dotGeneric(p, r)), r, out)
	}
}
