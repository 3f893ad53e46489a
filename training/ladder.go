package training

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"
	"time"

	"kindred/data/dataset"
	"kindred/model/als"
	"kindred/model/itemitem"
	"kindred/training/evaluate"
	"kindred/training/split"
)

// LadderCase is one comparison that the project answers for: a public data set, a
// protocol, and the values that were measured or published for it.
type LadderCase struct {
	Name     string // "D7"
	Title    string
	Dir      string // below the directory of the data sets
	Format   string
	Options  EvaluateOptions // Progress and Clock are set by Run
	Config   Config
	Expected []Expectation
}

// Expectation is a least value of one metric of one model.
type Expectation struct {
	Model  string
	Metric string
	// Reference is the value to be met; Slack is how much less will do.
	Reference float64
	Slack     float64
	// Over, if not empty, is a model of the same table whose value is the reference.
	Over string
	// Strict asks for more than the reference less the slack, not for as much.
	Strict bool
	// Exact asks for no more than the reference and the slack, too: the configuration
	// is the one that the reference was measured with.
	Exact bool
}

// slack is how far below a measured reference value a model may be.
const slack = .005

// exactly is how far from a reference the same method on the same data may be:
// ties and rounding.
const exactly = .001

// Ladder is the cases that run today. Their configurations differ from Default
// where the data does: stars from which something is liked, no time to decay by,
// more factors where the published values have them.
func Ladder() []LadderCase { return []LadderCase{ladderD7(), ladderD7Reference(), ladderD1()} }

// ladderD7 is ML-100K by each person's own time, full ranking; liked is a rating of
// 4 or 5, in training too.
func ladderD7() LadderCase {
	cfg := Default()
	cfg.Weights.RatingMin = 4
	cfg.Binary = true
	cfg.Popular.HalfLife = 0
	// Chosen on the validation slice among 32 to 256 factors, λ .003 to .03 and a0 .1
	// to 1; and among 50 to 1,682 neighbours, α .4 to .7, β 0 to ½ and shrinkage 0 and 3.
	cfg.ALS = ladderALS(128, .01, .2)
	cfg.ItemItem = itemitem.Config{Neighbours: 1682, Cut: itemitem.CutTarget, Asymmetry: .6, PersonExponent: .5}
	return LadderCase{
		Name: "D7", Title: "ml-100k, each person's newest fifth, relevant from 4 stars, full ranking of 1,682 items",
		Dir: "ml-100k", Format: "movielens", Config: cfg,
		Options: EvaluateOptions{Protocol: split.UserTime, Relevant: 4, K: []int{10, 20}},
		Expected: append([]Expectation{
			{Model: Popular, Metric: "ndcg@10", Reference: .0927, Slack: slack},
			{Model: ItemItem, Metric: "ndcg@10", Reference: .1555, Slack: slack},
			{Model: ALS, Metric: "ndcg@10", Reference: .1501, Slack: slack},
		}, above(Hybrid, "ndcg@10", ComponentNames())...),
	}
}

// ladderD7Reference is D7 with the very configurations that its references were
// measured with, so that the tables are known to measure the same thing.
func ladderD7Reference() LadderCase {
	c := ladderD7()
	c.Name, c.Title = "D7-reference", c.Title+"; popularity and plain cosine item-kNN as others measured them"
	c.Config.ItemItem = itemitem.Cosine()
	c.Options.Models = []string{Popular, ItemItem}
	c.Expected = []Expectation{
		{Model: Popular, Metric: "ndcg@10", Reference: .0927, Slack: exactly, Exact: true},
		{Model: Popular, Metric: "hitrate@10", Reference: .395, Slack: exactly, Exact: true},
		{Model: ItemItem, Metric: "ndcg@10", Reference: .1555, Slack: exactly, Exact: true},
		{Model: ItemItem, Metric: "hitrate@10", Reference: .540, Slack: exactly, Exact: true},
		{Model: ItemItem, Metric: "coverage@10", Reference: .125, Slack: exactly, Exact: true},
	}
	return c
}

// ladderD1 is the NCF split of ML-1M: the last interaction of each person among 99
// given negatives, mean of three seeds.
func ladderD1() LadderCase {
	cfg := Default()
	cfg.Binary = true
	cfg.Popular.HalfLife = 0
	cfg.ALS = ladderALS(192, .007, .3) // as Rendle et al. 2021 have it for ML-1M
	// Chosen on the validation slice among 50 to 3,706 neighbours, shrinkage 0 and 30,
	// and exponents 0 and ½.
	cfg.ItemItem = itemitem.Config{Neighbours: 50, Cut: itemitem.CutTarget, Asymmetry: .5, PersonExponent: .5}
	cfg.Components = []string{ALS, ItemItem, Popular} // the files have no words
	return LadderCase{
		Name: "D1", Title: "ncf-ml-1m, leave one out, 99 given negatives, mean of 3 seeds",
		Dir: "ncf-ml-1m", Format: "ncf", Config: cfg,
		Options: EvaluateOptions{Protocol: split.LeaveOneOut, Seeds: 3, K: []int{10}},
		Expected: []Expectation{
			{Model: Popular, Metric: "hitrate@10", Reference: .4531, Slack: slack},
			{Model: Popular, Metric: "ndcg@10", Reference: .2542, Slack: slack},
			{Model: ItemItem, Metric: "hitrate@10", Reference: .6596, Slack: slack},
			{Model: ItemItem, Metric: "ndcg@10", Reference: .3900, Slack: slack},
			{Model: ALS, Metric: "hitrate@10", Reference: .7308, Slack: slack},
			{Model: ALS, Metric: "ndcg@10", Reference: .4520, Slack: slack},
			{Model: Hybrid, Metric: "ndcg@10", Over: ALS, Slack: .001},
		},
	}
}

// ladderALS is a whole configuration, so that a case does not move with defaults.
func ladderALS(factors int, regularization, unobserved float64) als.Config {
	c := als.Default()
	c.Factors, c.Regularization, c.UnobservedWeight = factors, regularization, unobserved
	c.FrequencyExponent, c.StdDev, c.Iterations, c.Solver, c.CGSteps = 1, .1, 12, als.SolverCG, 2
	return c
}

// above expects a model to do better than each of the others.
func above(model, metric string, others []string) []Expectation {
	var out []Expectation
	for _, name := range others {
		out = append(out, Expectation{Model: model, Metric: metric, Over: name, Strict: true})
	}
	return out
}

// LadderResult is a case as it came out.
type LadderResult struct {
	Case       LadderCase
	Evaluation *Evaluation
	Checks     []Check
	Seconds    float64 // wall time, reading included
	PeakBytes  uint64
}

// Check is one expectation with what was measured.
type Check struct {
	Expectation
	Against  float64 // the reference, resolved
	Measured float64
	Passed   bool
}

// Run reads the case's data set below dir and evaluates. A value that is too low is
// not an error: see Passed. clock measures wall time and progress may be nil.
func (c LadderCase) Run(ctx context.Context, dir string, clock func() time.Time, progress Progress) (*LadderResult, error) {
	meter := evaluate.Start(clock)
	out := &LadderResult{Case: c}
	var err error
	out.Evaluation, err = c.evaluate(ctx, dir, clock, progress)
	out.Seconds, out.PeakBytes = meter.Stop()
	if err != nil {
		return nil, fmt.Errorf("ladder case %s: %w", c.Name, err)
	}
	for _, e := range c.Expected {
		out.Checks = append(out.Checks, e.check(out.Evaluation.Result))
	}
	return out, nil
}

// evaluate is the part of Run that is measured.
func (c LadderCase) evaluate(ctx context.Context, dir string, clock func() time.Time, progress Progress) (*Evaluation, error) {
	ds, err := dataset.Read(ctx, c.Format, dataset.Options{Path: filepath.Join(dir, c.Dir), Now: clock()})
	if err != nil {
		return nil, err
	}
	src, err := FromDataset(ds)
	if err != nil {
		return nil, err
	}
	opt := c.Options
	opt.Progress, opt.Clock = progress, clock
	return Evaluate(ctx, src, c.Config, opt)
}

// check compares the expectation with a table. A missing value does not pass.
func (e Expectation) check(res *evaluate.Result) Check {
	c := Check{Expectation: e, Against: e.Reference}
	name, k, ok := cutMetric(e.Metric)
	if ok && e.Over != "" {
		c.Against, ok = res.Mean(e.Over, name, k)
	}
	if ok {
		c.Measured, ok = res.Mean(e.Model, name, k)
	}
	least := c.Against - e.Slack
	c.Passed = ok && (c.Measured > least || !e.Strict && c.Measured == least) && (!e.Exact || c.Measured <= c.Against+e.Slack)
	return c
}

// Passed reports whether every expectation was met.
func (r *LadderResult) Passed() bool {
	for _, c := range r.Checks {
		if !c.Passed {
			return false
		}
	}
	return true
}

// WriteTable prints the case: every model's numbers, then every expectation.
func (r *LadderResult) WriteTable(w io.Writer) error {
	e := r.Evaluation
	fmt.Fprintf(w, "%s  %s\n%d people, %d items, %d interactions; %.0f s, %d MB at most\n",
		r.Case.Name, r.Case.Title, e.People, e.Items, e.Interactions, r.Seconds, r.PeakBytes>>20)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\nmodel\tndcg@10\t95 %\thitrate@10\trecall@10\tmrr@10\tcoverage@10\tseconds\tMB\t\n")
	for _, s := range e.Result.Scores {
		m := s.Metrics
		fmt.Fprintf(t, "%s\t%.4f\t%.4f to %.4f\t%.4f\t%.4f\t%.4f\t%.3f\t%.1f\t%d\t\n", s.Name, m["ndcg@10"].Mean, m["ndcg@10"].Low, m["ndcg@10"].High,
			m["hitrate@10"].Mean, m["recall@10"].Mean, m["mrr@10"].Mean, m["coverage@10"].Mean, s.Seconds, s.PeakBytes>>20)
	}
	fmt.Fprint(t, "\nexpected of\tmetric\treference\twithin\tmeasured\t\t\n")
	for _, c := range r.Checks {
		verdict := "ok"
		if !c.Passed {
			verdict = "TOO LOW"
			if c.Measured > c.Against {
				verdict = "TOO HIGH"
			}
		}
		reference := fmt.Sprintf("%.4f", c.Against)
		if c.Over != "" {
			reference = c.Over + " " + reference
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%.3f\t%.4f\t%s\t\n", c.Model, c.Metric, reference, c.Slack, c.Measured, verdict)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print ladder case %s: %w", r.Case.Name, err)
	}
	for _, note := range e.Notes {
		fmt.Fprintln(w, "note:", note)
	}
	return nil
}
