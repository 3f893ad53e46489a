package kernel

import "math"

// GatherResidualHalf is GatherResidual from a table in half precision (IEEE binary16, as HalfEncode
// writes it): packed receives the rows in float32, so that the passes that follow
// decode nothing.
func GatherResidualHalf(out, packed []float32, table []uint16, rows []int32, w, b, p []float32) {
	gatherResidualHalfGeneric(out, packed, table, rows, w, b, p)
}

func gatherResidualHalfGeneric(out, packed []float32, table []uint16, rows []int32, w, b, p []float32) {
	f := len(p)
	gatherDecodeGeneric(packed, table, f, rows)
	NormalResidual(out, packed[:len(rows)*f], w[:len(rows)], b, p)
}

// GatherDecode copies the rows rows[i] of table, which has f columns in half precision, one after
// the other into dst, of length at least len(rows)·f, in float32.
func GatherDecode(dst []float32, table []uint16, f int, rows []int32) {
	gatherDecodeGeneric(dst, table, f, rows)
}

func gatherDecodeGeneric(dst []float32, table []uint16, f int, rows []int32) {
	dst = dst[:len(rows)*f]
	for i, row := range rows {
		out := dst[i*f : (i+1)*f]
		for k, h := range table[int(row)*f : (int(row)+1)*f] {
			out[k] = decodeHalf(h)
		}
	}
}

// decodeHalf is the number that the half-precision bits h stand for.
func decodeHalf(h uint16) float32 {
	sign, exponent, mantissa := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&1023
	switch exponent {
	case 0: // zero or subnormal: mantissa·2⁻²⁴, which float32 holds exactly
		v := math.Float32bits(float32(mantissa) * 0x1p-24)
		return math.Float32frombits(sign | v)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | mantissa<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | mantissa<<13)
}
