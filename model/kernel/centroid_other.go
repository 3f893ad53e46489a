//go:build !amd64

package kernel

func distances(dst *[centroidBlock]float32, block, x []float32) { distancesGeneric(dst, block, x) }
