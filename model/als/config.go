package als

import (
	"fmt"
	"math"
)

// Objectives and solvers, see the package comment.
const (
	ObjectiveIALS  = "ials"
	ObjectiveHKV   = "hkv"
	SolverCG       = "cg"
	SolverCholesky = "cholesky"
)

// Config says what to fit and how.
type Config struct {
	// Objective is "ials" or "hkv". With "hkv" the matrix holds confidences, and
	// UnobservedWeight must be 1 and FrequencyExponent 0.
	Objective string `yaml:"objective" json:"objective"`
	// Factors is f, the length of a person's and an item's vector.
	Factors int `yaml:"factors" json:"factors"`
	// Regularization is λ.
	Regularization float64 `yaml:"regularization" json:"regularization"`
	// UnobservedWeight is a0, the confidence that a pair nobody acted on is no preference.
	UnobservedWeight float64 `yaml:"unobserved_weight" json:"unobserved_weight"`
	// FrequencyExponent is ν: 0 regularises all rows alike, 1 in proportion to their data.
	FrequencyExponent float64 `yaml:"frequency_exponent" json:"frequency_exponent"`
	// StdDev is the deviation of the initial item factors times √f.
	StdDev float64 `yaml:"std_dev" json:"std_dev"`
	// Iterations is the number of sweeps over both sides.
	Iterations int `yaml:"iterations" json:"iterations"`
	// Solver is "cg" or "cholesky".
	Solver string `yaml:"solver" json:"solver"`
	// CGSteps is the number of conjugate gradient steps of a row in one half-step.
	CGSteps int `yaml:"cg_steps" json:"cg_steps"`
	// Overrelaxation is ω − 1 in [0, 1): each row is moved ω times as far as its solution is
	// away, in all iterations but the first and the last. 0 is plain alternation. See the package comment.
	Overrelaxation float64 `yaml:"overrelaxation" json:"overrelaxation,omitzero"`
	// Seed makes the initial factors.
	Seed uint64 `yaml:"seed" json:"seed"`
	// Workers is how many goroutines solve; 0 means one for each processor. It changes no byte of the result.
	Workers int `yaml:"workers" json:"workers"`
}

// Default is the configuration for a catalogue about which nothing is known yet.
func Default() Config {
	return Config{
		Objective: ObjectiveIALS, Factors: 64, Regularization: 0.007, UnobservedWeight: 0.3, FrequencyExponent: 1,
		StdDev: 0.1, Iterations: 12, Solver: SolverCG, CGSteps: 2, Seed: 1,
	}
}

// Implicit is the objective and the size of the Python library implicit's defaults, for comparisons
// with it. The way to the minimum is our own: with Overrelaxation 0, SolverCholesky and the library's
// start it takes the library's way.
func Implicit() Config {
	return Config{
		Objective: ObjectiveHKV, Factors: 50, Regularization: 0.01, UnobservedWeight: 1, FrequencyExponent: 0,
		StdDev: 0.5, Iterations: 15, Solver: SolverCG, CGSteps: 2, Overrelaxation: 0.4, Seed: 1,
	}
}

// maxFactors bounds f, so that f² matrices stay small.
const maxFactors = 1024

// Validate names the first field that cannot be used and says what would be right.
func (c Config) Validate() error {
	positive := func(v float64) bool { return v >= 0 && !math.IsInf(v, 1) }
	switch {
	case c.Objective != ObjectiveIALS && c.Objective != ObjectiveHKV:
		return fmt.Errorf("als.objective is %q: use %q or %q", c.Objective, ObjectiveIALS, ObjectiveHKV)
	case c.Factors < 1 || c.Factors > maxFactors:
		return fmt.Errorf("als.factors is %d: use 1 to %d", c.Factors, maxFactors)
	case !positive(c.Regularization):
		return fmt.Errorf("als.regularization is %v: use a finite number from 0", c.Regularization)
	case !positive(c.UnobservedWeight):
		return fmt.Errorf("als.unobserved_weight is %v: use a finite number from 0", c.UnobservedWeight)
	case !positive(c.FrequencyExponent) || c.FrequencyExponent > 2:
		return fmt.Errorf("als.frequency_exponent is %v: use 0 to 2", c.FrequencyExponent)
	case c.Objective == ObjectiveHKV && (c.UnobservedWeight != 1 || c.FrequencyExponent != 0):
		return fmt.Errorf("als.unobserved_weight is %v and als.frequency_exponent is %v: objective %q needs 1 and 0",
			c.UnobservedWeight, c.FrequencyExponent, ObjectiveHKV)
	case !positive(c.StdDev) || c.StdDev == 0:
		return fmt.Errorf("als.std_dev is %v: use a finite number above 0", c.StdDev)
	case c.Iterations < 1 || c.Iterations > 10000:
		return fmt.Errorf("als.iterations is %d: use 1 to 10000", c.Iterations)
	case c.Solver != SolverCG && c.Solver != SolverCholesky:
		return fmt.Errorf("als.solver is %q: use %q or %q", c.Solver, SolverCG, SolverCholesky)
	case c.Solver == SolverCG && (c.CGSteps < 1 || c.CGSteps > 1000):
		return fmt.Errorf("als.cg_steps is %d: use 1 to 1000", c.CGSteps)
	case !(c.Overrelaxation >= 0 && c.Overrelaxation < 1):
		return fmt.Errorf("als.overrelaxation is %v: use 0 up to, but not including, 1", c.Overrelaxation)
	case c.Workers < 0:
		return fmt.Errorf("als.workers is %d: use 0 (one for each processor) or more", c.Workers)
	}
	return nil
}
