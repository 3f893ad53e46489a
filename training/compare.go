package training

import (
	"context"
	"fmt"

	"kindred/model/hybrid"
	"kindred/training/assemble"
	"kindred/training/evaluate"
	"kindred/training/split"
)

// compare judges the candidate and the incumbent on what people did since the
// incumbent was trained; nil when there is no incumbent. Both are asked the same
// questions. With fewer than Split.MinPeople people to ask for, or an incumbent
// that cannot be read, there is no comparison and the rival says why.
func (r *run) compare(ctx context.Context, t *trial) (*rival, error) {
	in := r.incumbent
	if in == nil {
		return nil, nil
	}
	against := &rival{version: in.Version, recorded: r.cfg.Gate.recorded(in.Model)}
	if in.bundle == nil {
		against.unknown = in.why
		return against, nil
	}
	cases := t.since(in.Watermark.UnixMilli())
	if against.people = len(cases); against.people < r.cfg.Split.MinPeople {
		against.unknown = fmt.Sprintf("only %d people acted since the current model was trained, %d are wanted (split.min_people)", against.people, r.cfg.Split.MinPeople)
		return against, nil
	}
	incumbent, err := in.contender(t.holdout.Items)
	if err != nil {
		against.unknown = fmt.Sprintf("its artifact cannot be asked: %v", err)
		return against, nil
	}
	scorers := t.fits[0].scorers(t.cfg.Components)
	blend, err := t.blend.BindIndex(scorers, hybrid.NewIndex(scorers))
	if err != nil {
		return nil, err
	}
	candidate := evaluate.Contender{Name: Hybrid, Trials: []evaluate.Trial{{Recommender: evaluate.Ranker(blend), Seed: t.cfg.Seed}}}
	name, k, _ := cutMetric(r.cfg.Gate.Metric)
	res, err := evaluate.Run(ctx, evaluate.Input{
		Items: t.holdout.Items.Len(), Cases: cases, Contenders: []evaluate.Contender{candidate, incumbent},
	}, evaluate.Options{
		K: []int{k}, Seed: t.cfg.Seed, Resamples: t.opt.Resamples, Workers: t.cfg.Workers, Clock: t.opt.Clock,
		Progress: func(done, total int) { t.opt.Progress("compare with the current model", done, total) },
	})
	if err != nil {
		return nil, err
	}
	against.candidate, _ = res.Mean(Hybrid, name, k)
	against.value, _ = res.Mean(Incumbent, name, k)
	return against, nil
}

// since are the questions about the part of the holdout after the moment (Unix ms).
// A person's history is what they did before it, the holdout's beginning included.
// Items that nobody used in the training part are nothing to find: the incumbent
// may know them from the holdout's beginning, which the candidate has not seen
// until it is refitted.
func (t *trial) since(moment int64) []evaluate.Case {
	used := make([]bool, t.holdout.Items.Len())
	for _, a := range t.holdout.Train {
		used[a.Item] = true
	}
	part := &split.Holdout{
		Table: t.holdout.Table, Protocol: t.holdout.Protocol, Options: t.holdout.Options,
		Train: append([]assemble.Act(nil), t.holdout.Train...),
	}
	for _, a := range t.holdout.Test {
		switch {
		case a.At <= moment:
			part.Train = append(part.Train, a)
		case used[a.Item]:
			part.Test = append(part.Test, a)
		}
	}
	part.Sort(part.Train)
	tastes := assemble.Tastes(part.Train, part.People.Len(), t.cfg.preference())
	return part.Cases(tastes, t.opt.Relevant)
}
