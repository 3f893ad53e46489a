package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"kindred/cmd/internal/config"
	"kindred/data"
	"kindred/data/dataset"
	"kindred/data/lake"
	"kindred/model/artifact"
	"kindred/training"
	"kindred/training/evaluate"
	"kindred/training/report"
	"kindred/training/split"
)

// evaluateFlags are the flags of `kindred evaluate`.
type evaluateFlags struct {
	format   string
	protocol string
	models   string
	k        string
	relevant float64
	seeds    int
	served   bool
	fold     string
	keep     int
	maxBad   int
	out      string
	ladder   string
}

func newEvaluate(g *globals) *cobra.Command {
	var f evaluateFlags
	c := &cobra.Command{
		Use:   "evaluate (--data DIR | --format F PATH) --protocol P --out DIR",
		Short: "Fit on the training part of a data set, judge on the holdout once, and write a report",
		Long: "Evaluate ranks the full catalogue for every person of the holdout, with what they used before hidden, beside popularity and\n" +
			"item-kNN. It reads files (--format and PATH) or the lake of a data directory, and changes nothing. With --relevant V only\n" +
			"ratings from V on are learned from, and files are counted without decay, unless the configuration says otherwise.\n\n" +
			"Protocols: time (one cut in time), user-time (each person's newest fifth), given (the files say), leave-one-out, session.",
		Example: "  kindred evaluate --format movielens ml-100k --protocol user-time --relevant 4 --out eval\n" +
			"  kindred evaluate --data kindred-data --protocol time --served --out eval\n" +
			"  kindred evaluate --ladder DATASETS --out eval",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("evaluate takes one path, got %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			path := ""
			if len(args) == 1 {
				path = args[0]
			}
			return g.evaluate(cmd.Context(), path, f)
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.format, "format", "", "read files of this format: "+strings.Join(dataset.Formats(), ", "))
	fl.StringVar(&f.protocol, "protocol", string(split.Time), "time, user-time, given, leave-one-out or session")
	fl.StringVar(&f.models, "models", "", "some of "+strings.Join(training.ModelNames(), ",")+" (default all)")
	fl.StringVar(&f.k, "k", "10,20", "cutoffs of the metrics")
	fl.Float64Var(&f.relevant, "relevant", 0, "least rating in the holdout that counts as liked")
	fl.IntVar(&f.seeds, "seeds", 1, "how many seeds the models that draw random numbers are averaged over")
	fl.BoolVar(&f.served, "served", false, "add a row for what requests would be answered, through the code that answers them")
	fl.StringVar(&f.fold, "fold", "", "ml-100k: one of its splits, u1 to u5, ua or ub")
	fl.IntVar(&f.keep, "p", 0, "citeulike: the split by training items a person keeps, 1 or 10")
	fl.IntVar(&f.maxBad, "max-bad", 0, "how many bad lines are put up with")
	fl.StringVar(&f.out, "out", "", "directory for report.json, report.md and report.html")
	fl.StringVar(&f.ladder, "ladder", "", "run the ladder cases on the data sets in this directory instead")
	return c
}

func (g *globals) evaluate(ctx context.Context, path string, f evaluateFlags) error {
	if f.out == "" {
		return usagef("--out is missing; name a directory for the report")
	}
	if f.ladder != "" {
		return g.runLadder(ctx, f)
	}
	if (f.format == "") != (path == "") {
		return usagef("name files with --format F PATH, or a data directory with --data DIR")
	}
	if f.format != "" && g.data != "" {
		return usagef("--data and --format exclude each other")
	}
	opt, err := f.options()
	if err != nil {
		return err
	}
	c, err := g.load()
	if err != nil {
		return err
	}
	f.adapt(&c)
	p := newProgress(g.err)
	defer p.close()
	opt.Progress = func(stage string, done, total int) { p.at(stage, int64(done), int64(total)) }

	src, items, err := f.source(ctx, c, path, p)
	if err != nil {
		return err
	}
	if f.served {
		opt.Served = func(ctx context.Context, b *artifact.Bundle) (evaluate.Recommender, error) {
			return newServed(ctx, c, b, items)
		}
	}
	e, err := training.Evaluate(ctx, src, c.Training, opt)
	if err != nil {
		return err
	}
	p.close()
	return g.writeEvaluation(e, f.out)
}

// options are the flags as the evaluation takes them.
func (f evaluateFlags) options() (opt training.EvaluateOptions, err error) {
	if opt.Protocol, err = split.ParseProtocol(f.protocol); err != nil {
		return opt, usageError{fmt.Errorf("--protocol: %w", err)}
	}
	if f.models != "" {
		opt.Models = strings.Split(f.models, ",")
	}
	for _, k := range strings.Split(f.k, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(k))
		if err != nil || n < 1 || n > 1000 {
			return opt, usagef("--k %q: use whole numbers from 1 to 1000, such as 10,20", f.k)
		}
		opt.K = append(opt.K, n)
	}
	if f.seeds < 1 {
		return opt, usagef("--seeds is %d; use at least 1", f.seeds)
	}
	opt.Relevant, opt.Seeds, opt.Clock = f.relevant, f.seeds, time.Now
	return opt, nil
}

// adapt changes two settings that were left at their defaults, as published
// evaluations of such data do: what is not relevant in the holdout is not liked in
// the training part either, and files, which may span years, are counted without decay.
func (f evaluateFlags) adapt(c *config.Config) {
	standard := config.Default()
	if f.relevant > 0 && c.Features.Weights.RatingMin == standard.Features.Weights.RatingMin {
		c.Features.Weights.RatingMin, c.Training.Weights.RatingMin = f.relevant, f.relevant
	}
	if f.format != "" && c.Training.Popular.HalfLife == standard.Training.Popular.HalfLife {
		c.Training.Popular.HalfLife = 0
	}
}

// source reads what is evaluated on, with the items' descriptions.
func (f evaluateFlags) source(ctx context.Context, c config.Config, path string, p *progress) (*training.Source, []data.Item, error) {
	if f.format != "" {
		ds, err := dataset.Read(ctx, f.format, dataset.Options{
			Path: path, MaxBad: f.maxBad, Fold: f.fold, P: f.keep, Now: time.Now(),
			Progress: func(done, total int64) { p.at("reading", done, total) },
		})
		if err != nil {
			return nil, nil, err
		}
		src, err := training.FromDataset(ds)
		return src, ds.Items, err
	}
	cat, err := openCatalog(c)
	if err != nil {
		return nil, nil, err
	}
	defer cat.Close()
	l, err := lake.Open(lakeDir(c), c.Space)
	if err != nil {
		return nil, nil, err
	}
	snapshot, err := l.Snapshot(ctx)
	if err != nil {
		return nil, nil, err
	}
	src, err := training.FromLake(ctx, snapshot, cat, func(stage string, done, total int) { p.at(stage, int64(done), int64(total)) })
	if err != nil {
		return nil, nil, err
	}
	var items []data.Item
	err = eachItem(ctx, cat, func(it data.Item) error { items = append(items, it); return nil })
	return src, items, err
}

// writeEvaluation writes the report and prints its table.
func (g *globals) writeEvaluation(e *training.Evaluation, dir string) error {
	r, err := e.Report()
	if err != nil {
		return err
	}
	r.Created, r.Version = time.Now().UTC(), version
	r.Machine = fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	if err := os.MkdirAll(filepath.Dir(filepath.Clean(dir)), 0o755); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := report.Write(dir, r); err != nil {
		return err
	}
	printTable(g.out, r)
	for _, note := range r.Notes {
		fmt.Fprintln(g.out, "note:", note)
	}
	fmt.Fprintf(g.out, "report in %s\n", filepath.Join(dir, "report.html"))
	return nil
}

// printTable prints the main metrics, a row a model, for lists of 10, or of the
// shortest length that was asked for.
func printTable(out io.Writer, r *report.Report) {
	fmt.Fprintf(out, "%s, %s: %d people, %d items, %d interactions\n\n", r.Dataset, r.Protocol, r.People, r.Items, r.Interactions)
	metrics := []string{"ndcg", "recall", "precision", "map", "mrr", "hitrate", "coverage"}
	k := tableLength(r.Models[0].Metrics)
	for i, m := range metrics {
		metrics[i] = fmt.Sprintf("%s@%d", m, k)
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "model\t")
	for _, m := range metrics {
		if _, ok := r.Models[0].Metrics[m]; ok {
			fmt.Fprintf(w, "%s\t", m)
		}
	}
	fmt.Fprint(w, "seconds\t\n")
	for _, model := range r.Models {
		fmt.Fprintf(w, "%s\t", model.Name)
		for _, m := range metrics {
			if v, ok := model.Metrics[m]; ok {
				fmt.Fprintf(w, "%.4f\t", v.Mean)
			}
		}
		fmt.Fprintf(w, "%.1f\t\n", model.Seconds)
	}
	w.Flush()
	fmt.Fprintln(out)
}

// tableLength is 10 if lists of 10 were judged, else the shortest length that was.
func tableLength(metrics map[string]report.Interval) int {
	if _, ok := metrics["ndcg@10"]; ok {
		return 10
	}
	shortest := 0
	for name := range metrics {
		if k, err := strconv.Atoi(strings.TrimPrefix(name, "ndcg@")); err == nil && (shortest == 0 || k < shortest) {
			shortest = k
		}
	}
	return shortest
}

// errLadder says that a ladder case missed an expectation.
var errLadder = errors.New("a ladder case is below what is expected of it")

// runLadder runs every ladder case and prints its tables.
func (g *globals) runLadder(ctx context.Context, f evaluateFlags) error {
	p := newProgress(g.err)
	defer p.close()
	passed := true
	for _, c := range training.Ladder() {
		res, err := c.Run(ctx, f.ladder, time.Now, func(stage string, done, total int) { p.at(c.Name+" "+stage, int64(done), int64(total)) })
		p.close()
		if err != nil {
			return err
		}
		if err := res.WriteTable(g.out); err != nil {
			return err
		}
		if err := g.writeEvaluation(res.Evaluation, filepath.Join(f.out, c.Name)); err != nil {
			return err
		}
		passed = passed && res.Passed()
	}
	for _, c := range training.ClusterLadder() {
		rows, err := c.Run(ctx, f.ladder, time.Now)
		if err != nil {
			return err
		}
		ok, err := training.WriteClusterRows(g.out, c, rows)
		if err != nil {
			return err
		}
		passed = passed && ok
	}
	if !passed {
		return errLadder
	}
	return nil
}
