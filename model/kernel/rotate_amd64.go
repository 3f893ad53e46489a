package kernel

// rotate is Rotate of at most RotateRows rows.
func rotate(rows, v []float32, f int, scratch []float32) {
	size, lanes := 8, 16
	switch level {
	case Generic:
		rotateGeneric(rows, v, f, scratch)
		return
	case AVX2:
		size, lanes = 4, 8
	}
	copy(scratch, rows)
	n := len(rows) / f
	for i := 0; i < n; i += size {
		for size > n-i {
			size /= 2
		}
		j := 0
		for ; j+2*lanes <= f; j += 2 * lanes {
			rotateTile2(&rows[i*f+j], &scratch[i*f], &v[j], f, size)
		}
		for ; j < f; j += lanes {
			rotateTile1(&rows[i*f+j], &scratch[i*f], &v[j], f, size, min(lanes, f-j))
		}
	}
}

func rotateTile2(dst, rows, v *float32, f, size int) {
	switch {
	case level == AVX512 && size == 8:
		rotate8x2AVX512(dst, rows, v, f)
	case level == AVX512 && size == 4:
		rotate4x2AVX512(dst, rows, v, f)
	case level == AVX512 && size == 2:
		rotate2x2AVX512(dst, rows, v, f)
	case level == AVX512:
		rotate1x2AVX512(dst, rows, v, f)
	case size == 4:
		rotate4x2AVX2(dst, rows, v, f)
	case size == 2:
		rotate2x2AVX2(dst, rows, v, f)
	default:
		rotate1x2AVX2(dst, rows, v, f)
	}
}

func rotateTile1(dst, rows, v *float32, f, size, count int) {
	switch {
	case level == AVX512 && size == 8:
		rotate8x1AVX512(dst, rows, v, f, count)
	case level == AVX512 && size == 4:
		rotate4x1AVX512(dst, rows, v, f, count)
	case level == AVX512 && size == 2:
		rotate2x1AVX512(dst, rows, v, f, count)
	case level == AVX512:
		rotate1x1AVX512(dst, rows, v, f, count)
	case size == 4:
		rotate4x1AVX2(dst, rows, v, f, count)
	case size == 2:
		rotate2x1AVX2(dst, rows, v, f, count)
	default:
		rotate1x1AVX2(dst, rows, v, f, count)
	}
}
