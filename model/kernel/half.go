package kernel

import "math"

// HalfEncode writes src in half precision (IEEE 754 binary16) into dst, which is at least as
// long: rounded to the nearest, ties to even, so with a relative error of at most 2⁻¹¹ from 2⁻¹⁴ to
// 65504, an absolute one of 2⁻²⁵ below, and infinite from 65520 on. What is
// not a number stays that. All levels write the same bits.
func HalfEncode(dst []uint16, src []float32) {
	dst = dst[:len(src)]
	for ; len(src) > passNumbers; dst, src = dst[passNumbers:], src[passNumbers:] {
		halfEncode(dst[:passNumbers], src[:passNumbers])
	}
	halfEncode(dst, src)
}

// HalfDecode writes the numbers that src stands for into dst, which is at least as long.
// It is exact, and all levels write the same bits.
func HalfDecode(dst []float32, src []uint16) {
	dst = dst[:len(src)]
	for ; len(src) > passNumbers; dst, src = dst[passNumbers:], src[passNumbers:] {
		halfDecode(dst[:passNumbers], src[:passNumbers])
	}
	halfDecode(dst, src)
}

func halfEncodeGeneric(dst []uint16, src []float32) {
	for i, v := range src {
		dst[i] = encodeHalf(v)
	}
}

func halfDecodeGeneric(dst []float32, src []uint16) {
	for i, h := range src {
		dst[i] = decodeHalf(h)
	}
}

// encodeHalf is the bits of the half-precision number nearest to v.
func encodeHalf(v float32) uint16 {
	bits := math.Float32bits(v)
	sign, size := uint16(bits>>16)&0x8000, bits&0x7fffffff
	switch {
	case size > 0x7f800000: // not a number: quiet, as processors make it
		return sign | 0x7e00 | uint16(size>>13)&0x3ff
	case size >= 0x47800000: // 2¹⁶ or more
		return sign | 0x7c00
	case size >= 0x38800000: // 2⁻¹⁴ or more: a carry out of the mantissa is right, also into infinity
		return sign | uint16((size-0x38000000+0xfff+size>>13&1)>>13)
	}
	// Adding 1/2 leaves multiples of 2⁻²⁴, the unit of a subnormal half, in the mantissa.
	return sign | uint16(math.Float32bits(math.Float32frombits(size)+.5)-0x3f000000)
}

// decodeHalf is the number that the half-precision bits h stand for.
func decodeHalf(h uint16) float32 {
	sign, exponent, mantissa := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&1023
	switch {
	case exponent == 0: // zero or subnormal: mantissa·2⁻²⁴, which float32 holds exactly
		v := math.Float32bits(float32(mantissa) * 0x1p-24)
		return math.Float32frombits(sign | v)
	case exponent == 31 && mantissa != 0: // not a number: quiet, as processors make it
		return math.Float32frombits(sign | 0x7fc00000 | mantissa<<13)
	case exponent == 31:
		return math.Float32frombits(sign | 0x7f800000)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | mantissa<<13)
}
