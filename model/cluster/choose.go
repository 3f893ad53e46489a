package cluster

import (
	"context"
	"fmt"
	"math"
)

// Choice is the curves over what was tried, for plots, and what they suggest. All but Reach have an
// entry for each trial.
type Choice struct {
	Method     Method
	K          []int     // the numbers of clusters tried, rising; of DBSCAN those found
	Inertia    []float64 // by index into K
	Silhouette []float64

	LogLikelihood, BIC []float64 // of a mixture
	Radius             []float64 // of DBSCAN, rising
	Outliers           []int64   // of DBSCAN
	Reach              []float64 // of DBSCAN: the distances to the MinPoints-th neighbour, rising, a percentile of rows each

	At     int     // index of what was chosen
	Best   int     // its number of clusters: of the highest silhouette, or of a mixture the lowest BIC; the first of equal ones
	Elbow  int     // the k at the bend of the inertia curve
	Result *Result // the clustering chosen
}

// Find clusters the scaled rows of x by cfg.Method, and chooses what cfg leaves open: K, or of
// DBSCAN Radius; the choice is nil where it leaves nothing. See KMeans, FitMixture and DBSCAN.
func Find(ctx context.Context, x []float64, dims int, cfg Config, progress func(done, total int)) (*Result, *Choice, error) {
	var c *Choice
	var r *Result
	var err error
	switch {
	case cfg.Method == DBSCANMethod && cfg.Radius == 0:
		c, err = chooseRadius(ctx, x, dims, cfg, progress)
	case cfg.Method == DBSCANMethod:
		r, err = dense(ctx, x, dims, cfg)
	case cfg.K == 0 && cfg.Method == MixtureMethod:
		c, err = chooseMixture(ctx, x, dims, cfg, progress)
	case cfg.K == 0:
		c, err = ChooseK(ctx, x, dims, cfg, progress)
	case cfg.Method == MixtureMethod:
		r, err = mixed(ctx, x, dims, cfg, progress)
	default:
		r, err = KMeans(ctx, x, dims, cfg, progress)
	}
	if c != nil {
		r = c.Result
	}
	return r, c, err
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
	choice := &Choice{Method: KMeansMethod}
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
			best, choice.Best, choice.Result, choice.At = s, k, r, len(choice.K)-1
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
