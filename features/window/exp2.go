package window

import (
	"math"
	"runtime"
)

// powerOfTwo is math.Exp2(x), to the bit, for −1000 < x ≤ 0, in half the time: it is the
// same reduction and polynomial (FreeBSD's e_exp.c, as package math has it), and puts
// the exponent in place without looking at what it cannot be. On architectures where
// package math has assembly it is math.Exp2 itself.
func powerOfTwo(x float64) float64 {
	if !(x > -1000 && x <= 0) || runtime.GOARCH != "amd64" {
		return math.Exp2(x)
	}
	const (
		ln2Hi = 6.93147180369123816490e-01
		ln2Lo = 1.90821492927058770002e-10
		p1    = 1.66666666666666657415e-01
		p2    = -2.77777777770155933842e-03
		p3    = 6.61375632143793436117e-05
		p4    = -1.65339022054652515390e-06
		p5    = 4.13813679705723846039e-08
	)
	k := int(x - 0.5)
	if x == 0 {
		k = 0
	}
	t := x - float64(k)
	hi := t * ln2Hi
	lo := -t * ln2Lo
	r := hi - lo
	t = r * r
	c := r - t*(p1+t*(p2+t*(p3+t*(p4+t*p5))))
	y := 1 - ((lo - (r*c)/(2-c)) - hi)
	return math.Float64frombits(math.Float64bits(y) + uint64(k)<<52)
}
