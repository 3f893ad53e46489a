package crowdtest

import (
	"math"
	"math/rand/v2"
	"sort"
)

// law draws k from 0 to n−1 with P(k) ∝ 1/(k+q)^s (Mandelbrot, "An informational
// theory of the statistical structure of language", 1953).
type law []float64 // P(at most k)

func newLaw(n int, q, s float64) law {
	l, sum := make(law, n), 0.0
	for k := range l {
		sum += math.Pow(float64(k)+q, -s)
		l[k] = sum
	}
	for k := range l {
		l[k] /= sum
	}
	return l
}

func (l law) draw(rng *rand.Rand) int {
	return min(sort.SearchFloat64s(l, rng.Float64()), len(l)-1)
}
