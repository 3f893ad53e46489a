package kernel

// The inner loops of a symmetric eigendecomposition in float64 (package als, eigen.go).

// Axpy64 adds alpha·x to y. y must be at least as long as x.
func Axpy64(alpha float64, x, y []float64) { axpy64Generic(alpha, x, y) }

func axpy64Generic(alpha float64, x, y []float64) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += alpha * v
	}
}

// Givens64 turns the plane of x and y: x becomes c·x − s·y and y becomes s·x + c·y.
// y must be at least as long as x.
func Givens64(x, y []float64, c, s float64) { givens64Generic(x, y, c, s) }

func givens64Generic(x, y []float64, c, s float64) {
	y = y[:len(x)]
	for i, v := range x {
		w := y[i]
		x[i], y[i] = c*v-s*w, s*v+c*w
	}
}

// Rank2Symv64 is one row of the pass that takes a symmetric matrix from one Householder
// step to the next: row −= a·w + b·u, then p += c·row, and it returns row·next. One
// pass over the matrix both updates it and multiplies it by the next vector. All are at
// least as long as row.
func Rank2Symv64(row, w, u, next, p []float64, a, b, c float64) float64 {
	return rank2Symv64Generic(row, w, u, next, p, a, b, c)
}

func rank2Symv64Generic(row, w, u, next, p []float64, a, b, c float64) float64 {
	n := len(row)
	w, u, next, p = w[:n], u[:n], next[:n], p[:n]
	var s float64
	for k, v := range row {
		v -= a*w[k] + b*u[k]
		row[k] = v
		p[k] += c * v
		s += v * next[k]
	}
	return s
}
