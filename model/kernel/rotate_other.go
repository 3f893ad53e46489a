//go:build !amd64

package kernel

// rotate is Rotate of at most RotateRows rows.
func rotate(rows, v []float32, f int, scratch []float32) { rotateGeneric(rows, v, f, scratch) }
