//go:build !amd64

package kernel

func dot64(a, b []float64) float64 { return dot64Generic(a, b) }

func axpy64(alpha float64, x, y []float64) { axpy64Generic(alpha, x, y) }

func givens64(x, y []float64, c, s float64) { givens64Generic(x, y, c, s) }

func rank2Symv64(row, w, u, next, p []float64, a, b, c float64) float64 {
	return rank2Symv64Generic(row, w, u, next, p, a, b, c)
}

func normalResidual64(out []float64, rows, w, b []float32, p []float64) {
	normalResidual64Generic(out, rows, w, b, p)
}
