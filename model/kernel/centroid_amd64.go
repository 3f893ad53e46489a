package kernel

func distances(dst *[centroidBlock]float32, block, x []float32) {
	switch level {
	case AVX512:
		distancesAVX512(&dst[0], &block[0], &x[0], len(x))
	case AVX2:
		distancesAVX2(&dst[0], &block[0], &x[0], len(x))
	default:
		distancesGeneric(dst, block, x)
	}
}
