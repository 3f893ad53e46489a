package cluster

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// seeds chooses k rows as first centroids by greedy k-means++: the first uniformly,
// each further one as the best of 2 + ⌊ln k⌋ rows drawn in proportion to the squared
// distance to the nearest chosen one. It returns fewer where the rows hold fewer
// distinct points. start numbers the stream of random numbers.
func (r rows) seeds(ctx context.Context, k int, seed, start uint64) ([]float64, error) {
	random := rand.New(rand.NewPCG(seed, start))
	centroids := slices.Clone(r.row(random.IntN(r.n)))
	near := slices.Repeat([]float64{math.Inf(1)}, r.n) // squared distance to the nearest chosen row
	potential, err := r.nearer(ctx, near, centroids, near)
	if err != nil {
		return nil, err
	}
	trials := 2 + int(math.Log(float64(k)))
	tried, kept := make([]float64, r.n), make([]float64, r.n)
	for len(centroids) < k*r.dims && total(potential) > 0 {
		var best []float64 // its potential by block
		chosen := -1
		for range trials {
			i := r.draw(random.Float64()*total(potential), near, potential)
			p, err := r.nearer(ctx, near, r.row(i), tried)
			if err != nil {
				return nil, err
			}
			if chosen < 0 || total(p) < total(best) {
				chosen, best = i, p
				tried, kept = kept, tried
			}
		}
		centroids = append(centroids, r.row(chosen)...)
		potential = best
		near, kept = kept, near
	}
	return centroids, nil
}

// nearer writes into dst the lesser of near and the squared distance to c, by row,
// and returns its sums by block. dst may be near.
func (r rows) nearer(ctx context.Context, near, c, dst []float64) ([]float64, error) {
	sums := make([]float64, r.blocks())
	err := r.each(ctx, func(b, from, to int) {
		for i := from; i < to; i++ {
			dst[i] = min(near[i], squared(r.row(i), c))
			sums[b] += dst[i]
		}
	})
	return sums, err
}

// draw finds the row at which the running sum of weights passes at.
func (r rows) draw(at float64, weights, blocks []float64) int {
	b := 0
	for ; b < len(blocks)-1 && at >= blocks[b]; b++ {
		at -= blocks[b]
	}
	last := -1
	for i := b * block; i < min((b+1)*block, r.n); i++ {
		if weights[i] > 0 {
			if last = i; at < weights[i] {
				break
			}
		}
		at -= weights[i]
	}
	if last < 0 { // rounding ran past the end into a block without weight
		last = max(0, slices.IndexFunc(weights, func(w float64) bool { return w > 0 }))
	}
	return last
}

// total adds the blocks in order.
func total(blocks []float64) float64 {
	sum := 0.0
	for _, v := range blocks {
		sum += v
	}
	return sum
}
