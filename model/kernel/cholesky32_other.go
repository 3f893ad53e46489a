//go:build !amd64

package kernel

func choleskyF32(a []float32, n int) bool { return choleskyF32Generic(a, n) }

func choleskySolveF32(a []float32, n int, b []float32) { choleskySolveF32Generic(a, n, b) }
