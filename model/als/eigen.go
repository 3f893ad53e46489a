package als

import (
	"math"

	"kindred/model/kernel"
)

// eigen decomposes a symmetric n × n matrix A = Vᵀ diag(d) V: it reads the lower triangle
// of a, which it destroys, and writes the eigenvalues d, in no order, and V, whose
// rows are the eigenvectors. It reports false for a matrix that is not finite.
//
// It is Householder's reduction to a tridiagonal matrix and the QL iteration with implicit
// shifts (Martin, Reinsch & Wilkinson, Numer. Math. 11, 1968; Dubrulle, Martin & Wilkinson, Numer. Math. 12, 1968; the routines
// tred2 and tql2), laid out so that every inner loop runs along a row: V is kept
// transposed, and the reduction updates a row of A and multiplies it by the next Householder vector in one pass.
// Errors of d and of VᵀV − I are a few n·2⁻⁵³ times |A|. Cost is about 2n³ multiply-adds.
func eigen(a []float64, n int, d, v []float64) bool {
	scale := 0.0
	for i := range n {
		for _, x := range a[i*n : i*n+i+1] {
			if !(math.Abs(x) <= math.MaxFloat64) {
				return false
			}
			scale = max(scale, math.Abs(x))
		}
	}
	clear(v[:n*n])
	for i := range n {
		v[i*n+i] = 1
	}
	if clear(d[:n]); scale == 0 {
		return true
	}
	for i := range n { // so that squares neither overflow nor vanish
		for j := range i + 1 {
			a[i*n+j] /= scale
		}
	}
	e := make([]float64, n)
	tridiagonal(a, n, d, e, v)
	if !diagonalise(d, e, v, n) {
		return false
	}
	for i := range d[:n] {
		d[i] *= scale
	}
	return true
}

// tridiagonal writes the diagonal d and the lower diagonal e (e[i] beside d[i] and
// d[i−1]) of QᵀAQ, and Qᵀ into v, which holds the identity.
func tridiagonal(a []float64, n int, d, e, v []float64) {
	halves := make([]float64, n) // uᵀu/2 of the i-th Householder vector, which stays in row i of a
	w, p := make([]float64, n), make([]float64, n)
	var u []float64 // the vector whose update has not reached the leading rows yet
	for i := n - 1; i > 0; i-- {
		row := a[i*n : i*n+i]
		if u != nil { // row i itself has to be up to date before its vector is known
			kernel.Axpy64(-u[i], w[:i], row)
			kernel.Axpy64(-w[i], u[:i], row)
			a[i*n+i] -= 2 * u[i] * w[i]
		}
		halves[i], e[i] = householder(row)

		// One pass over the leading i rows: the former update, and p = A·row.
		next := row
		clear(p[:i])
		for j := range i {
			line, c := a[j*n:j*n+j], next[j]
			if u != nil {
				a[j*n+j] -= 2 * u[j] * w[j]
				p[j] += kernel.Rank2Symv64(line, w, u, next, p, u[j], w[j], c)
			} else {
				p[j] += kernel.Dot64(line, next)
				kernel.Axpy64(c, line, p)
			}
			p[j] += a[j*n+j] * c
		}
		if h := halves[i]; h > 0 {
			k := kernel.Dot64(next, p) / (2 * h)
			for j := range i {
				w[j] = (p[j] - k*next[j]) / h
			}
		} else {
			clear(w[:i])
		}
		u = next
	}
	for i := range n {
		d[i] = a[i*n+i]
	}
	for i := 1; i < n; i++ {
		h := halves[i]
		if h == 0 {
			continue
		}
		u := a[i*n : i*n+i]
		for j := range i {
			z := v[j*n : j*n+i]
			kernel.Axpy64(-kernel.Dot64(u, z)/h, u, z)
		}
	}
}

// householder turns row into the vector u of the reflection I − uuᵀ/h that maps it to
// (0, …, 0, g), and returns h and g. h is 0 where there is nothing to reflect.
func householder(row []float64) (h, g float64) {
	last := len(row) - 1
	if kernel.Dot64(row[:last], row) == 0 {
		return 0, row[last]
	}
	square := kernel.Dot64(row, row)
	g = -math.Copysign(math.Sqrt(square), row[last])
	h = square - row[last]*g
	row[last] -= g
	return h, g
}

// qlSteps bounds the QL iterations of one eigenvalue; three are usual.
const qlSteps = 60

// diagonalise turns the tridiagonal matrix of d and e into diag(d) and its
// rotations into the rows of v.
func diagonalise(d, e, v []float64, n int) bool {
	copy(e, e[1:])
	e[n-1] = 0
	for l := range n {
		for step := 0; ; step++ {
			m := l
			for ; m < n-1; m++ {
				if near := math.Abs(d[m]) + math.Abs(d[m+1]); math.Abs(e[m]) <= 0x1p-53*near || math.Abs(e[m]) < 0x1p-300 {
					break
				}
			}
			if m == l {
				break
			}
			if step == qlSteps {
				return false
			}
			qlStep(d, e, v, n, l, m)
		}
	}
	return true
}

// qlStep is one implicit QL step on rows l to m.
func qlStep(d, e, v []float64, n, l, m int) {
	g := (d[l+1] - d[l]) / (2 * e[l])
	g = d[m] - d[l] + e[l]/(g+math.Copysign(math.Hypot(g, 1), g)) // Wilkinson's shift
	s, c, p := 1.0, 1.0, 0.0
	for i := m - 1; i >= l; i-- {
		f, b := s*e[i], c*e[i]
		r := math.Sqrt(f*f + g*g)
		e[i+1] = r
		if r == 0 { // deflates
			d[i+1] -= p
			e[m] = 0
			return
		}
		s, c = f/r, g/r
		g = d[i+1] - p
		r = (d[i]-g)*s + 2*c*b
		p = s * r
		d[i+1] = g + p
		g = c*r - b
		kernel.Givens64(v[i*n:i*n+n], v[(i+1)*n:(i+1)*n+n], c, s)
	}
	d[l] -= p
	e[l] = g
	e[m] = 0
}
