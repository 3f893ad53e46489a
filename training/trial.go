package training

import (
	"context"
	"fmt"
	"slices"

	"kindred/model"
	"kindred/model/artifact"
	"kindred/model/hybrid"
	"kindred/training/assemble"
	"kindred/training/evaluate"
	"kindred/training/split"
)

// trial is the models of an evaluation, fitted on the training part and complete.
type trial struct {
	opt     EvaluateOptions
	cfg     Config
	holdout *split.Holdout
	m       *material
	docs    [][]string
	cases   []evaluate.Case
	fits    []*components // one a seed; all but the first differ in ALS only
	seeds   []uint64
	blend   *hybrid.Model // nil when the hybrid was not asked for
	learned cost          // of learning the blend
	notes   []string
}

// newTrial learns the blend and fits the components. The holdout is only looked at
// to see that there is somebody to judge.
func newTrial(ctx context.Context, h *split.Holdout, docs [][]string, cfg Config, opt EvaluateOptions) (*trial, error) {
	t := &trial{opt: opt, cfg: cfg, holdout: h, docs: docs}
	t.m = newMaterial(h.Table, h.Train, docs, cfg.preference())
	if t.cases = h.Cases(t.m.tastes, opt.Relevant); len(t.cases) == 0 {
		return nil, fmt.Errorf("%w: nobody has something relevant and new to them in the holdout by %s", ErrTooLittle, h.Protocol)
	}
	wantsBlend := opt.Served != nil || slices.Contains(opt.Models, Hybrid)
	if wantsBlend {
		meter := evaluate.Start(opt.Clock)
		blend, note, err := learnBlend(ctx, h, docs, cfg, opt.Relevant, opt.Clock, opt.Progress)
		t.learned.seconds, t.learned.peak = meter.Stop()
		if err != nil {
			return nil, err
		}
		t.blend = blend
		if note != "" {
			t.notes = append(t.notes, note)
		}
	}
	names := append([]string{Popular, ItemItem}, opt.Models...)
	if wantsBlend {
		names = append(names, cfg.Components...)
	}
	for n := range opt.Seeds {
		seeded, wanted := cfg, names
		seeded.Seed = cfg.Seed + uint64(n)
		if n > 0 {
			if !slices.Contains(names, ALS) {
				break // nothing else draws random numbers
			}
			wanted = []string{ALS}
		}
		progress := opt.Progress
		if opt.Seeds > 1 {
			progress = func(stage string, done, total int) {
				opt.Progress(fmt.Sprintf("seed %d: %s", seeded.Seed, stage), done, total)
			}
		}
		c, err := fit(ctx, t.m, seeded, wanted, nil, opt.Clock, progress)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			c = t.fits[0].with(c)
		}
		t.fits, t.seeds = append(t.fits, c), append(t.seeds, seeded.Seed)
	}
	if m := t.fits[0].itemitem; m != nil {
		t.notes = append(t.notes, m.Report().Notes()...)
	}
	return t, nil
}

// judge puts all rows beside each other.
func (t *trial) judge(ctx context.Context) (*evaluate.Result, error) {
	contenders, err := t.contenders(ctx)
	if err != nil {
		return nil, err
	}
	users, people := assemble.Users(t.m.tastes, t.holdout.Items.Len())
	in := evaluate.Input{
		Items: t.holdout.Items.Len(), Cases: t.cases, Users: users, People: people,
		Similarity: similarity(t.docs), Contenders: contenders,
	}
	if people == 0 {
		in.Users = nil
	}
	return evaluate.Run(ctx, in, evaluate.Options{
		K: t.opt.K, Seed: t.cfg.Seed, Resamples: t.opt.Resamples, Workers: t.cfg.Workers, Clock: t.opt.Clock,
		Progress: func(done, total int) { t.opt.Progress("evaluate", done, total) },
	})
}

// contenders are the rows that were asked for, in the order of the table, the
// baselines first.
func (t *trial) contenders(ctx context.Context) ([]evaluate.Contender, error) {
	var out []evaluate.Contender
	for _, name := range tableOrder() {
		if name != Popular && name != ItemItem && !slices.Contains(t.opt.Models, name) {
			continue
		}
		config, err := asJSON(t.cfg.part(name))
		if err != nil {
			return nil, err
		}
		c := evaluate.Contender{Name: name, Config: config}
		for i, f := range t.fits {
			if i > 0 && name != ALS && name != Hybrid {
				break
			}
			scorer, spent := model.Scorer(nil), f.costs[name]
			if name == Hybrid {
				// By the index that serves requests, so that equal items tie here as they do there.
				scorers := f.scorers(t.cfg.Components)
				if scorer, err = t.blend.BindIndex(scorers, hybrid.NewIndex(scorers)); err != nil {
					return nil, err
				}
				spent = f.total(t.cfg.Components, t.learned)
			} else {
				scorer = f.scorer(name)
			}
			c.Trials = append(c.Trials, evaluate.Trial{
				Recommender: evaluate.Ranker(scorer), Seed: t.seeds[i], Seconds: spent.seconds, PeakBytes: spent.peak,
			})
		}
		out = append(out, c)
	}
	if t.opt.Served == nil {
		return out, nil
	}
	r, err := t.opt.Served(ctx, t.bundle())
	if err != nil {
		return nil, fmt.Errorf("serve the candidate: %w", err)
	}
	config, err := asJSON(t.cfg)
	if err != nil {
		return nil, err
	}
	spent := t.fits[0].total(t.cfg.Components, t.learned)
	return append(out, evaluate.Contender{Name: Served, Config: config, Trials: []evaluate.Trial{
		{Recommender: r, Seed: t.cfg.Seed, Seconds: spent.seconds, PeakBytes: spent.peak}}}), nil
}

// tableOrder is the order of the rows: what has to be beaten first, the blend last.
func tableOrder() []string { return []string{Popular, ItemItem, Content, ALS, Hybrid} }

// bundle is the judged candidate as an artifact.
func (t *trial) bundle() *artifact.Bundle {
	return bundle(t.holdout.Table, t.fits[0], t.cfg, t.blend, nil)
}
