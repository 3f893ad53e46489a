package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"kindred/model/kernel"
)

// ridge is what is added to the diagonal of the Gram matrix.
const ridge = 500

// writeGram writes the Gram matrix of n items of the ml-20m shape, unless it is there.
func writeGram(dir string, n int) error {
	path := filepath.Join(dir, "gram.npy")
	if info, err := os.Stat(path); err == nil && info.Size() >= 4*int64(n)*int64(n) {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	shape := ml20m()
	shape.People = min(shape.People, 4*n)
	x := shape.generate()
	g := make([]float32, n*n)
	for u := range x.Rows {
		cols, _ := x.Row(u)
		for a, i := range cols {
			if int(i) >= n { // rows rise
				break
			}
			row := g[int(i)*n : (int(i)+1)*n]
			for _, j := range cols[:a+1] {
				row[j]++
			}
		}
	}
	for i := range n {
		g[i*n+i] += ridge
		for j := range i {
			g[j*n+i] = g[i*n+j]
		}
	}
	return writeNPY(path, g, n, n)
}

// easeSide inverts the Gram matrix whenever it is asked to "invert", on one thread.
func easeSide(ctx context.Context, args []string) (side, error) {
	fs := flag.NewFlagSet("bench side ease", flag.ContinueOnError)
	dir := fs.String("data", "", "directory of gram.npy")
	if err := fs.Parse(args); err != nil {
		return side{}, err
	}
	g, shape, err := readNPY[float32](filepath.Join(*dir, "gram.npy"))
	if err != nil {
		return side{}, err
	}
	n := shape[0]
	m := kernel.NewSymmetric(n)
	return side{
		setup: map[string]any{"items": n},
		works: map[string]func(json.RawMessage) (any, error){"invert": func(json.RawMessage) (any, error) {
			m.Reset(n)
			for i := range n {
				m.SetRow(i, g[i*n:i*n+i+1])
			}
			var err error
			c := measure(func() { err = m.Invert(ctx, 1, nil) })
			if err != nil {
				return nil, fmt.Errorf("invert: %w", err)
			}
			return struct {
				cost
				Residual float64 `json:"residual"`
				Peak     int64   `json:"peak"`
			}{c, residual(g, m, n), peakBytes()}, nil
		}},
	}, nil
}

// residual is ‖G·(G⁻¹v) − v‖/‖v‖ for one random v.
func residual(g []float32, inverse *kernel.Symmetric, n int) float64 {
	random := rand.New(rand.NewPCG(vectorSeed, 5))
	v, x, row := make([]float64, n), make([]float64, n), make([]float32, n)
	for i := range v {
		v[i] = random.NormFloat64()
	}
	for i := range n {
		inverse.Rows(i, 1, row)
		for j, w := range row {
			x[i] += float64(w) * v[j]
		}
	}
	off, size := 0.0, 0.0
	for i := range n {
		s := 0.0
		for j, w := range g[i*n : (i+1)*n] {
			s += float64(w) * x[j]
		}
		off, size = off+(s-v[i])*(s-v[i]), size+v[i]*v[i]
	}
	return math.Sqrt(off / size)
}
