//go:build !amd64

package kernel

// gather copies the first n > 0 of rows.
func gather(dst, table []float32, f, n int, rows []int32) { gatherGeneric(dst, table, f, n, rows) }
