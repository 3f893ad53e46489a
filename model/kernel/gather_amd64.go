package kernel

// gather copies the first n > 0 of rows.
func gather(dst, table []float32, f, n int, rows []int32) {
	ahead := max(4, gatherAhead/f)
	switch level {
	case Generic:
		gatherGeneric(dst, table, f, n, rows)
	case AVX2:
		gatherAVX2(&dst[0], &table[0], &rows[0], n, f, ahead, len(rows))
	default:
		gatherAVX512(&dst[0], &table[0], &rows[0], n, f, ahead, len(rows))
	}
}
