package kernel

func affine(dst, src []float32, scale, shift float32) {
	switch {
	case level == Generic || len(src) == 0:
		affineGeneric(dst, src, scale, shift)
	case level == AVX2:
		affineAVX2(&dst[0], &src[0], scale, shift, len(src))
	default:
		affineAVX512(&dst[0], &src[0], scale, shift, len(src))
	}
}

func cgStart(r, dl, inv, x, d []float32, ridge float32) {
	switch {
	case level == Generic || len(x) == 0:
		cgStartGeneric(r, dl, inv, x, d, ridge)
	case level == AVX2:
		cgStartAVX2(&r[0], &dl[0], &inv[0], &x[0], &d[0], ridge, len(x))
	default:
		cgStartAVX512(&r[0], &dl[0], &inv[0], &x[0], &d[0], ridge, len(x))
	}
}

func cgNorm(r, inv []float32) float32 {
	switch {
	case level == Generic || len(r) == 0:
		return cgNormGeneric(r, inv)
	case level == AVX2:
		return cgNormAVX2(&r[0], &inv[0], len(r))
	}
	return cgNormAVX512(&r[0], &inv[0], len(r))
}

func cgDirection(p, ap, r, inv, dl []float32, beta float32) {
	switch {
	case level == Generic || len(r) == 0:
		cgDirectionGeneric(p, ap, r, inv, dl, beta)
	case level == AVX2 && beta == 0:
		cgFirstAVX2(&p[0], &ap[0], &r[0], &inv[0], &dl[0], len(r))
	case level == AVX2:
		cgDirectionAVX2(&p[0], &ap[0], &r[0], &inv[0], &dl[0], beta, len(r))
	case beta == 0:
		cgFirstAVX512(&p[0], &ap[0], &r[0], &inv[0], &dl[0], len(r))
	default:
		cgDirectionAVX512(&p[0], &ap[0], &r[0], &inv[0], &dl[0], beta, len(r))
	}
}

func cgStep(x, r, p, ap, inv []float32, alpha float32) float32 {
	switch {
	case level == Generic || len(x) == 0:
		return cgStepGeneric(x, r, p, ap, inv, alpha)
	case level == AVX2:
		return cgStepAVX2(&x[0], &r[0], &p[0], &ap[0], &inv[0], alpha, len(x))
	}
	return cgStepAVX512(&x[0], &r[0], &p[0], &ap[0], &inv[0], alpha, len(x))
}
