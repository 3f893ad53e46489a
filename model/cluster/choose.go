package cluster

import (
	"context"
	"fmt"
	"math"
)

// Choice is the curves over k, for plots, and what they suggest.
type Choice struct {
	K          []int     // the numbers of clusters tried, rising
	Inertia    []float64 // by index into K
	Silhouette []float64
	Best       int     // the k with the highest silhouette, the lowest of equal ones
	Elbow      int     // the k at the bend of the inertia curve
	Result     *Result // the clustering with Best clusters
}

// ChooseK clusters with every k from cfg.MinK to cfg.MaxK and compares; see KMeans
// for the arguments. It stops early when the rows hold fewer distinct points than the
// next k. progress counts values of k. The error is ErrTooFewRows when not even MinK
// clusters can be told apart.
func ChooseK(ctx context.Context, x []float64, dims int, cfg Config, progress func(done, total int)) (*Choice, error) {
	cfg.K = 0
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	choice := &Choice{}
	best := math.Inf(-1)
	for k := cfg.MinK; k <= cfg.MaxK && (dims < 1 || k <= len(x)/dims); k++ {
		cfg.K = k
		r, err := KMeans(ctx, x, dims, cfg, nil)
		if err != nil {
			return nil, err
		}
		if r.K < k {
			break
		}
		s, err := Silhouette(ctx, x, dims, r.Labels, r.K, cfg)
		if err != nil {
			return nil, err
		}
		choice.K = append(choice.K, k)
		choice.Inertia = append(choice.Inertia, r.Inertia)
		choice.Silhouette = append(choice.Silhouette, s)
		if s > best {
			best, choice.Best, choice.Result = s, k, r
		}
		if progress != nil {
			progress(k-cfg.MinK+1, cfg.MaxK-cfg.MinK+1)
		}
	}
	if len(choice.K) == 0 {
		return nil, fmt.Errorf("choose k from %d to %d on %d rows: %w", cfg.MinK, cfg.MaxK, len(x)/max(1, dims), ErrTooFewRows)
	}
	choice.Elbow = choice.K[elbow(choice.K, choice.Inertia)]
	return choice, nil
}

// elbow is the index of the point farthest below the chord from the first to the
// last, both axes scaled to [0, 1] (Satopää et al., "Finding a Kneedle in a Haystack", 2011).
func elbow(k []int, inertia []float64) int {
	last := len(k) - 1
	width, height := float64(k[last]-k[0]), inertia[0]-inertia[last]
	if last < 2 || height <= 0 {
		return 0
	}
	best, at := -1.0, 0
	for i := range k {
		x := float64(k[i]-k[0]) / width
		y := (inertia[0] - inertia[i]) / height // how much of the fall is done
		if d := y - x; d > best {
			best, at = d, i
		}
	}
	return at
}
