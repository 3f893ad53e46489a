package cluster

import (
	"fmt"
	"math"
)

// Scaler standardises vectors; see the package comment. All fields have one entry
// a dimension. It must not change once fitted.
type Scaler struct {
	Log       []bool    // take ln(1 + max(0, x)) first
	Mean      []float64 // of g(x) over the rows where x is present
	Deviation []float64 // population deviation; 1 where all values are equal
}

// FitScaler measures x, row-major with len(log) dimensions. Missing values (NaN or
// infinite) are left out of mean and deviation; a dimension with no value at all has
// mean 0 and deviation 1. The error says that x is not a whole number of rows.
func FitScaler(x []float64, log []bool) (*Scaler, error) {
	dims := len(log)
	if dims == 0 || len(x)%dims != 0 {
		return nil, fmt.Errorf("fit scaler: %d values are not rows of %d dimensions", len(x), dims)
	}
	s := &Scaler{Log: append([]bool(nil), log...), Mean: make([]float64, dims), Deviation: make([]float64, dims)}
	for d := range dims {
		n, mean, m2 := 0.0, 0.0, 0.0 // Welford, 1962
		for i := d; i < len(x); i += dims {
			if v, ok := s.raw(d, x[i]); ok {
				n++
				delta := v - mean
				mean += delta / n
				m2 += delta * (v - mean)
			}
		}
		s.Mean[d], s.Deviation[d] = mean, 1
		if n > 0 {
			// Rounding leaves a crumb where all values are equal; do not blow it up.
			if dev := math.Sqrt(m2 / n); dev > 1e-12*math.Abs(mean) && dev > 0 {
				s.Deviation[d] = dev
			}
		}
	}
	return s, nil
}

// Dims is the number of dimensions.
func (s *Scaler) Dims() int { return len(s.Mean) }

// largest bounds a value, so that squares and sums stay finite.
const largest = 1e100

// raw is g(x) in dimension d; false when x is missing.
func (s *Scaler) raw(d int, x float64) (float64, bool) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, false
	}
	if s.Log[d] {
		return math.Log1p(max(0, x)), true
	}
	return max(-largest, min(largest, x)), true
}

// Transform writes the scaled form of x into dst. Both hold whole rows, of equal
// length; they may be the same slice.
func (s *Scaler) Transform(dst, x []float64) {
	dims := s.Dims()
	for i, v := range x {
		d := i % dims
		z := 0.0
		if g, ok := s.raw(d, v); ok {
			z = (g - s.Mean[d]) / s.Deviation[d]
		}
		dst[i] = z
	}
}

// Invert writes into dst the raw values of the scaled rows z; the mean of a log
// dimension comes back as a geometric mean.
func (s *Scaler) Invert(dst, z []float64) {
	dims := s.Dims()
	for i, v := range z {
		d := i % dims
		g := v*s.Deviation[d] + s.Mean[d]
		if s.Log[d] {
			g = math.Expm1(g)
		}
		dst[i] = g
	}
}
