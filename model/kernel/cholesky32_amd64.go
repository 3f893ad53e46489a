package kernel

// choleskyF32 computes U = Lᵀ above the diagonal, where what a step needs of a
// row is contiguous, and mirrors the matrix before and the factor after: that is
// n² moves beside n³/6 multiply-adds.
func choleskyF32(a []float32, n int) bool {
	size, lanes := 8, 16
	switch level {
	case Generic:
		return choleskyF32Generic(a, n)
	case AVX2:
		size, lanes = 4, 8
	}
	blocks := mirrored(n)
	if blocks > 0 {
		mirrorUp(&a[0], n, blocks)
	}
	for i := 8 * blocks; i < n; i++ {
		for j, v := range a[i*n : i*n+i] {
			a[j*n+i] = v
		}
	}
	var packed [choleskyPanel * 32]float32
	for i := 0; i < n; i += choleskyPanel {
		end := min(i+choleskyPanel, n)
		if !choleskyRows(a, n, i, end, size, lanes) {
			return false
		}
		choleskyTrailing(a, n, i, end, size, lanes, &packed)
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

// mirrored is how many blocks of 8 rows and columns one call mirrors; what is beyond, some rows
// or all of a matrix for which the call would be long, is left to plain Go.
func mirrored(n int) int {
	if n > 512 {
		return 0
	}
	return n / 8
}

// choleskyPanel is how many rows of U are found before the rows below lose their products:
// so many that a tile is loaded and stored seldom, so few that their columns, which lie a row apart, do not
// push each other out of the first level cache where n is a power of two.
const choleskyPanel = 32

// choleskyRows finds the rows from first to end of U, which have lost the products of those above.
func choleskyRows(a []float32, n, first, end, size, lanes int) bool {
	var pivots [8]float32 // inverse
	for i := first; i < end; i += size {
		for size > end-i {
			size /= 2
		}
		x, above, diagonal := &a[first*n+i], i-first, &a[i*n+i]
		if c := columns(n-i, lanes); !choleskyDiagonal(diagonal, x, above, n, size, c, &pivots[0]) {
			return false
		}
		for j := i + 2*lanes; j < n; j += 2 * lanes {
			choleskySolve(&a[i*n+j], x, &a[first*n+j], above, n, size, columns(n-j, lanes), &pivots[0], diagonal)
		}
	}
	return true
}

// choleskyTrailing subtracts the products of the rows from first to end from all below. What the
// tiles of some columns have in common is packed first: in its place, where rows may be a power of two
// apart, the loads would wait for stores of the tile before whose addresses end alike.
func choleskyTrailing(a []float32, n, first, end, size, lanes int, packed *[choleskyPanel * 32]float32) {
	for j := end; j < n; j += 2 * lanes {
		c, size := columns(n-j, lanes), size
		for k := first; k < end; k++ {
			copy(packed[(k-first)*2*lanes:], a[k*n+j:k*n+j+c[0]+c[1]])
		}
		for i := end; i < j+c[0]+c[1]; i += size {
			for size > n-i {
				size /= 2
			}
			choleskyUpdate(&a[i*n+j], &a[first*n+i], &packed[0], end-first, n, size, c)
		}
	}
}

// columns is how many of left columns the two vectors of a tile hold.
func columns(left, lanes int) [2]int {
	return [2]int{min(left, lanes), max(0, min(left-lanes, lanes))}
}

func choleskyUpdate(tile, x, y *float32, above, n, size int, c [2]int) {
	switch {
	case level == AVX512 && size == 8:
		choleskyUpdate8AVX512(tile, x, y, above, n, c[0], c[1])
	case level == AVX512 && size == 4:
		choleskyUpdate4AVX512(tile, x, y, above, n, c[0], c[1])
	case level == AVX512 && size == 2:
		choleskyUpdate2AVX512(tile, x, y, above, n, c[0], c[1])
	case level == AVX512:
		choleskyUpdate1AVX512(tile, x, y, above, n, c[0], c[1])
	case size == 4:
		choleskyUpdate4AVX2(tile, x, y, above, n, c[0], c[1])
	case size == 2:
		choleskyUpdate2AVX2(tile, x, y, above, n, c[0], c[1])
	default:
		choleskyUpdate1AVX2(tile, x, y, above, n, c[0], c[1])
	}
}

func choleskySolve(tile, x, y *float32, above, n, size int, c [2]int, pivots, diagonal *float32) {
	switch {
	case level == AVX512 && size == 8:
		choleskySolve8AVX512(tile, x, y, above, n, c[0], c[1], pivots, diagonal)
	case level == AVX512 && size == 4:
		choleskySolve4AVX512(tile, x, y, above, n, c[0], c[1], pivots, diagonal)
	case level == AVX512 && size == 2:
		choleskySolve2AVX512(tile, x, y, above, n, c[0], c[1], pivots, diagonal)
	case level == AVX512:
		choleskySolve1AVX512(tile, x, y, above, n, c[0], c[1], pivots, diagonal)
	case size == 4:
		choleskySolve4AVX2(tile, x, y, above, n, c[0], c[1], pivots, diagonal)
	case size == 2:
		choleskySolve2AVX2(tile, x, y, above, n, c[0], c[1], pivots, diagonal)
	default:
		choleskySolve1AVX2(tile, x, y, above, n, c[0], c[1], pivots, diagonal)
	}
}

func choleskyDiagonal(tile, x *float32, above, n, size int, c [2]int, pivots *float32) bool {
	switch {
	case level == AVX512 && size == 8:
		return choleskyDiagonal8AVX512(tile, x, above, n, c[0], c[1], pivots)
	case level == AVX512 && size == 4:
		return choleskyDiagonal4AVX512(tile, x, above, n, c[0], c[1], pivots)
	case level == AVX512 && size == 2:
		return choleskyDiagonal2AVX512(tile, x, above, n, c[0], c[1], pivots)
	case level == AVX512:
		return choleskyDiagonal1AVX512(tile, x, above, n, c[0], c[1], pivots)
	case size == 4:
		return choleskyDiagonal4AVX2(tile, x, above, n, c[0], c[1], pivots)
	case size == 2:
		return choleskyDiagonal2AVX2(tile, x, above, n, c[0], c[1], pivots)
	}
	return choleskyDiagonal1AVX2(tile, x, above, n, c[0], c[1], pivots)
}

// solveOrder is up to where choleskySolveF32 has its work space on the stack; from there on a row
// is long enough for a call of its own.
const solveOrder = 512

func choleskySolveF32(a []float32, n int, b []float32) {
	if level == Generic || n < 16 {
		choleskySolveF32Generic(a, n, b)
		return
	}
	if n > solveOrder {
		for i := range n {
			b[i] /= a[i*n+i]
			axpy(-b[i], a[i*n+i+1:(i+1)*n], b[i+1:])
		}
		for i := n - 1; i >= 0; i-- {
			b[i] /= a[i*n+i]
			axpy(-b[i], a[i*n:i*n+i], b)
		}
		return
	}
	var work [solveOrder]float32
	copy(work[:], b)
	if level == AVX2 {
		choleskyForwardAVX2(&b[0], &work[0], &a[0], n)
	} else {
		choleskyForwardAVX512(&b[0], &work[0], &a[0], n)
	}
	// The last row is taken here: behind it there is nothing that whole vectors might read.
	last := n - 1
	b[last] /= a[last*n+last]
	axpy(-b[last], a[last*n:last*n+last], b)
	copy(work[:], b)
	if level == AVX2 {
		choleskyBackwardAVX2(&b[0], &work[0], &a[0], n, last)
	} else {
		choleskyBackwardAVX512(&b[0], &work[0], &a[0], n, last)
	}
}
