package als

import (
	"bytes"
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"kindred/model/sparse"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheSameBytesForAnyWorkerCount(t *testing.T) {
	x := people(1500, 60, 17) // several chunks and rotations
	for _, solver := range []string{SolverCG, SolverCholesky} {
		t.Run(solver, func(t *testing.T) {
			cfg := Default()
			cfg.Factors, cfg.Iterations, cfg.Solver = 8, 3, solver
			var want *Model
			for _, workers := range []int{1, 2, 3, 16, 0} {
				cfg.Workers = workers
				m := mustFit(t, x, cfg)
				if want == nil {
					want = m
				}
				if !slices.Equal(m.items, want.items) || !slices.Equal(m.users, want.users) {
					t.Fatalf("%d workers give other factors than 1", workers)
				}
			}
		})
	}
}

func TestAnotherSeedGivesAnotherStart(t *testing.T) {
	x := people(20, 15, 1)
	cfg := configs()["ials"]
	a := mustFit(t, x, cfg)
	cfg.Seed++
	if b := mustFit(t, x, cfg); slices.Equal(a.items, b.items) {
		t.Error("two seeds give the same factors")
	}
}

func TestTheUnitOfStrengthsDoesNotMatter(t *testing.T) {
	x := people(30, 20, 19)
	large := &sparse.CSR{Rows: x.Rows, Cols: x.Cols, Ptr: x.Ptr, Col: x.Col, Val: slices.Clone(x.Val)}
	for i := range large.Val {
		large.Val[i] *= 8 // a power of two: no rounding
	}
	cfg := configs()["ials"]
	a, b := mustFit(t, x, cfg), mustFit(t, large, cfg)
	if !slices.Equal(a.items, b.items) {
		t.Error("eight times the strengths give other factors")
	}
	if a.Scale() != 8*b.Scale() {
		t.Errorf("scales %v and %v, want a ratio of 8", a.Scale(), b.Scale())
	}
	cols, vals := x.Row(3)
	_, big := large.Row(3)
	wa, errA := a.FoldIn(cols, vals)
	wb, errB := b.FoldIn(cols, big)
	if errA != nil || errB != nil || !slices.Equal(wa, wb) {
		t.Errorf("FoldIn = %v, %v and %v, %v; want the same", wa, errA, wb, errB)
	}
}

func TestRowsWithoutEntriesGetZeroFactors(t *testing.T) {
	x := people(12, 9, 23)
	for _, solver := range []string{SolverCG, SolverCholesky} {
		cfg := configs()["ials"]
		cfg.Solver = solver
		m := mustFit(t, x, cfg)
		if length(m.UserFactors(11)) != 0 || length(m.ItemFactors(8)) != 0 {
			t.Errorf("%s: somebody without entries has factors", solver)
		}
		if dst := make([]float32, 9); m.Similar(8, dst) || dst[0] != 0 {
			t.Errorf("%s: an item nobody used is similar to others: %v", solver, dst)
		}
	}
	empty := sparse.FromTriples(3, 2, nil)
	m := mustFit(t, empty, configs()["ials"])
	if m.Items() != 2 || m.Users() != 3 || m.Scale() != 1 {
		t.Errorf("an empty matrix gives %d items, %d people, scale %v", m.Items(), m.Users(), m.Scale())
	}
}

func TestFitReportsEveryIterationAndStopsWhenAsked(t *testing.T) {
	x := people(20, 15, 29)
	cfg := configs()["ials"]
	var seen []int
	if _, err := Fit(t.Context(), x, cfg, nil, func(done, total int) {
		seen = append(seen, done)
		if total != cfg.Iterations {
			t.Errorf("total = %d, want %d", total, cfg.Iterations)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 2, 3, 4, 5, 6, 7, 8}, seen); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}

	ctx, cancel := context.WithCancel(t.Context())
	iterations := 0
	_, err := Fit(ctx, x, cfg, nil, func(done, _ int) {
		if iterations = done; done == 2 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || iterations != 2 {
		t.Errorf("cancelled in iteration 2: error %v after iteration %d", err, iterations)
	}
}

func TestFitRefusesWhatItCannotUse(t *testing.T) {
	good := people(6, 5, 31)
	change := func(f func(*Config)) Config {
		cfg := configs()["ials"]
		f(&cfg)
		return cfg
	}
	negative := sparse.FromTriples(2, 2, []sparse.Triple{{Row: 1, Col: 0, Val: -1}})
	other := mustFit(t, people(6, 4, 1), configs()["ials"])
	for name, c := range map[string]struct {
		x    *sparse.CSR
		cfg  Config
		warm *Model
		want string
	}{
		"objective":      {good, change(func(c *Config) { c.Objective = "bpr" }), nil, "als.objective"},
		"factors":        {good, change(func(c *Config) { c.Factors = 0 }), nil, "als.factors"},
		"too many":       {good, change(func(c *Config) { c.Factors = 1 << 20 }), nil, "als.factors"},
		"regularization": {good, change(func(c *Config) { c.Regularization = math.NaN() }), nil, "als.regularization"},
		"unobserved":     {good, change(func(c *Config) { c.UnobservedWeight = -1 }), nil, "als.unobserved_weight"},
		"exponent":       {good, change(func(c *Config) { c.FrequencyExponent = 3 }), nil, "als.frequency_exponent"},
		"hkv with a0":    {good, change(func(c *Config) { c.Objective = ObjectiveHKV }), nil, "needs 1 and 0"},
		"deviation":      {good, change(func(c *Config) { c.StdDev = 0 }), nil, "als.std_dev"},
		"iterations":     {good, change(func(c *Config) { c.Iterations = 0 }), nil, "als.iterations"},
		"solver":         {good, change(func(c *Config) { c.Solver = "qr" }), nil, "als.solver"},
		"steps":          {good, change(func(c *Config) { c.CGSteps = 0 }), nil, "als.cg_steps"},
		"overrelaxation": {good, change(func(c *Config) { c.Overrelaxation = 1 }), nil, "als.overrelaxation"},
		"workers":        {good, change(func(c *Config) { c.Workers = -1 }), nil, "als.workers"},
		"strength":       {negative, configs()["ials"], nil, "row 1 column 0"},
		"matrix":         {&sparse.CSR{Rows: 1}, configs()["ials"], nil, "do not fit together"},
		"warm start":     {good, configs()["ials"], other, "need 5 × 6"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Fit(t.Context(), c.x, c.cfg, c.warm, nil); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Fit = %v, want an error with %q", err, c.want)
			}
		})
	}
	for name, cfg := range map[string]Config{"Default": Default(), "Implicit": Implicit()} {
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s().Validate() = %v", name, err)
		}
	}
	if err := singular(t); !errors.Is(err, ErrSingular) {
		t.Errorf("without regularization and unobserved weight: %v, want ErrSingular", err)
	}
}

// singular fits what has no unique answer.
func singular(t *testing.T) error {
	cfg := configs()["flat"]
	cfg.Regularization, cfg.UnobservedWeight, cfg.Solver = 0, 0, SolverCholesky
	_, err := Fit(t.Context(), people(6, 5, 31), cfg, nil, nil)
	return err
}

func TestAWarmStartBeginsWhereTheOldModelEnded(t *testing.T) {
	x := people(50, 30, 37)
	cfg := configs()["ials"]
	cfg.Iterations = 30
	old := mustFit(t, x, cfg)

	// The new vocab has the items in reverse, and one more in front.
	oldRow := []int32{-1}
	var triples []sparse.Triple
	for i := range x.Cols {
		oldRow = append(oldRow, int32(x.Cols-1-i))
	}
	for u := range x.Rows {
		cols, vals := x.Row(u)
		for i, c := range cols {
			triples = append(triples, sparse.Triple{Row: int32(u), Col: int32(x.Cols) - c, Val: vals[i]})
		}
	}
	triples = append(triples, sparse.Triple{Row: 0, Col: 0, Val: 1})
	y := sparse.FromTriples(x.Rows, x.Cols+1, triples)
	warm := Remap(old, oldRow)
	if diff := cmp.Diff(old.ItemFactors(4), warm.ItemFactors(int32(x.Cols-4))); diff != "" || warm.Items() != 31 || warm.Users() != 0 {
		t.Fatalf("Remap moved factors to the wrong row (-want +got):\n%s", diff)
	}

	cfg.Iterations = 1
	warmed, err := Fit(t.Context(), y, cfg, warm, nil)
	if err != nil {
		t.Fatal(err)
	}
	cold := mustFit(t, y, cfg)
	cfg.Iterations = 30
	settled := mustFit(t, y, cfg).Loss(y)
	if w, c := warmed.Loss(y), cold.Loss(y); w > settled*1.02 || w > c {
		t.Errorf("after one iteration the loss is %v warm and %v cold; settled %v", w, c, settled)
	}
	if length(warmed.ItemFactors(0)) == 0 {
		t.Error("the new item has no factors")
	}
}

func TestFitLeavesTheWarmModelAlone(t *testing.T) {
	x := people(20, 15, 41)
	cfg := configs()["ials"]
	old := mustFit(t, x, cfg)
	before, _ := old.MarshalBinary()
	if _, err := Fit(t.Context(), x, cfg, old, nil); err != nil {
		t.Fatal(err)
	}
	if after, _ := old.MarshalBinary(); !bytes.Equal(before, after) {
		t.Error("Fit changed the model it started from")
	}
}

func BenchmarkFit(b *testing.B) {
	x := people(2000, 500, 1)
	cfg := Default()
	cfg.Iterations, cfg.Workers = 1, runtime.GOMAXPROCS(0)
	for b.Loop() {
		if _, err := Fit(b.Context(), x, cfg, nil, nil); err != nil {
			b.Fatal(err)
		}
	}
}
