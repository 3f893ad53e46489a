package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"path/filepath"

	"kindred/model/als"
	"kindred/model/sparse"
)

// iteration is what one iteration of a fit took, on either side.
type iteration struct {
	cost
	Done int   `json:"done"`
	Peak int64 `json:"peak"` // bytes resident at most, so far
}

// alsSide fits, an iteration whenever it is asked to "step". "loss" is implicit's formula
// for the factors as they stand, "save" writes them.
func alsSide(ctx context.Context, args []string) (side, error) {
	fs := flag.NewFlagSet("bench side als", flag.ContinueOnError)
	dir := fs.String("data", "", "directory of the interactions")
	cfg := als.Implicit() // implicit's objective, solved our way
	fs.IntVar(&cfg.Factors, "f", 64, "factors")
	fs.IntVar(&cfg.Iterations, "iterations", 15, "most iterations")
	fs.Float64Var(&cfg.Regularization, "lambda", 20, "regularization")
	fs.IntVar(&cfg.Workers, "threads", 2, "threads")
	fs.StringVar(&cfg.Solver, "solver", cfg.Solver, "solver")
	alpha := fs.Float64("alpha", 5, "confidence of an interaction")
	if err := fs.Parse(args); err != nil {
		return side{}, err
	}
	x, err := readCSR(*dir, "", float32(*alpha))
	if err != nil {
		return side{}, err
	}
	fit := &steppedFit{ctx: ctx, x: x, cfg: cfg}
	fit.next, fit.done = make(chan struct{}), make(chan stepped)
	return side{
		setup: map[string]any{"people": x.Rows, "items": x.Cols, "interactions": x.NNZ(), "solver": fmt.Sprintf("%s, %d steps, over-relaxation %v", cfg.Solver, cfg.CGSteps, cfg.Overrelaxation)},
		works: map[string]func(json.RawMessage) (any, error){"step": fit.step, "loss": fit.loss, "save": fit.save},
	}, nil
}

// steppedFit is a fit that waits after each iteration.
type steppedFit struct {
	ctx  context.Context
	x    *sparse.CSR
	cfg  als.Config
	next chan struct{}
	done chan stepped
	last stepped
}

// stepped is a fit between two iterations, or its end.
type stepped struct {
	iterations int
	snapshot   als.Snapshot
	err        error
}

// run is the fit; it goes on when next says so.
func (s *steppedFit) run() {
	_, err := als.FitWatched(s.ctx, s.x, s.cfg, nil, func(done int, snapshot als.Snapshot) {
		s.done <- stepped{iterations: done, snapshot: snapshot}
		<-s.next
	})
	if err == nil {
		err = errors.New("the fit has no more iterations")
	}
	s.done <- stepped{err: err}
}

// step does one iteration. The first has what precedes it, too: checks and the transposition.
func (s *steppedFit) step(json.RawMessage) (any, error) {
	c := measure(func() {
		if s.last.iterations == 0 {
			go s.run()
		} else {
			s.next <- struct{}{}
		}
		s.last = <-s.done
	})
	return iteration{c, s.last.iterations, peakBytes()}, s.last.err
}

// loss is the loss as implicit prints it: over all confidences.
func (s *steppedFit) loss(json.RawMessage) (any, error) {
	if s.last.iterations == 0 {
		return nil, errors.New("nothing was fitted yet")
	}
	all := float64(s.x.Rows)*float64(s.x.Cols) - float64(s.x.NNZ())
	for _, c := range s.x.Val {
		all += float64(c)
	}
	return map[string]float64{"loss": s.last.snapshot.Loss() / all}, nil
}

// save writes the factors into the directory that it is given.
func (s *steppedFit) save(arg json.RawMessage) (any, error) {
	var dir string
	if err := json.Unmarshal(arg, &dir); err != nil {
		return nil, err
	}
	m, f := s.last.snapshot.Model(), s.cfg.Factors
	users, items := make([]float32, 0, s.x.Rows*f), make([]float32, 0, s.x.Cols*f)
	for u := range s.x.Rows {
		users = append(users, m.UserFactors(u)...)
	}
	for i := range s.x.Cols {
		items = append(items, m.ItemFactors(int32(i))...)
	}
	err := errors.Join(
		writeNPY(filepath.Join(dir, "users.npy"), users, s.x.Rows, f),
		writeNPY(filepath.Join(dir, "items.npy"), items, s.x.Cols, f))
	return map[string]string{"dir": dir}, err
}
