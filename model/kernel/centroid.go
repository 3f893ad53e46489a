package kernel

import "math"

// centroidBlock is the number of centroids that stand side by side.
const centroidBlock = 16

// PackCentroids lays out k centroids, k×d row-major, for Distances and Nearest: in
// blocks of 16, dimension by dimension, the last block padded with its first centroid.
// The result has length ⌈k/16⌉·16·d.
func PackCentroids(centroids []float32, k, d int) []float32 {
	packed := make([]float32, 0, (k+centroidBlock-1)/centroidBlock*centroidBlock*d)
	for from := 0; from < k; from += centroidBlock {
		for j := range d {
			for c := from; c < from+centroidBlock; c++ {
				at := c
				if at >= k {
					at = from
				}
				packed = append(packed, centroids[at*d+j])
			}
		}
	}
	return packed
}

// Distances writes to dst the squared Euclidean distances of x to the first len(dst)
// of the packed centroids, added in float32; x has their length d. Cost is
// O(len(dst)·d).
func Distances(dst, packed, x []float32) {
	d := len(x)
	if len(packed) < (len(dst)+centroidBlock-1)/centroidBlock*centroidBlock*d {
		panic("kernel: Distances to centroids that are not there")
	}
	if d == 0 {
		clear(dst)
		return
	}
	for ; len(dst) >= centroidBlock; dst, packed = dst[centroidBlock:], packed[centroidBlock*d:] {
		distances((*[centroidBlock]float32)(dst), packed, x)
	}
	if len(dst) > 0 {
		var block [centroidBlock]float32
		distances(&block, packed, x)
		copy(dst, block[:])
	}
}

// Nearest returns the number of the centroid, of the k packed ones, that is nearest
// to x, and the squared distance. Equal distances go to the lower number; a distance that is not a
// number is never the nearest. With none it returns −1 and +Inf. Cost as of Distances.
func Nearest(packed []float32, k int, x []float32) (int, float32) {
	nearest, least := -1, float32(math.Inf(1))
	if k > 0 && len(x) == 0 {
		return 0, 0
	}
	var block [centroidBlock]float32
	for from := 0; from < k; from += centroidBlock {
		distances(&block, packed[from*len(x):(from+centroidBlock)*len(x)], x)
		for c, distance := range block[:min(centroidBlock, k-from)] {
			if distance < least {
				nearest, least = from+c, distance
			}
		}
	}
	return nearest, least
}

// distancesGeneric is one block of Distances in plain Go.
func distancesGeneric(dst *[centroidBlock]float32, block, x []float32) {
	*dst = [centroidBlock]float32{}
	for j, v := range x {
		for c, w := range (*[centroidBlock]float32)(block[j*centroidBlock:]) {
			off := v - w
			dst[c] += off * off
		}
	}
}
