package kernel

// GatherResidual is Gather and NormalResidual in one pass: it copies the rows
// rows[i] of table, which has f = len(p) columns, one after the other into packed, of length so many times f,
// and adds Σ (bᵢ − wᵢ (yᵢ·p)) yᵢ of them to out, so that a row that comes from far away
// is worked on while the next ones are fetched. w and b are equally long, and the shorter of w and rows says
// how many rows there are; what rows has beyond w is only asked for ahead, so that whoever works
// through a long list piece by piece gives all that is left of it.
func GatherResidual(out, packed, table []float32, rows []int32, w, b, p []float32) {
	f := len(p)
	w = w[:min(len(w), len(rows))]
	if f == 0 || len(w) == 0 {
		return
	}
	checkRows(rows[:len(w)], len(table)/f)
	out, packed, b = out[:f], packed[:len(w)*f], b[:len(w)]
	for len(w) > 0 {
		n := gatherPiece(f, len(w))
		gatherResidual(out, packed[:n*f], table, rows, w[:n], b[:n], p)
		packed, rows, w, b = packed[n*f:], rows[n:], w[n:], b[n:]
	}
}

// GatherResidualHalf is GatherResidual from a table in half precision (see HalfEncode):
// packed receives the rows in float32, so that the passes that follow decode nothing.
func GatherResidualHalf(out, packed []float32, table []uint16, rows []int32, w, b, p []float32) {
	f := len(p)
	w = w[:min(len(w), len(rows))]
	if f == 0 || len(w) == 0 {
		return
	}
	checkRows(rows[:len(w)], len(table)/f)
	out, packed, b = out[:f], packed[:len(w)*f], b[:len(w)]
	for len(w) > 0 {
		n := gatherPiece(f, len(w))
		gatherResidualHalf(out, packed[:n*f], table, rows, w[:n], b[:n], p)
		packed, rows, w, b = packed[n*f:], rows[n:], w[n:], b[n:]
	}
}

// gatherPiece is how many of left rows are gathered, and then worked on where one loop does
// not do both, in one go: as many as the first level cache holds twice. Where one loop does
// both, the number bounds the time of a call.
func gatherPiece(f, left int) int { return min(left, max(8, 1<<12/f&^7)) }

func gatherResidualGeneric(out, packed, table []float32, rows []int32, w, b, p []float32) {
	gather(packed, table, len(p), len(w), rows)
	addNormal(out, packed, w, b, p)
}

func gatherResidualHalfGeneric(out, packed []float32, table []uint16, rows []int32, w, b, p []float32) {
	gatherHalf(packed, table, len(p), len(w), rows)
	addNormal(out, packed, w, b, p)
}
