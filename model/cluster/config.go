package cluster

import (
	"fmt"
	"math"
)

// Method is a way to find clusters.
type Method string

// The methods. The empty one is KMeans.
const (
	KMeansMethod  Method = "kmeans"  // round groups of like size; the default
	MixtureMethod Method = "mixture" // stretched groups that overlap, with probabilities
	DBSCANMethod  Method = "dbscan"  // groups of any shape; who is in none is an outlier
)

// Config says how clusters are found.
type Config struct {
	// Method is "kmeans" (round groups, the default), "mixture" (normal distributions,
	// stretched and overlapping) or "dbscan" (dense regions of any shape, and outliers).
	Method Method `yaml:"method"`
	// K is the number of clusters; 0 chooses it between MinK and MaxK, by silhouette or, for
	// a mixture, by BIC. DBSCAN finds it by itself.
	K    int `yaml:"k"`
	MinK int `yaml:"min_k"`
	MaxK int `yaml:"max_k"`
	// Starts is how many seedings are tried; the best inertia wins.
	Starts int `yaml:"starts"`
	// MaxIterations bounds one start.
	MaxIterations int `yaml:"max_iterations"`
	// Tolerance ends a start when the inertia falls by less than this share.
	Tolerance float64 `yaml:"tolerance"`
	// Regularization is added to every variance of a mixture, so that no component collapses
	// onto a point.
	Regularization float64 `yaml:"regularization"`
	// LikelihoodTolerance ends the fit of a mixture when the mean log-likelihood rises by less.
	LikelihoodTolerance float64 `yaml:"likelihood_tolerance"`
	// Radius is the distance, in scaled space, within which DBSCAN's rows are neighbours; 0
	// tries the distances that the rows have to their MinPoints-th neighbours and takes the
	// best by silhouette.
	Radius float64 `yaml:"radius"`
	// MinPoints is how many rows, itself included, must be within Radius of a core row of DBSCAN.
	MinPoints int `yaml:"min_points"`
	// SilhouetteRows is how many rows the silhouette is measured on: exact up to
	// there, on a seeded sample above, because it costs the square.
	SilhouetteRows int `yaml:"silhouette_rows"`
	// Seed decides seedings and samples.
	Seed uint64 `yaml:"seed"`
	// Workers is how many goroutines work on the rows; 0 means one for each
	// processor. It changes no byte of the result.
	Workers int `yaml:"workers"`
}

// Default chooses k from 2 to 8 with 10 starts each.
func Default() Config {
	return Config{
		Method: KMeansMethod, MinK: 2, MaxK: 8, Starts: 10, MaxIterations: 300, Tolerance: 1e-9,
		Regularization: 1e-6, LikelihoodTolerance: 1e-5, MinPoints: 20, SilhouetteRows: 2000, Seed: 1,
	}
}

// Validate names the field that is out of range.
func (c Config) Validate() error {
	switch {
	case c.Method != "" && c.Method != KMeansMethod && c.Method != MixtureMethod && c.Method != DBSCANMethod:
		return fmt.Errorf("cluster: method is %q: use %s, %s or %s", c.Method, KMeansMethod, MixtureMethod, DBSCANMethod)
	case !(c.Regularization > 0) || math.IsInf(c.Regularization, 0):
		return fmt.Errorf("cluster: regularization is %v: must be above 0", c.Regularization)
	case !(c.LikelihoodTolerance >= 0) || math.IsInf(c.LikelihoodTolerance, 0):
		return fmt.Errorf("cluster: likelihood_tolerance is %v: use 0 or more", c.LikelihoodTolerance)
	case !(c.Radius >= 0) || math.IsInf(c.Radius, 0):
		return fmt.Errorf("cluster: radius is %v: use 0 (choose) or more", c.Radius)
	case c.MinPoints < 2:
		return fmt.Errorf("cluster: min_points is %d: must be 2 or more", c.MinPoints)
	case c.K < 0:
		return fmt.Errorf("cluster: k is %d: use 0 (choose) or more", c.K)
	case c.K == 0 && (c.MinK < 2 || c.MaxK < c.MinK):
		return fmt.Errorf("cluster: min_k %d and max_k %d: want 2 ≤ min_k ≤ max_k", c.MinK, c.MaxK)
	case c.Starts < 1:
		return fmt.Errorf("cluster: starts is %d: must be 1 or more", c.Starts)
	case c.MaxIterations < 1:
		return fmt.Errorf("cluster: max_iterations is %d: must be 1 or more", c.MaxIterations)
	case !(c.Tolerance >= 0) || math.IsInf(c.Tolerance, 0):
		return fmt.Errorf("cluster: tolerance is %v: use 0 or more", c.Tolerance)
	case c.SilhouetteRows < 2:
		return fmt.Errorf("cluster: silhouette_rows is %d: must be 2 or more", c.SilhouetteRows)
	case c.Workers < 0:
		return fmt.Errorf("cluster: workers is %d: use 0 (one for each processor) or more", c.Workers)
	}
	return nil
}
