package kernel

// choleskyF32 computes U = Lᵀ row by row above the diagonal, where the columns that every step
// needs are contiguous, and mirrors the matrix before and the factor after: that is
// n² moves beside n³/6 multiply-adds.
func choleskyF32(a []float32, n int) bool {
	size, lanes := 8, 16
	switch level {
	case Generic:
		return choleskyF32Generic(a, n)
	case AVX2:
		size, lanes = 4, 8
	}
	blocks := n / 8
	if blocks > 0 {
		mirrorUp(&a[0], n, blocks)
	}
	for i := 8 * blocks; i < n; i++ {
		for j, v := range a[i*n : i*n+i] {
			a[j*n+i] = v
		}
	}
	var pivots [8]float32 // inverse
	for i := 0; i < n; i += size {
		for size > n-i {
			size /= 2
		}
		left := n - i // columns
		diagonal := &a[i*n+i]
		if !choleskyDiagonal(diagonal, &a[i], i, n, size, min(left, lanes), max(0, min(left-lanes, lanes)), &pivots[0]) {
			return false
		}
		for j := i + 2*lanes; j < n; j += 2 * lanes {
			left := n - j
			choleskyTile(&a[i*n+j], &a[i], &a[j], i, n, size, min(left, lanes), max(0, min(left-lanes, lanes)), &pivots[0], diagonal)
		}
	}
	if blocks > 0 {
		mirrorDown(&a[0], n, blocks)
	}
	for i := 8 * blocks; i < n; i++ {
		row := a[i*n : i*n+i]
		for j := range row {
			row[j] = a[j*n+i]
		}
	}
	return true
}

func choleskyDiagonal(tile, x *float32, above, n, size, count0, count1 int, pivots *float32) bool {
	switch {
	case level == AVX512 && size == 8:
		return choleskyDiagonal8AVX512(tile, x, above, n, count0, count1, pivots)
	case level == AVX512 && size == 4:
		return choleskyDiagonal4AVX512(tile, x, above, n, count0, count1, pivots)
	case level == AVX512 && size == 2:
		return choleskyDiagonal2AVX512(tile, x, above, n, count0, count1, pivots)
	case level == AVX512:
		return choleskyDiagonal1AVX512(tile, x, above, n, count0, count1, pivots)
	case size == 4:
		return choleskyDiagonal4AVX2(tile, x, above, n, count0, count1, pivots)
	case size == 2:
		return choleskyDiagonal2AVX2(tile, x, above, n, count0, count1, pivots)
	}
	return choleskyDiagonal1AVX2(tile, x, above, n, count0, count1, pivots)
}

func choleskyTile(tile, x, y *float32, above, n, size, count0, count1 int, pivots, diagonal *float32) {
	switch {
	case level == AVX512 && size == 8:
		choleskyTile8AVX512(tile, x, y, above, n, count0, count1, pivots, diagonal)
	case level == AVX512 && size == 4:
		choleskyTile4AVX512(tile, x, y, above, n, count0, count1, pivots, diagonal)
	case level == AVX512 && size == 2:
		choleskyTile2AVX512(tile, x, y, above, n, count0, count1, pivots, diagonal)
	case level == AVX512:
		choleskyTile1AVX512(tile, x, y, above, n, count0, count1, pivots, diagonal)
	case size == 4:
		choleskyTile4AVX2(tile, x, y, above, n, count0, count1, pivots, diagonal)
	case size == 2:
		choleskyTile2AVX2(tile, x, y, above, n, count0, count1, pivots, diagonal)
	default:
		choleskyTile1AVX2(tile, x, y, above, n, count0, count1, pivots, diagonal)
	}
}

func choleskySolveF32(a []float32, n int, b []float32) {
	switch level {
	case Generic:
		choleskySolveF32Generic(a, n, b)
	case AVX2:
		choleskyForwardAVX2(&a[0], &b[0], n)
		choleskyBackwardAVX2(&a[0], &b[0], n)
	default:
		choleskyForwardAVX512(&a[0], &b[0], n)
		choleskyBackwardAVX512(&a[0], &b[0], n)
	}
}
