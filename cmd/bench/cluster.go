package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"kindred/data/dataset"
	"kindred/model/cluster"
	"kindred/training"
)

// clusterCases compare with scikit-learn on the sets of ladder case D6.
func clusterCases(bool) (runs []caseRun) {
	for _, set := range []struct{ name, dir string }{{"wholesale", "seg-wholesale"}, {"cdnow", "seg-cdnow"}} {
		runs = append(runs, caseRun{
			name:  "cluster/" + set.name,
			title: fmt.Sprintf("k-means (30 starts) and Gaussian mixture (5 starts) of %s, k = 4, one thread", set.name),
			run:   func(b *bench, c *Case) error { return clusterCase(b, c, set.name, set.dir) },
		})
	}
	return runs
}

// fitted is what a side says of one fit.
type fitted struct {
	cost
	Value float64 `json:"value"` // inertia, or mean log-likelihood
}

func clusterCase(b *bench, c *Case, set, folder string) error {
	if b.datasets == "" {
		return errNoDatasets
	}
	v, err := dataset.ReadVectors(b.ctx, set, filepath.Join(b.datasets, folder))
	if err != nil {
		return err
	}
	if set == "wholesale" {
		if v, err = v.Only("region", "fresh", "milk", "grocery", "frozen", "detergents_paper"); err != nil {
			return err
		}
	}
	z, err := training.Standardised(v)
	if err != nil {
		return err
	}
	dir := filepath.Join(b.work, "data", "cluster-"+set)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := writeNPY(filepath.Join(dir, "x.npy"), z, v.Rows(), len(v.Columns)); err != nil {
		return err
	}
	ours, err := b.ours(nil, "cluster", "-data", dir)
	if err != nil {
		return err
	}
	defer ours.stop()
	theirs, err := b.theirs(nil, "cluster", "--data", dir)
	if err != nil {
		return err
	}
	if theirs != nil {
		defer theirs.stop()
	}
	for _, method := range []string{"kmeans", "mixture"} {
		var a, p []float64
		var last, other fitted
		for range min(b.repeats, 5) {
			if err := ours.ask(method, 4, &last); err != nil {
				return err
			}
			a = append(a, last.CPU)
			if theirs != nil {
				if err := theirs.ask(method, 4, &other); err != nil {
					return err
				}
				p = append(p, other.CPU)
			}
		}
		row := Row{What: method + ": CPU seconds", Unit: "s", Name: "scikit-learn", Ours: sampleOf(a), Bound: atLeast("ratio", 1)}
		value := Row{What: map[string]string{"kmeans": "k-means: inertia", "mixture": "mixture: mean log-likelihood"}[method], Name: "scikit-learn", Ours: sampleOf([]float64{last.Value})}
		if theirs == nil {
			row.Missing, value.Missing = noPeer, noPeer
		} else {
			row.Peer, row.Ratio, value.Peer = sampleOf(p), ratioOf(p, a), sampleOf([]float64{other.Value})
		}
		c.Rows = append(c.Rows, row, value)
	}
	return nil
}

// clusterSide fits what it is asked for, on one thread.
func clusterSide(ctx context.Context, args []string) (side, error) {
	fs := flag.NewFlagSet("bench side cluster", flag.ContinueOnError)
	dir := fs.String("data", "", "directory of x.npy")
	if err := fs.Parse(args); err != nil {
		return side{}, err
	}
	x, shape, err := readNPY[float64](filepath.Join(*dir, "x.npy"))
	if err != nil {
		return side{}, err
	}
	work := func(starts int, fit func(cluster.Config) (float64, error)) func(json.RawMessage) (any, error) {
		return func(arg json.RawMessage) (any, error) {
			cfg := cluster.Default()
			cfg.Starts, cfg.Workers = starts, 1
			if err := json.Unmarshal(arg, &cfg.K); err != nil {
				return nil, err
			}
			var out fitted
			var err error
			out.cost = measure(func() { out.Value, err = fit(cfg) })
			return out, err
		}
	}
	return side{setup: map[string]any{"rows": shape[0]}, works: map[string]func(json.RawMessage) (any, error){
		"kmeans": work(30, func(cfg cluster.Config) (float64, error) {
			r, err := cluster.KMeans(ctx, x, shape[1], cfg, nil)
			if err != nil {
				return 0, err
			}
			return r.Inertia, nil
		}),
		"mixture": work(5, func(cfg cluster.Config) (float64, error) {
			r, err := cluster.FitMixture(ctx, x, shape[1], cfg, nil)
			if err != nil {
				return 0, err
			}
			return r.LogLikelihood, nil
		}),
	}}, nil
}
