package als

import (
	"math"
	"slices"
	"testing"
)

func TestWatchingSeesEveryIterationAndChangesNothing(t *testing.T) {
	x := people(40, 30, 43)
	for name, cfg := range configs() {
		t.Run(name, func(t *testing.T) {
			want := mustFit(t, x, cfg)
			var losses []float64
			var last *Model
			got, err := FitWatched(t.Context(), x, cfg, nil, func(done int, s Snapshot) {
				if losses = append(losses, s.Loss()); done != len(losses) {
					t.Errorf("iteration %d is reported as %d", len(losses), done)
				}
				last = s.Model()
			})
			if err != nil || !slices.Equal(got.items, want.items) || !slices.Equal(got.users, want.users) {
				t.Fatalf("watched, the fit gives other factors; error %v", err)
			}
			if len(losses) != cfg.Iterations || math.Abs(last.Loss(x)-losses[len(losses)-1]) > 1e-9*losses[0] {
				t.Errorf("%d losses, the last snapshot's model has %v, want %v", len(losses), last.Loss(x), losses[len(losses)-1])
			}
			if final := got.Loss(x); final > losses[len(losses)-1]*(1+1e-6) {
				t.Errorf("solving the people once more raised the loss from %v to %v", losses[len(losses)-1], final)
			}
		})
	}
}

func TestOverrelaxationNeverRaisesTheLossAndGetsFurther(t *testing.T) {
	x := people(60, 45, 47)
	solvers := map[string]Config{}
	for name, cfg := range configs() {
		for _, solver := range []string{SolverCholesky, SolverCG} {
			cfg.Solver = solver
			solvers[name+" "+solver] = cfg
		}
	}
	for name, cfg := range solvers {
		t.Run(name, func(t *testing.T) {
			cfg.Iterations, cfg.Overrelaxation = 10, 0
			plain := mustFit(t, x, cfg).Loss(x)
			cfg.Overrelaxation = 0.4
			before := math.Inf(1)
			m, err := FitWatched(t.Context(), x, cfg, nil, func(done int, s Snapshot) {
				loss := s.Loss()
				if loss > before*(1+1e-6) {
					t.Errorf("loss after iteration %d is %v, before it %v", done, loss, before)
				}
				before = loss
			})
			if err != nil {
				t.Fatal(err)
			}
			cfg.Iterations, cfg.Overrelaxation = 60, 0
			least := mustFit(t, x, cfg).Loss(x)
			if got := m.Loss(x); got-least > 0.6*(plain-least) {
				t.Errorf("loss after 10 iterations: %v with overrelaxation, %v without, %v in the end", got, plain, least)
			}
		})
	}
}
