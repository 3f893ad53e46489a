package kernel

import "math"

// CholeskyF32 factors the symmetric n × n matrix A = LLᵀ in place and in float32: it reads the
// lower triangle of a, leaves L there and Lᵀ above it, for CholeskySolveF32. It reports
// false, with a half overwritten, when a pivot is not positive and finite. Cost is n³/6
// multiply-adds: about 3 µs for n = 64 with AVX-512.
//
// The error is that of float32, about κ·2⁻²⁴ relative to the solution, κ being the condition of A;
// Cholesky is the way that is float64 throughout.
func CholeskyF32(a []float32, n int) bool { return n == 0 || choleskyF32(a[:n*n], n) }

// CholeskySolveF32 replaces b, of length n, by the solution of LLᵀx = b for what
// CholeskyF32 left in a. Cost is n² multiply-adds.
func CholeskySolveF32(a []float32, n int, b []float32) {
	if n > 0 {
		choleskySolveF32(a[:n*n], n, b[:n])
	}
}

func choleskyF32Generic(a []float32, n int) bool {
	for i := range n {
		ri := a[i*n : i*n+n]
		for j := range i {
			rj := a[j*n : j*n+n]
			ri[j] = (ri[j] - dotGeneric(ri[:j], rj)) / rj[j]
		}
		d := ri[i] - dotGeneric(ri[:i], ri)
		if !(d > 0) || d > math.MaxFloat32 { // also refuses NaN
			return false
		}
		ri[i] = float32(math.Sqrt(float64(d)))
	}
	for i := range n {
		for j := range i {
			a[j*n+i] = a[i*n+j]
		}
	}
	return true
}

func choleskySolveF32Generic(a []float32, n int, b []float32) {
	for i := range n {
		b[i] = (b[i] - dotGeneric(a[i*n:i*n+i], b)) / a[i*n+i]
	}
	for i := n - 1; i >= 0; i-- {
		b[i] /= a[i*n+i]
		axpyGeneric(-b[i], a[i*n:i*n+i], b)
	}
}
