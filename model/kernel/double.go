package kernel

// Loops over float64: those of a symmetric eigendecomposition (package als, eigen.go) and of
// iterative refinement.

// Dot64 is Dot over float64.
func Dot64(a, b []float64) float64 { return dot64(a, b[:len(a)]) }

func dot64Generic(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	for len(a) >= 4 && len(b) >= 4 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i, v := range a {
		s0 += v * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

// Axpy64 adds alpha·x to y. y must be at least as long as x.
func Axpy64(alpha float64, x, y []float64) { axpy64(alpha, x, y[:len(x)]) }

func axpy64Generic(alpha float64, x, y []float64) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += alpha * v
	}
}

// Givens64 turns the plane of x and y: x becomes c·x − s·y and y becomes s·x + c·y.
// y must be at least as long as x.
func Givens64(x, y []float64, c, s float64) { givens64(x, y[:len(x)], c, s) }

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
	n := len(row)
	return rank2Symv64(row, w[:n], u[:n], next[:n], p[:n], a, b, c)
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

// NormalResidual64 is NormalResidual with products and sums in float64: the residual that
// iterative refinement of a float32 solution needs.
func NormalResidual64(out []float64, rows, w, b []float32, p []float64) {
	f := len(p)
	out, rows, b = out[:f], rows[:len(w)*f], b[:len(w)]
	if f == 0 {
		return
	}
	for step := passRows(f); len(w) > step; rows, w, b = rows[step*f:], w[step:], b[step:] {
		normalResidual64(out, rows[:step*f], w[:step], b[:step], p)
	}
	if len(w) > 0 {
		normalResidual64(out, rows, w, b, p)
	}
}

func normalResidual64Generic(out []float64, rows, w, b []float32, p []float64) {
	f := len(p)
	out, b = out[:f], b[:len(w)]
	for i := range w {
		r := rows[i*f : i*f+f]
		var s0, s1 float64
		k := 0
		for ; k+1 < f; k += 2 {
			s0 += float64(r[k]) * p[k]
			s1 += float64(r[k+1]) * p[k+1]
		}
		if k < f {
			s0 += float64(r[k]) * p[k]
		}
		c := float64(b[i]) - float64(w[i])*(s0+s1)
		for k, v := range r {
			out[k] += c * float64(v)
		}
	}
}
