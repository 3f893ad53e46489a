package kernel

// syrkRows bounds the rows that are widened at a time.
const syrkRows = 32

// syrk widens some rows at a time into scratch, and adds their products tile by tile as gram does.
func syrk(g []float64, rows, w []float32, f int, scratch []float64) {
	size, lanes := 8, 8
	switch level {
	case Generic:
		syrkGeneric(g, rows, w, f, scratch)
		return
	case AVX2:
		size, lanes = 4, 4
	}
	var weights [syrkRows]float64
	step := min(len(scratch)/f, syrkRows)
	for n := len(rows) / f; n > 0; n -= step {
		step = min(step, n)
		widen(scratch[:step*f], rows[:step*f])
		rows = rows[step*f:]
		var first *float64
		if w != nil {
			for i, v := range w[:step] {
				weights[i] = float64(v)
			}
			first, w = &weights[0], w[step:]
		}
		syrkRound(g, scratch, first, step, f, size, lanes)
	}
}

// syrkRound adds the products of n rows. What is above the diagonal in a block that lies on it
// is put back afterwards: it is the caller's.
func syrkRound(g, rows []float64, w *float64, n, f, size, lanes int) {
	var above [28]float64
	for i := 0; i < f; i += size {
		for size > f-i {
			size /= 2
		}
		j := 0
		for ; j+2*lanes <= i; j += 2 * lanes {
			syrkTile2(&g[i*f+j], &rows[i], &rows[j], w, n, f, size)
		}
		for ; j < i; j += lanes {
			syrkTile1(&g[i*f+j], &rows[i], &rows[j], w, n, f, size, min(lanes, i-j))
		}
		kept := above[:0]
		for r := i; r < i+size; r++ {
			kept = append(kept, g[r*f+r+1:r*f+i+size]...)
		}
		syrkTile1(&g[i*f+i], &rows[i], &rows[i], w, n, f, size, size)
		for r := i; r < i+size; r++ {
			kept = kept[copy(g[r*f+r+1:r*f+i+size], kept):]
		}
	}
}

// widen copies src to dst, in float64.
func widen(dst []float64, src []float32) {
	n := 0
	if level == AVX2 {
		if n = len(src) &^ 3; n > 0 {
			widenAVX2(&dst[0], &src[0], n)
		}
	} else if n = len(src) &^ 7; n > 0 {
		widenAVX512(&dst[0], &src[0], n)
	}
	for i, v := range src[n:] {
		dst[n+i] = float64(v)
	}
}

func syrkTile2(g, a, b, w *float64, n, f, size int) {
	switch {
	case level == AVX512 && size == 8:
		syrk8x2AVX512(g, a, b, w, n, 8*f)
	case level == AVX512 && size == 4:
		syrk4x2AVX512(g, a, b, w, n, 8*f)
	case level == AVX512 && size == 2:
		syrk2x2AVX512(g, a, b, w, n, 8*f)
	case level == AVX512:
		syrk1x2AVX512(g, a, b, w, n, 8*f)
	case size == 4:
		syrk4x2AVX2(g, a, b, w, n, 8*f)
	case size == 2:
		syrk2x2AVX2(g, a, b, w, n, 8*f)
	default:
		syrk1x2AVX2(g, a, b, w, n, 8*f)
	}
}

func syrkTile1(g, a, b, w *float64, n, f, size, count int) {
	switch {
	case level == AVX512 && size == 8:
		syrk8x1AVX512(g, a, b, w, n, 8*f, count)
	case level == AVX512 && size == 4:
		syrk4x1AVX512(g, a, b, w, n, 8*f, count)
	case level == AVX512 && size == 2:
		syrk2x1AVX512(g, a, b, w, n, 8*f, count)
	case level == AVX512:
		syrk1x1AVX512(g, a, b, w, n, 8*f, count)
	case size == 4:
		syrk4x1AVX2(g, a, b, w, n, 8*f, count)
	case size == 2:
		syrk2x1AVX2(g, a, b, w, n, 8*f, count)
	default:
		syrk1x1AVX2(g, a, b, w, n, 8*f, count)
	}
}
