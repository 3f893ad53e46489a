package cluster

import (
	"fmt"
	"math"
)

// Config says how clusters are found.
type Config struct {
	// K is the number of clusters; 0 chooses it between MinK and MaxK by silhouette.
	K    int `yaml:"k"`
	MinK int `yaml:"min_k"`
	MaxK int `yaml:"max_k"`
	// Starts is how many seedings are tried; the best inertia wins.
	Starts int `yaml:"starts"`
	// MaxIterations bounds one start.
	MaxIterations int `yaml:"max_iterations"`
	// Tolerance ends a start when the inertia falls by less than this share.
	Tolerance float64 `yaml:"tolerance"`
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
	return Config{MinK: 2, MaxK: 8, Starts: 10, MaxIterations: 300, Tolerance: 1e-9, SilhouetteRows: 2000, Seed: 1}
}

// Validate names the field that is out of range.
func (c Config) Validate() error {
	switch {
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
