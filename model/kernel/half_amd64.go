package kernel

// The assembly converts whole vectors; the conversions are the same in plain Go.

func halfEncode(dst []uint16, src []float32) {
	n := 0
	switch level {
	case AVX2:
		if n = len(src) &^ 7; n > 0 {
			halfEncodeAVX2(&dst[0], &src[0], n)
		}
	case AVX512:
		if n = len(src) &^ 15; n > 0 {
			halfEncodeAVX512(&dst[0], &src[0], n)
		}
	}
	halfEncodeGeneric(dst[n:], src[n:])
}

func halfDecode(dst []float32, src []uint16) {
	n := 0
	switch level {
	case AVX2:
		if n = len(src) &^ 7; n > 0 {
			halfDecodeAVX2(&dst[0], &src[0], n)
		}
	case AVX512:
		if n = len(src) &^ 15; n > 0 {
			halfDecodeAVX512(&dst[0], &src[0], n)
		}
	}
	halfDecodeGeneric(dst[n:], src[n:])
}
