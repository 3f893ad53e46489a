package kernel

// Gemv writes into dst the inner product of p with each row of the len(dst) × len(p)
// matrix rows: dst = rows·p.
func Gemv(dst, rows, p []float32) {
	f := len(p)
	i := 0
	for ; i+4 <= len(dst); i += 4 {
		r := rows[i*f : (i+4)*f]
		dst[i], dst[i+1], dst[i+2], dst[i+3] = dot4(r[:f], r[f:2*f], r[2*f:3*f], r[3*f:], p)
	}
	for ; i < len(dst); i++ {
		dst[i] = Dot(p, rows[i*f:(i+1)*f])
	}
}

// NormalMul adds Σ wᵢ (yᵢ·p) yᵢ to out, the yᵢ being the len(w) rows of the matrix rows
// with f = len(p) = len(out) columns: the product of p with a weighted Gram
// matrix that is never formed.
func NormalMul(out, rows, w, p []float32) {
	f := len(p)
	i := 0
	for ; i+4 <= len(w); i += 4 {
		r := rows[i*f : (i+4)*f]
		r0, r1, r2, r3 := r[:f], r[f:2*f], r[2*f:3*f], r[3*f:]
		d0, d1, d2, d3 := dot4(r0, r1, r2, r3, p)
		axpy4(w[i]*d0, w[i+1]*d1, w[i+2]*d2, w[i+3]*d3, r0, r1, r2, r3, out)
	}
	for ; i < len(w); i++ {
		r := rows[i*f : (i+1)*f]
		Axpy(w[i]*Dot(p, r), r, out)
	}
}

// NormalResidual adds Σ (bᵢ − wᵢ (yᵢ·p)) yᵢ to out: what is left of the right-hand side
// Σ bᵢyᵢ after the guess p. Shapes as in NormalMul; b is as long as w.
func NormalResidual(out, rows, w, b, p []float32) {
	f := len(p)
	b = b[:len(w)]
	i := 0
	for ; i+4 <= len(w); i += 4 {
		r := rows[i*f : (i+4)*f]
		r0, r1, r2, r3 := r[:f], r[f:2*f], r[2*f:3*f], r[3*f:]
		d0, d1, d2, d3 := dot4(r0, r1, r2, r3, p)
		axpy4(b[i]-w[i]*d0, b[i+1]-w[i+1]*d1, b[i+2]-w[i+2]*d2, b[i+3]-w[i+3]*d3, r0, r1, r2, r3, out)
	}
	for ; i < len(w); i++ {
		r := rows[i*f : (i+1)*f]
		Axpy(b[i]-w[i]*Dot(p, r), r, out)
	}
}

// MulRows replaces every row y of the row-major matrix rows by y·v, where v is f × f
// row-major: a change of basis in place. scratch has length f.
func MulRows(rows, v, scratch []float32) {
	f := len(scratch)
	for ; len(rows) >= f && f > 0; rows = rows[f:] {
		clear(scratch)
		j := 0
		for ; j+4 <= f; j += 4 {
			m := v[j*f : (j+4)*f]
			axpy4(rows[j], rows[j+1], rows[j+2], rows[j+3], m[:f], m[f:2*f], m[2*f:3*f], m[3*f:], scratch)
		}
		for ; j < f; j++ {
			Axpy(rows[j], v[j*f:(j+1)*f], scratch)
		}
		copy(rows, scratch)
	}
}
