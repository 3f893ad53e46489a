package kernel

func dotRows(dst, table []float32, rows []int32, q []float32) {
	switch f := len(q); {
	case level == Generic || f < 8 || len(rows) == 0:
		dotRowsGeneric(dst, table, rows, q)
	case level == AVX2:
		dotRowsAVX2(&dst[0], &table[0], &rows[0], len(rows), &q[0], f)
	default:
		dotRowsAVX512(&dst[0], &table[0], &rows[0], len(rows), &q[0], f)
	}
}
