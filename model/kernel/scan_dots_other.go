//go:build !amd64

package kernel

func dotRows(dst, table []float32, rows []int32, q []float32) { dotRowsGeneric(dst, table, rows, q) }
