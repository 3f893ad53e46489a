package als_test

import (
	"testing"

	"kindred/model"
	"kindred/model/als"
	"kindred/model/modeltest"
	"kindred/model/sparse"
)

func TestModelKeepsTheScorersPromises(t *testing.T) {
	for name, cfg := range configs() {
		t.Run(name, func(t *testing.T) {
			modeltest.Run(t, func(t *testing.T, x *sparse.CSR, seed uint64) model.Scorer {
				cfg := cfg
				cfg.Seed = seed
				return fit(t, x, cfg)
			}, modeltest.Options{Decode: decode})
		})
	}
}

// configs are the objectives and solvers, at a size for small matrices.
func configs() map[string]als.Config {
	cg := als.Default()
	cg.Factors = 8
	exact := cg
	exact.Solver = als.SolverCholesky
	hkv := als.Implicit()
	hkv.Factors = 2 // more would learn by heart who misses which item
	return map[string]als.Config{"cg": cg, "cholesky": exact, "hkv": hkv}
}

// fit fails the test when the fit does.
func fit(t *testing.T, x *sparse.CSR, cfg als.Config) *als.Model {
	t.Helper()
	m, err := als.Fit(t.Context(), x, cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// decode reads a model.
func decode(b []byte) (model.Scorer, error) {
	m := new(als.Model)
	return m, m.UnmarshalBinary(b)
}
