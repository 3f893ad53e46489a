package kernel

// The steps of preconditioned conjugate gradient on (diag(d) + Σ wᵢ yᵢyᵢᵀ) x = Σ bᵢyᵢ
// that are not passes over the yᵢ. A row of a factorisation has a few hundred yᵢ, so what is done once
// a step counts as much as a tenth of a pass; hence one function for each group of updates.

// Affine writes scale·src + shift into dst, which is at least as long as src.
func Affine(dst, src []float32, scale, shift float32) {
	dst = dst[:len(src)]
	for ; len(src) > passNumbers; dst, src = dst[passNumbers:], src[passNumbers:] {
		affine(dst, src[:passNumbers], scale, shift)
	}
	affine(dst, src, scale, shift)
}

func affineGeneric(dst, src []float32, scale, shift float32) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = float32(scale*v) + shift
	}
}

// CGStart prepares the solution of a row from the guess x: it writes the diagonal
// dl = d + ridge, its inverse (0 where dl is not positive, or so small that its inverse is
// infinite) and the diagonal's part of the
// residual, r = −dl·x, to which NormalResidual adds the rest. All have length len(x).
func CGStart(r, dl, inv, x, d []float32, ridge float32) {
	n := len(x)
	cgStart(r[:n], dl[:n], inv[:n], x, d[:n], ridge)
}

func cgStartGeneric(r, dl, inv, x, d []float32, ridge float32) {
	n := len(x)
	r, dl, inv, d = r[:n], dl[:n], inv[:n], d[:n]
	for k, v := range x {
		s := d[k] + ridge
		dl[k], r[k], inv[k] = s, -s*v, 0
		if s >= 0x1p-126 { // the smallest normal number
			inv[k] = 1 / s
		}
	}
}

// CGNorm is Σ inv·r², the square of the residual's norm under the preconditioner.
func CGNorm(r, inv []float32) float32 { return cgNorm(r, inv[:len(r)]) }

func cgNormGeneric(r, inv []float32) float32 {
	inv = inv[:len(r)]
	var s0, s1 float32
	k := 0
	for ; k+1 < len(r); k += 2 {
		s0 += r[k] * r[k] * inv[k]
		s1 += r[k+1] * r[k+1] * inv[k+1]
	}
	if k < len(r) {
		s0 += r[k] * r[k] * inv[k]
	}
	return s0 + s1
}

// CGDirection turns p into the next direction, p = inv·r + beta·p, and begins its
// product with the diagonal's part, ap = dl·p, to which NormalMul adds the rest. With
// beta = 0 what p held before is not read. All have length len(r).
func CGDirection(p, ap, r, inv, dl []float32, beta float32) {
	n := len(r)
	cgDirection(p[:n], ap[:n], r, inv[:n], dl[:n], beta)
}

func cgDirectionGeneric(p, ap, r, inv, dl []float32, beta float32) {
	n := len(r)
	p, ap, inv, dl = p[:n], ap[:n], inv[:n], dl[:n]
	if beta == 0 {
		for k, v := range r {
			p[k] = inv[k] * v
			ap[k] = dl[k] * p[k]
		}
		return
	}
	for k, v := range r {
		p[k] = inv[k]*v + beta*p[k]
		ap[k] = dl[k] * p[k]
	}
}

// CGStep takes a step of length alpha along p, x += alpha·p and r −= alpha·ap, and
// returns what CGNorm says of the new r. All have length len(x).
func CGStep(x, r, p, ap, inv []float32, alpha float32) float32 {
	n := len(x)
	return cgStep(x, r[:n], p[:n], ap[:n], inv[:n], alpha)
}

func cgStepGeneric(x, r, p, ap, inv []float32, alpha float32) float32 {
	n := len(x)
	r, p, ap, inv = r[:n], p[:n], ap[:n], inv[:n]
	var norm float32
	for k := range x {
		x[k] += alpha * p[k]
		v := r[k] - alpha*ap[k]
		r[k] = v
		norm += v * v * inv[k]
	}
	return norm
}
