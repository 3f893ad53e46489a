package kernel

// dotRowsBytes bounds the rows of one assembly call, see scanBytes.
const dotRowsBytes = 1 << 19

// DotRows writes to dst[i] the inner product of q with row rows[i] of the row-major matrix
// table, which has f = len(q) columns: to the bit what Dot gives for q and that row,
// whatever the rows beside it. Rows may be anywhere and repeat; the next ones are fetched
// ahead. dst and rows are of one length; a row that table does not have panics.
func DotRows(dst, table []float32, rows []int32, q []float32) {
	dst = dst[:len(rows)]
	f := len(q)
	if f == 0 {
		clear(dst)
		return
	}
	n := uint32(len(table) / f)
	for _, row := range rows {
		if uint32(row) >= n {
			panic("kernel: DotRows of a row that is not there")
		}
	}
	step := max(1, dotRowsBytes/(4*f))
	for at := 0; at < len(rows); at += step {
		end := min(at+step, len(rows))
		dotRows(dst[at:end], table, rows[at:end], q)
	}
}

// dotRowsGeneric is DotRows in plain Go.
func dotRowsGeneric(dst, table []float32, rows []int32, q []float32) {
	f := len(q)
	for i, row := range rows {
		dst[i] = dotGeneric(q, table[int(row)*f:int(row)*f+f])
	}
}
