package window

// MaxSum bounds every sum that a profile or a counter holds. It is far above what
// honest events add up to, and far below where a float64, or the float32 that a
// model keeps of it, stops being finite.
const MaxSum = 1e18

// Bounded is x within ±MaxSum; what is not a number is 0. Sums that lie inside
// are untouched, so that adding stays commutative and associative for them.
func Bounded(x float64) float64 {
	switch {
	case x >= -MaxSum && x <= MaxSum: // as all are but odd ones
		return x
	case x > MaxSum:
		return MaxSum
	case x < -MaxSum:
		return -MaxSum
	}
	return 0
}
