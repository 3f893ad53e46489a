//go:build !amd64

package kernel

func gram(g, rows, w []float32, f int) { gramGeneric(g, rows, w, f) }
