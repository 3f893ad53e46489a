package kernel

// Dot is the inner product of a and b, added in float32 in several interleaved
// sums. b must be at least as long as a.
func Dot(a, b []float32) float32 {
	b = b[:len(a)]
	var sum float32
	for ; len(a) > passNumbers; a, b = a[passNumbers:], b[passNumbers:] {
		sum += dot(a[:passNumbers], b)
	}
	return sum + dot(a, b)
}

func dotGeneric(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
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

// Axpy adds alpha·x to y. y must be at least as long as x.
func Axpy(alpha float32, x, y []float32) {
	y = y[:len(x)]
	for ; len(x) > passNumbers; x, y = x[passNumbers:], y[passNumbers:] {
		axpy(alpha, x[:passNumbers], y)
	}
	axpy(alpha, x, y)
}

func axpyGeneric(alpha float32, x, y []float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += alpha * v
	}
}

// dot4 is the inner products of four rows with p.
func dot4(r0, r1, r2, r3, p []float32) (s0, s1, s2, s3 float32) {
	r0, r1, r2, r3 = r0[:len(p)], r1[:len(p)], r2[:len(p)], r3[:len(p)]
	var t0, t1, t2, t3 float32
	k := 0
	for ; k+1 < len(p); k += 2 {
		v, w := p[k], p[k+1]
		s0 += r0[k] * v
		s1 += r1[k] * v
		s2 += r2[k] * v
		s3 += r3[k] * v
		t0 += r0[k+1] * w
		t1 += r1[k+1] * w
		t2 += r2[k+1] * w
		t3 += r3[k+1] * w
	}
	if k < len(p) {
		v := p[k]
		s0 += r0[k] * v
		s1 += r1[k] * v
		s2 += r2[k] * v
		s3 += r3[k] * v
	}
	return s0 + t0, s1 + t1, s2 + t2, s3 + t3
}

// axpy4 adds c0·r0 + c1·r1 + c2·r2 + c3·r3 to out.
func axpy4(c0, c1, c2, c3 float32, r0, r1, r2, r3, out []float32) {
	r0, r1, r2, r3 = r0[:len(out)], r1[:len(out)], r2[:len(out)], r3[:len(out)]
	for k := range out {
		out[k] += (c0*r0[k] + c1*r1[k]) + (c2*r2[k] + c3*r3[k])
	}
}
