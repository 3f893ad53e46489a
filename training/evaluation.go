package training

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"kindred/model/artifact"
	"kindred/model/cluster"
	"kindred/model/hybrid"
	"kindred/training/describe"
	"kindred/training/evaluate"
	"kindred/training/split"
)

// Served is the name of the row that holds what requests would be answered.
const Served = "served"

// EvaluateOptions are the choices of one evaluation.
type EvaluateOptions struct {
	Protocol split.Protocol
	// Models are the rows of the table, some of ModelNames; nil is all of them.
	// popular and itemitem, the baselines, are always there.
	Models []string
	K      []int // cutoffs; nil is 10 and 20
	// Relevant is the smallest rating in the holdout that counts; 0 counts all.
	Relevant float64
	// Seeds is how many fits, with seeds from Config.Seed on, the models that draw
	// random numbers are averaged over; 0 is one.
	Seeds int
	// Served, if not nil, makes a recommender of a published model as serving does,
	// and adds a row for it. The bundle's item rows are the questions' rows.
	Served func(ctx context.Context, b *artifact.Bundle) (evaluate.Recommender, error)
	// Resamples of the bootstrap; 0 is 1000.
	Resamples int
	Progress  Progress         // may be nil
	Clock     func() time.Time // of the wall times; nil is time.Now
}

// Evaluation is what an evaluation found, with what a reader must know.
type Evaluation struct {
	Dataset      string
	Protocol     split.Protocol
	Relevant     float64
	People       int // judged; sessions, under that protocol
	Items        int
	Interactions int // training part and holdout
	Result       *evaluate.Result
	Blend        *hybrid.Model // nil when the hybrid was not asked for
	Notes        []string
	Verdict      *Verdict        // nil outside of a training run
	Clusters     *cluster.Choice // how k was chosen; nil outside of a training run
	Grouping     *cluster.Model  // the clusters; nil outside of a training run
	Groups       []describe.Group
}

// Evaluate fits the models on the source's training part, as the protocol divides
// it, and judges them on the holdout, once.
//
// The error says which option is wrong, what the source lacks for the protocol, or
// is a fit's or ctx's.
func Evaluate(ctx context.Context, src *Source, cfg Config, opt EvaluateOptions) (*Evaluation, error) {
	e, err := evaluation(ctx, src, cfg, opt)
	if err != nil {
		return nil, fmt.Errorf("evaluate %s: %w", src.describe(), err)
	}
	return e, nil
}

func evaluation(ctx context.Context, src *Source, cfg Config, opt EvaluateOptions) (*Evaluation, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := opt.fill(cfg); err != nil {
		return nil, err
	}
	h, err := split.Apply(src.Source, opt.Protocol, split.Options{Share: cfg.Split.Share, Seed: cfg.Seed})
	if err != nil {
		return nil, err
	}
	tr, err := newTrial(ctx, h, src.Docs, cfg, opt)
	if err != nil {
		return nil, err
	}
	e := tr.describe(src.describe())
	e.Result, err = tr.judge(ctx)
	if err != nil {
		return nil, err
	}
	e.People = e.Result.Groups
	return e, nil
}

// fill sets what was left out and refuses what cannot be.
func (o *EvaluateOptions) fill(cfg Config) error {
	if o.Models == nil {
		o.Models = append(slices.Clone(cfg.Components), Hybrid)
	}
	for _, name := range o.Models {
		if !slices.Contains(ModelNames(), name) {
			return fmt.Errorf("model %q: use some of %s", name, strings.Join(ModelNames(), ", "))
		}
	}
	if o.K == nil {
		o.K = []int{10, 20}
	}
	if o.Seeds == 0 {
		o.Seeds = 1
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	switch {
	case o.Seeds < 0:
		return fmt.Errorf("seeds: %d: use 1 or more", o.Seeds)
	case o.Relevant < 0:
		return fmt.Errorf("relevant: %v: use 0 for all, or the smallest rating that counts", o.Relevant)
	}
	return nil
}

// describe begins the evaluation's description.
func (t *trial) describe(dataset string) *Evaluation {
	h := t.holdout
	e := &Evaluation{
		Dataset: dataset, Protocol: h.Protocol, Relevant: t.opt.Relevant, Items: h.Items.Len(),
		Interactions: len(h.Train) + len(h.Test), Blend: t.blend, Notes: t.notes,
	}
	if h.Protocol == split.Time {
		e.Notes = append(e.Notes, "one cut in time at "+time.UnixMilli(h.Cut).UTC().Format(time.RFC3339))
	}
	if h.Untimed > 0 || h.UntimedActs > 0 {
		e.Notes = append(e.Notes, fmt.Sprintf("%d people without times are left out, %d interactions in all", h.Untimed, h.UntimedActs))
	}
	if h.Negatives != nil {
		e.Notes = append(e.Notes, "sampled: each target is ranked among given negatives only; these numbers do not compare with full rankings")
	}
	if t.opt.Relevant > 0 {
		e.Notes = append(e.Notes, fmt.Sprintf("relevant in the holdout: ratings of %v and more; people without one are not judged", t.opt.Relevant))
	}
	if t.opt.Seeds > 1 && len(t.seeds) > 1 {
		e.Notes = append(e.Notes, fmt.Sprintf("mean of %d seeds; the blend's weights were learned with the first", len(t.seeds)))
	}
	if t.blend != nil {
		e.Notes = append(e.Notes, "hybrid weights, learned on a validation slice of the training part: "+weightsText(t.blend))
	}
	return e
}

// weightsText writes a blend's weights.
func weightsText(m *hybrid.Model) string {
	parts := make([]string, len(m.Components))
	for i, name := range m.Components {
		parts[i] = fmt.Sprintf("%s %.3g", name, m.Weights[i])
	}
	text := strings.Join(parts, ", ")
	for _, b := range m.Buckets {
		if b.Weights == nil || slices.Equal(b.Weights, m.Weights) {
			continue
		}
		for i := range parts {
			parts[i] = fmt.Sprintf("%s %.3g", m.Components[i], b.Weights[i])
		}
		text += fmt.Sprintf("; with up to %d items: %s", b.UpTo, strings.Join(parts, ", "))
	}
	return text
}
