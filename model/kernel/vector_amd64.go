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
