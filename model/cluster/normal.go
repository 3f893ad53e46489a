package cluster

import "math"

// cholesky turns the lower triangle of a, dims × dims and symmetric, into its Cholesky factor. A
// pivot below least, which rounding makes of a singular matrix, becomes least.
func cholesky(a []float64, dims int, least float64) {
	for i := range dims {
		for j := range i + 1 {
			sum := a[i*dims+j]
			for l := range j {
				sum -= a[i*dims+l] * a[j*dims+l]
			}
			if i == j {
				a[i*dims+i] = math.Sqrt(max(sum, least))
			} else {
				a[i*dims+j] = sum / a[j*dims+j]
			}
		}
	}
}

// invertLower writes the inverse of a lower triangular matrix into dst.
func invertLower(dst, a []float64, dims int) {
	clear(dst)
	for j := range dims {
		dst[j*dims+j] = 1 / a[j*dims+j]
		for i := j + 1; i < dims; i++ {
			sum := 0.0
			for l := j; l < i; l++ {
				sum -= a[i*dims+l] * dst[l*dims+j]
			}
			dst[i*dims+j] = sum / a[i*dims+i]
		}
	}
}

// offset is what the logarithm of weight·N(x) has besides the distance: ln weight − ½·dims·ln 2π − ln|L|.
func offset(weight float64, factor []float64, dims int) float64 {
	sum := math.Log(weight) - float64(dims)/2*math.Log(2*math.Pi)
	for i := range dims {
		sum -= math.Log(factor[i*dims+i])
	}
	return sum
}
