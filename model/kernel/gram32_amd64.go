package kernel

// gram is Gram over few enough rows. A block of rows of g takes as many vectors of columns as
// reach its last diagonal element, two at a time.
func gram(g, rows, w []float32, f int) {
	var first *float32
	if w != nil {
		first = &w[0]
	}
	n, size, lanes := len(rows)/f, 8, 16
	switch level {
	case Generic:
		gramGeneric(g, rows, w, f)
		return
	case AVX2:
		size, lanes = 4, 8
	}
	for i := 0; i < f; i += size {
		for size > f-i {
			size /= 2
		}
		end := i + size // of the columns
		j := 0
		for ; j+lanes < end && j+2*lanes <= f; j += 2 * lanes {
			gramTile2(&g[i*f+j], &rows[i], &rows[j], first, n, f, size)
		}
		for ; j < end; j += lanes {
			gramTile1(&g[i*f+j], &rows[i], &rows[j], first, n, f, size, min(lanes, f-j))
		}
	}
}

func gramTile2(g, a, b, w *float32, n, f, size int) {
	switch {
	case level == AVX512 && size == 8:
		gram8x2AVX512(g, a, b, w, n, 4*f)
	case level == AVX512 && size == 4:
		gram4x2AVX512(g, a, b, w, n, 4*f)
	case level == AVX512 && size == 2:
		gram2x2AVX512(g, a, b, w, n, 4*f)
	case level == AVX512:
		gram1x2AVX512(g, a, b, w, n, 4*f)
	case size == 4:
		gram4x2AVX2(g, a, b, w, n, 4*f)
	case size == 2:
		gram2x2AVX2(g, a, b, w, n, 4*f)
	default:
		gram1x2AVX2(g, a, b, w, n, 4*f)
	}
}

func gramTile1(g, a, b, w *float32, n, f, size, count int) {
	switch {
	case level == AVX512 && size == 8:
		gram8x1AVX512(g, a, b, w, n, 4*f, count)
	case level == AVX512 && size == 4:
		gram4x1AVX512(g, a, b, w, n, 4*f, count)
	case level == AVX512 && size == 2:
		gram2x1AVX512(g, a, b, w, n, 4*f, count)
	case level == AVX512:
		gram1x1AVX512(g, a, b, w, n, 4*f, count)
	case size == 4:
		gram4x1AVX2(g, a, b, w, n, 4*f, count)
	case size == 2:
		gram2x1AVX2(g, a, b, w, n, 4*f, count)
	default:
		gram1x1AVX2(g, a, b, w, n, 4*f, count)
	}
}
