package cluster

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// Silhouette is the mean silhouette of the rows of x under labels in [0, k), exact up to
// cfg.SilhouetteRows rows and on a sample of that many, chosen by cfg.Seed, above.
// It lies in [−1, 1]; with fewer than two clusters among the rows it is 0. Cost is
// O(rows² · dims) in the rows used. The error is ctx's.
func Silhouette(ctx context.Context, x []float64, dims int, labels []int32, k int, cfg Config) (float64, error) {
	if n := len(labels); n > cfg.SilhouetteRows {
		random := rand.New(rand.NewPCG(cfg.Seed, 0x53494c48))
		chosen := random.Perm(n)[:cfg.SilhouetteRows]
		slices.Sort(chosen)
		var sample []float64
		var sampled []int32
		for _, i := range chosen {
			sample = append(sample, x[i*dims:(i+1)*dims]...)
			sampled = append(sampled, labels[i])
		}
		x, labels = sample, sampled
	}
	sizes := make([]float64, k)
	for _, c := range labels {
		sizes[c]++
	}
	if occupied := k - count(sizes, 0); occupied < 2 {
		return 0, nil
	}
	r := newRows(x, dims, cfg.Workers)
	values := make([]float64, r.n)
	err := r.each(ctx, func(_, from, to int) {
		sums := make([]float64, k) // distance of the row to all rows of each cluster
		for i := from; i < to && ctx.Err() == nil; i++ {
			clear(sums)
			for j, c := range labels {
				sums[c] += math.Sqrt(squared(r.row(i), r.row(j)))
			}
			values[i] = silhouette(sums, sizes, int(labels[i]))
		}
	})
	return total(values) / float64(max(1, r.n)), err
}

// silhouette is that of one row of cluster own, from its summed distances to the
// rows of each cluster.
func silhouette(sums, sizes []float64, own int) float64 {
	if sizes[own] < 2 {
		return 0
	}
	a, b := sums[own]/(sizes[own]-1), math.Inf(1)
	for c, sum := range sums {
		if c != own && sizes[c] > 0 {
			b = min(b, sum/sizes[c])
		}
	}
	if a == b { // also where both are 0
		return 0
	}
	return (b - a) / max(a, b)
}

// count is how many entries equal v.
func count(s []float64, v float64) int {
	n := 0
	for _, x := range s {
		if x == v {
			n++
		}
	}
	return n
}
