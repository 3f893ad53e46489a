//go:build !amd64

package kernel

func gemv(dst, rows, p []float32) { gemvGeneric(dst, rows, p) }

func addNormal(out, rows, w, b, p []float32) { addNormalGeneric(out, rows, w, b, p) }
