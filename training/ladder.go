package training

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"
	"time"

	"kindred/data/dataset"
	"kindred/training/evaluate"
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

// cutoff is the length of the lists that the table is about.
func (c LadderCase) cutoff() int {
	if len(c.Options.K) > 0 {
		return c.Options.K[0]
	}
	return 10
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
	k := fmt.Sprintf("@%d", r.Case.cutoff())
	fmt.Fprintf(t, "\nmodel\tndcg%[1]s\t95 %%\thitrate%[1]s\trecall%[1]s\tmrr%[1]s\tcoverage%[1]s\tseconds\tMB\t\n", k)
	for _, s := range e.Result.Scores {
		m := s.Metrics
		fmt.Fprintf(t, "%s\t%.4f\t%.4f to %.4f\t%.4f\t%.4f\t%.4f\t%.3f\t%.1f\t%d\t\n", s.Name, m["ndcg"+k].Mean, m["ndcg"+k].Low, m["ndcg"+k].High,
			m["hitrate"+k].Mean, m["recall"+k].Mean, m["mrr"+k].Mean, m["coverage"+k].Mean, s.Seconds, s.PeakBytes>>20)
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
