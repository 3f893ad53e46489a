//go:build !amd64

package kernel

func dot(a, b []float32) float32 { return dotGeneric(a, b) }
