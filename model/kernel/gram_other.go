//go:build !amd64

package kernel

func syrk(g []float64, rows, w []float32, f int, scratch []float64) {
	syrkGeneric(g, rows, w, f, scratch)
}
