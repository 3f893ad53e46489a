package kernel

// gemmTile subtracts the product of one packed panel of A and one of B, k deep, from the
// gemmRows × gemmCols numbers at c. AVX2 and AVX-512 add in the same order and give equal bytes.
func gemmTile(c, a, b []float32, k int) {
	switch level {
	case AVX512:
		gemmTileAVX512(&c[0], &a[0], &b[0], k)
	case AVX2:
		const rows, cols = gemmRows / 2, gemmCols / 2
		for i := 0; i < gemmRows; i += rows {
			for j := 0; j < gemmCols; j += cols {
				gemmTileAVX2(&c[i*gemmBlock+j], &a[i], &b[j], k)
			}
		}
	default:
		gemmTileGeneric(c, a, b, k)
	}
}
