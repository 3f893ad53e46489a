package hybrid

import (
	"cmp"
	"math"
	"slices"
)

// normalize replaces scores by their normalised form and returns the factor by
// which differences of z-scores grew (0 for ranks and for constant scores).
func normalize(scores []float32, by Normalization) (scale float64) {
	if by == Rank {
		rankNormalize(scores)
		return 0
	}
	return zNormalize(scores)
}

// zNormalize makes mean 0 and population deviation 1. Scores that are all equal
// say nothing about any item and become 0.
func zNormalize(scores []float32) float64 {
	n := float64(len(scores))
	sum := 0.0
	for _, s := range scores {
		sum += float64(s)
	}
	mean, square := sum/n, 0.0
	for _, s := range scores {
		d := float64(s) - mean
		square += d * d
	}
	deviation := math.Sqrt(square / n)
	scale := 1 / deviation
	// Below this the differences are rounding of equal scores; do not blow them up.
	if !(deviation > 1e-7*math.Abs(mean)) || math.IsInf(scale, 0) {
		clear(scores)
		return 0
	}
	for i, s := range scores {
		scores[i] = float32((float64(s) - mean) * scale)
	}
	return scale
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
