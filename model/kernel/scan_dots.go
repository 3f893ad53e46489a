package kernel

// dotRowsBytes bounds the rows of one assembly call, see scanBytes.
const dotRowsBytes = 1 << 19

// DotRows writes to dst[i] the inner product, added in float32, of q with row
// rows[i] of the row-major matrix table, which has f = len(q) columns. The result
// for a row does not depend on the rows beside it: the same row and q give the same
// bits in every call of one process. Rows may be anywhere; the next ones are
// fetched ahead. dst and rows are of one length.
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
		x := table[int(row)*f : int(row)*f+f]
		var s0, s1, s2, s3 float32
		j := 0
		for ; j+4 <= f; j += 4 {
			s0 += x[j] * q[j]
			s1 += x[j+1] * q[j+1]
			s2 += x[j+2] * q[j+2]
			s3 += x[j+3] * q[j+3]
		}
		for ; j < f; j++ {
			s0 += x[j] * q[j]
		}
		dst[i] = (s0 + s1) + (s2 + s3)
	}
}
