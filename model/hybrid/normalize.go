package hybrid

import (
	"cmp"
	"math"
	"slices"
)

// normalize replaces scores by their normalised form and returns, for z-scores, the
// mean and the factor by which differences grew (0 for ranks and for constant scores).
func normalize(scores []float32, by Normalization) (mean, scale float64) {
	if by == Rank {
		rankNormalize(scores)
		return 0, 0
	}
	return zNormalize(scores)
}

// zNormalize makes mean 0 and population deviation 1. Scores that are all equal
// say nothing about any item and become 0.
func zNormalize(scores []float32) (mean, scale float64) {
	mean, variance := moments(scores)
	d := deviation(mean, variance)
	if d == 0 {
		clear(scores)
		return mean, 0
	}
	scale = 1 / d
	for i, s := range scores {
		scores[i] = float32((float64(s) - mean) * scale)
	}
	return mean, scale
}

// moments are the mean and the population variance of scores, in float64.
func moments(scores []float32) (mean, variance float64) {
	n := float64(max(1, len(scores)))
	for _, s := range scores {
		mean += float64(s)
	}
	mean /= n
	for _, s := range scores {
		d := float64(s) - mean
		variance += d * d
	}
	return mean, variance / n
}

// deviation is the root of the variance, or 0 where the differences between scores
// with this mean are rounding of equal ones: they must not be blown up.
func deviation(mean, variance float64) float64 {
	d := math.Sqrt(variance)
	if !(d > 1e-7*math.Abs(mean)) || math.IsInf(1/d, 0) {
		return 0
	}
	return d
}

// rankNormalize makes the best score 1 and the worst 0, evenly spaced by rank;
// equal scores share the mean of their ranks. All equal gives ½ each.
func rankNormalize(scores []float32) {
	n := len(scores)
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(scores[a], scores[b]), cmp.Compare(a, b))
	})
	last := float64(max(1, n-1))
	for from := 0; from < n; {
		to := from + 1
		for to < n && scores[order[to]] == scores[order[from]] {
			to++
		}
		value := float32((float64(from) + float64(to-1)) / 2 / last)
		for _, i := range order[from:to] {
			scores[i] = value
		}
		from = to
	}
}
