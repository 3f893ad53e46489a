package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"path/filepath"

	"kindred/model/als"
)

// foldInSide fits once, writes the item factors and as many histories as there are
// people into the directory for the other side, and folds all of them in whenever it
// is asked for a "round", on one thread. "save" writes what came of it.
func foldInSide(ctx context.Context, args []string) (side, error) {
	fs := flag.NewFlagSet("bench side foldin", flag.ContinueOnError)
	dir := fs.String("data", "", "directory of the interactions")
	out := fs.String("out", "", "directory for items.npy and histories.npy")
	length := fs.Int("history", 200, "interactions of a person")
	people := fs.Int("people", 500, "people")
	alpha := fs.Float64("alpha", 10, "confidence of an interaction")
	cfg := als.Implicit()
	cfg.Iterations = 4
	fs.IntVar(&cfg.Factors, "f", 64, "factors")
	fs.Float64Var(&cfg.Regularization, "lambda", 5, "regularization")
	if err := fs.Parse(args); err != nil {
		return side{}, err
	}
	x, err := readCSR(*dir, "", float32(*alpha))
	if err != nil {
		return side{}, err
	}
	m, err := als.Fit(ctx, x, cfg, nil, nil)
	if err != nil {
		return side{}, err
	}
	random := rand.New(rand.NewPCG(vectorSeed, 4))
	rows := make([]int32, 0, *people**length)
	for range *people {
		rows = append(rows, history(random, x.Cols, *length)...)
	}
	weights := make([]float32, *length)
	for i := range weights {
		weights[i] = float32(*alpha)
	}
	items := make([]float32, 0, x.Cols*cfg.Factors)
	for i := range x.Cols {
		items = append(items, m.ItemFactors(int32(i))...)
	}
	if err := errors.Join(writeNPY(filepath.Join(*out, "items.npy"), items, x.Cols, cfg.Factors),
		writeNPY(filepath.Join(*out, "histories.npy"), rows, *people, *length)); err != nil {
		return side{}, err
	}
	w := make([]float32, cfg.Factors)
	fold := func(each func(w []float32)) error {
		for i := range *people {
			if err := m.FoldInInto(w, rows[i**length:(i+1)**length], weights); err != nil {
				return err
			}
			each(w)
		}
		return nil
	}
	return side{
		setup: map[string]any{"people": *people, "history": *length, "items": x.Cols},
		works: map[string]func(json.RawMessage) (any, error){
			"round": func(json.RawMessage) (any, error) {
				var err error
				c := measure(func() { err = fold(func([]float32) {}) })
				return cost{c.CPU / float64(*people), c.Wall / float64(*people)}, err
			},
			"save": func(arg json.RawMessage) (any, error) {
				var path string
				if err := json.Unmarshal(arg, &path); err != nil {
					return nil, err
				}
				var all []float32
				if err := fold(func(w []float32) { all = append(all, w...) }); err != nil {
					return nil, err
				}
				return map[string]string{"dir": path}, writeNPY(path, all, *people, cfg.Factors)
			},
		},
	}, nil
}

// history draws distinct items, rising.
func history(random *rand.Rand, items, n int) []int32 {
	in := make([]bool, items)
	for left := min(n, items); left > 0; {
		if i := random.IntN(items); !in[i] {
			in[i] = true
			left--
		}
	}
	rows := make([]int32, 0, n)
	for i, has := range in {
		if has {
			rows = append(rows, int32(i))
		}
	}
	return rows
}
