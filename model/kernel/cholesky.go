package kernel

import "math"

// Cholesky factors the symmetric n × n matrix A = LLᵀ in place: it reads the lower
// triangle of a and leaves L there. It reports false, with a half overwritten,
// when A is not positive definite in float64. Cost is n³/6 multiply-adds.
func Cholesky(a []float64, n int) bool {
	for i := range n {
		ri := a[i*n : i*n+n]
		for j := range i {
			rj := a[j*n : j*n+n]
			ri[j] = (ri[j] - Dot64(ri[:j], rj)) / rj[j]
		}
		d := ri[i] - Dot64(ri[:i], ri)
		if !(d > 0) || math.IsInf(d, 1) { // also refuses NaN
			return false
		}
		ri[i] = math.Sqrt(d)
	}
	return true
}

// CholeskySolve replaces b by the solution of LLᵀx = b for the factor L that
// Cholesky left in a.
func CholeskySolve(a []float64, n int, b []float64) {
	for i := range n {
		row := a[i*n : i*n+n]
		b[i] = (b[i] - Dot64(row[:i], b)) / row[i]
	}
	for i := n - 1; i >= 0; i-- {
		row := a[i*n : i*n+n]
		b[i] /= row[i]
		x := b[i]
		for j, v := range row[:i] {
			b[j] -= x * v
		}
	}
}
