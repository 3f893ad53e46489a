package kernel

func gemv(dst, rows, p []float32) {
	switch level {
	case Generic:
		gemvGeneric(dst, rows, p)
	case AVX2:
		gemvAVX2(&dst[0], &rows[0], &p[0], len(dst), len(p))
	default:
		gemvAVX512(&dst[0], &rows[0], &p[0], len(dst), len(p))
	}
}

func addNormal(out, rows, w, b, p []float32) {
	if level == Generic {
		addNormalGeneric(out, rows, w, b, p)
		return
	}
	n, f := len(w), len(p)
	var first *float32
	if b != nil {
		first = &b[0]
	}
	switch {
	case level == AVX2:
		normalAVX2(&out[0], &rows[0], &w[0], first, &p[0], n, f)
	case f == 64:
		normal64AVX512(&out[0], &rows[0], &w[0], first, &p[0], n, f)
	case f == 128:
		normal128AVX512(&out[0], &rows[0], &w[0], first, &p[0], n, f)
	case f == 192:
		normal192AVX512(&out[0], &rows[0], &w[0], first, &p[0], n, f)
	case f == 256:
		normal256AVX512(&out[0], &rows[0], &w[0], first, &p[0], n, f)
	default:
		normalAVX512(&out[0], &rows[0], &w[0], first, &p[0], n, f)
	}
}
