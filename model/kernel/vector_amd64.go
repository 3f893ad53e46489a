package kernel

func dot(a, b []float32) float32 {
	switch {
	case level == Generic || len(a) < 8:
		return dotGeneric(a, b)
	case level == AVX2:
		return dotAVX2(&a[0], &b[0], len(a))
	}
	return dotAVX512(&a[0], &b[0], len(a))
}

func axpy(alpha float32, x, y []float32) {
	switch {
	case level == Generic || len(x) < 8:
		axpyGeneric(alpha, x, y)
	case level == AVX2:
		axpyAVX2(alpha, &x[0], &y[0], len(x))
	default:
		axpyAVX512(alpha, &x[0], &y[0], len(x))
	}
}
