package load

import (
	"math"
	"math/rand/v2"
)

// Zipf draws ranks in [0, n) with probability proportional to 1/(rank+1)^s, for
// any s ≥ 0 (0 is uniform), by rejection-inversion (Hörmann & Derflinger,
// "Rejection-inversion to generate variates from monotone discrete distributions",
// ACM TOMACS 1996): O(1) time and memory. math/rand/v2's own needs s > 1. It is
// immutable.
type Zipf struct {
	n            int
	s            float64
	first, last  float64 // H(1.5) − 1 and H(n + ½)
	acceptAtOnce float64
	uniform      bool
}

// NewZipf draws among n ≥ 1 ranks.
func NewZipf(n int, s float64) *Zipf {
	z := &Zipf{n: n, s: s, uniform: s == 0}
	z.first = z.integral(1.5) - 1
	z.last = z.integral(float64(n) + .5)
	z.acceptAtOnce = 2 - z.inverse(z.integral(2.5)-z.density(2))
	return z
}

// Draw is a rank.
func (z *Zipf) Draw(random *rand.Rand) int {
	if z.uniform {
		return random.IntN(z.n)
	}
	for {
		u := z.last + random.Float64()*(z.first-z.last)
		x := z.inverse(u)
		k := min(max(math.Round(x), 1), float64(z.n))
		if k-x <= z.acceptAtOnce || u >= z.integral(k+.5)-z.density(k) {
			return int(k) - 1
		}
	}
}

// density is x^−s.
func (z *Zipf) density(x float64) float64 { return math.Exp(-z.s * math.Log(x)) }

// integral is H(x) = (x^(1−s) − 1)/(1−s), and ln x for s = 1.
func (z *Zipf) integral(x float64) float64 {
	l := math.Log(x)
	return expm1Over((1-z.s)*l) * l
}

// inverse undoes integral.
func (z *Zipf) inverse(y float64) float64 {
	t := max(y*(1-z.s), -1)
	return math.Exp(log1pOver(t) * y)
}

// expm1Over is (eˣ − 1)/x, 1 at 0.
func expm1Over(x float64) float64 {
	if math.Abs(x) < 1e-8 {
		return 1 + x/2
	}
	return math.Expm1(x) / x
}

// log1pOver is ln(1 + x)/x, 1 at 0.
func log1pOver(x float64) float64 {
	if math.Abs(x) < 1e-8 {
		return 1 - x/2
	}
	return math.Log1p(x) / x
}
