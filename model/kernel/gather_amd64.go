package kernel

// gather copies the first n > 0 of rows.
func gather(dst, table []float32, f, n int, rows []int32) {
	switch level {
	case Generic:
		gatherGeneric(dst, table, f, n, rows)
	case AVX2:
		gatherAVX2(&dst[0], &table[0], &rows[0], n, f, aheadRows(f), len(rows))
	default:
		gatherAVX512(&dst[0], &table[0], &rows[0], n, f, aheadRows(f), len(rows))
	}
}

// gatherHalf copies the first n > 0 of rows.
func gatherHalf(dst []float32, table []uint16, f, n int, rows []int32) {
	switch level {
	case Generic:
		gatherHalfGeneric(dst, table, f, n, rows)
	case AVX2:
		gatherHalfAVX2(&dst[0], &table[0], &rows[0], n, f, aheadRows(f), len(rows))
	default:
		gatherHalfAVX512(&dst[0], &table[0], &rows[0], n, f, aheadRows(f), len(rows))
	}
}

// gatherResidual works on the first len(w) > 0 of rows.
func gatherResidual(out, packed, table []float32, rows []int32, w, b, p []float32) {
	n, ahead := len(w), aheadRows(len(p))
	switch {
	case level == AVX512 && len(p) == 64:
		gatherNormal64AVX512(&out[0], &packed[0], &table[0], &rows[0], &w[0], &b[0], &p[0], n, ahead, len(rows))
	case level == AVX512 && len(p) == 128:
		gatherNormal128AVX512(&out[0], &packed[0], &table[0], &rows[0], &w[0], &b[0], &p[0], n, ahead, len(rows))
	case level == AVX512 && len(p) == 192:
		gatherNormal192AVX512(&out[0], &packed[0], &table[0], &rows[0], &w[0], &b[0], &p[0], n, ahead, len(rows))
	case level == AVX512 && len(p) == 256:
		gatherNormal256AVX512(&out[0], &packed[0], &table[0], &rows[0], &w[0], &b[0], &p[0], n, ahead, len(rows))
	default:
		gatherResidualGeneric(out, packed, table, rows, w, b, p)
	}
}

// gatherResidualHalf works on the first len(w) > 0 of rows.
func gatherResidualHalf(out, packed []float32, table []uint16, rows []int32, w, b, p []float32) {
	n, ahead := len(w), aheadRows(len(p))
	switch {
	case level == AVX512 && len(p) == 64:
		gatherNormal64HalfAVX512(&out[0], &packed[0], &table[0], &rows[0], &w[0], &b[0], &p[0], n, ahead, len(rows))
	case level == AVX512 && len(p) == 128:
		gatherNormal128HalfAVX512(&out[0], &packed[0], &table[0], &rows[0], &w[0], &b[0], &p[0], n, ahead, len(rows))
	case level == AVX512 && len(p) == 192:
		gatherNormal192HalfAVX512(&out[0], &packed[0], &table[0], &rows[0], &w[0], &b[0], &p[0], n, ahead, len(rows))
	case level == AVX512 && len(p) == 256:
		gatherNormal256HalfAVX512(&out[0], &packed[0], &table[0], &rows[0], &w[0], &b[0], &p[0], n, ahead, len(rows))
	default:
		gatherResidualHalfGeneric(out, packed, table, rows, w, b, p)
	}
}
