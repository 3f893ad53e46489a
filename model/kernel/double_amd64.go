package kernel

func dot64(a, b []float64) float64 {
	switch {
	case level == Generic || len(a) < 4:
		return dot64Generic(a, b)
	case level == AVX2:
		return dot64AVX2(&a[0], &b[0], len(a))
	}
	return dot64AVX512(&a[0], &b[0], len(a))
}

func axpy64(alpha float64, x, y []float64) {
	switch {
	case level == Generic || len(x) < 4:
		axpy64Generic(alpha, x, y)
	case level == AVX2:
		axpy64AVX2(alpha, &x[0], &y[0], len(x))
	default:
		axpy64AVX512(alpha, &x[0], &y[0], len(x))
	}
}

func givens64(x, y []float64, c, s float64) {
	switch {
	case level == Generic || len(x) < 4:
		givens64Generic(x, y, c, s)
	case level == AVX2:
		givens64AVX2(&x[0], &y[0], c, s, len(x))
	default:
		givens64AVX512(&x[0], &y[0], c, s, len(x))
	}
}

func rank2Symv64(row, w, u, next, p []float64, a, b, c float64) float64 {
	switch {
	case level == Generic || len(row) < 4:
		return rank2Symv64Generic(row, w, u, next, p, a, b, c)
	case level == AVX2:
		return rank2Symv64AVX2(&row[0], &w[0], &u[0], &next[0], &p[0], a, b, c, len(row))
	}
	return rank2Symv64AVX512(&row[0], &w[0], &u[0], &next[0], &p[0], a, b, c, len(row))
}

// normalResidual64 leaves to plain Go the columns that are no multiple of a vector's length.
func normalResidual64(out []float64, rows, w, b []float32, p []float64) {
	n, f := len(w), len(p)
	switch {
	case level == AVX2 && f%4 == 0:
		normalResidual64AVX2(&out[0], &rows[0], &w[0], &b[0], &p[0], n, f)
	case level == AVX512 && f%8 == 0:
		normalResidual64AVX512(&out[0], &rows[0], &w[0], &b[0], &p[0], n, f)
	default:
		normalResidual64Generic(out, rows, w, b, p)
	}
}
