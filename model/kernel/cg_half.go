package kernel

// GatherResidualHalf is GatherResidual from a table in half precision (IEEE binary16, as HalfEncode
// writes it): packed receives the rows in float32, so that the passes that follow
// decode nothing.
func GatherResidualHalf(out, packed []float32, table []uint16, rows []int32, w, b, p []float32) {
	gatherResidualHalfGeneric(out, packed, table, rows, w, b, p)
}

func gatherResidualHalfGeneric(out, packed []float32, table []uint16, rows []int32, w, b, p []float32) {
	f := len(p)
	gatherDecodeGeneric(packed, table, f, rows)
	NormalResidual(out, packed[:len(rows)*f], w[:len(rows)], b, p)
}

// GatherDecode copies the rows rows[i] of table, which has f columns in half precision, one after
// the other into dst, of length at least len(rows)·f, in float32.
func GatherDecode(dst []float32, table []uint16, f int, rows []int32) {
	gatherDecodeGeneric(dst, table, f, rows)
}

func gatherDecodeGeneric(dst []float32, table []uint16, f int, rows []int32) {
	dst = dst[:len(rows)*f]
	for i, row := range rows {
		out := dst[i*f : (i+1)*f]
		for k, h := range table[int(row)*f : (int(row)+1)*f] {
			out[k] = decodeHalf(h)
		}
	}
}
