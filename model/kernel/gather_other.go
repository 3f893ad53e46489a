//go:build !amd64

package kernel

// gather copies the first n > 0 of rows.
func gather(dst, table []float32, f, n int, rows []int32) { gatherGeneric(dst, table, f, n, rows) }

// gatherHalf copies the first n > 0 of rows.
func gatherHalf(dst []float32, table []uint16, f, n int, rows []int32) {
	gatherHalfGeneric(dst, table, f, n, rows)
}

// gatherResidual works on the first len(w) > 0 of rows.
func gatherResidual(out, packed, table []float32, rows []int32, w, b, p []float32) {
	gatherResidualGeneric(out, packed, table, rows, w, b, p)
}

// gatherResidualHalf works on the first len(w) > 0 of rows.
func gatherResidualHalf(out, packed []float32, table []uint16, rows []int32, w, b, p []float32) {
	gatherResidualHalfGeneric(out, packed, table, rows, w, b, p)
}
