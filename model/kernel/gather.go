package kernel

// gatherAhead is the number of columns that are asked for before their turn: about as many
// cache lines as a core can wait for at once.
const gatherAhead = 1 << 10

// aheadRows is how many rows of f columns further on a gather asks for.
func aheadRows(f int) int { return max(4, gatherAhead/f) }

// Gather copies the rows rows[i] of table, which has f > 0 columns, one after the other
// to dst, of length at least len(rows)·f, and asks for rows further on while it copies.
func Gather(dst, table []float32, f int, rows []int32) {
	checkRows(rows, len(table)/f)
	dst = dst[:len(rows)*f]
	for len(rows) > 0 {
		n := min(passRows(f), len(rows))
		gather(dst, table, f, n, rows)
		dst, rows = dst[n*f:], rows[n:]
	}
}

// GatherDecode is Gather from a table in half precision (see HalfEncode): dst receives the
// rows in float32.
func GatherDecode(dst []float32, table []uint16, f int, rows []int32) {
	checkRows(rows, len(table)/f)
	dst = dst[:len(rows)*f]
	for len(rows) > 0 {
		n := min(passRows(f), len(rows))
		gatherHalf(dst, table, f, n, rows)
		dst, rows = dst[n*f:], rows[n:]
	}
}

// checkRows panics where a row is not in [0, n): assembly would read what is not ours.
// It looks at the largest row, as unsigned, so that no comparison waits for another.
func checkRows(rows []int32, n int) {
	var m0, m1, m2, m3 uint32
	i := 0
	for ; i+4 <= len(rows); i += 4 {
		r := rows[i : i+4 : i+4]
		m0, m1, m2, m3 = max(m0, uint32(r[0])), max(m1, uint32(r[1])), max(m2, uint32(r[2])), max(m3, uint32(r[3]))
	}
	for _, row := range rows[i:] {
		m0 = max(m0, uint32(row))
	}
	if len(rows) > 0 && int(max(m0, m1, m2, m3)) >= n {
		panic("kernel: gather of a row that is not in the table")
	}
}

func gatherGeneric(dst, table []float32, f, n int, rows []int32) {
	for i, row := range rows[:n] {
		copy(dst[i*f:(i+1)*f], table[int(row)*f:(int(row)+1)*f])
	}
}

func gatherHalfGeneric(dst []float32, table []uint16, f, n int, rows []int32) {
	for i, row := range rows[:n] {
		halfDecodeGeneric(dst[i*f:(i+1)*f], table[int(row)*f:(int(row)+1)*f])
	}
}
