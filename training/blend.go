package training

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kindred/model/hybrid"
	"kindred/model/rank"
	"kindred/training/assemble"
	"kindred/training/split"
)

// learnBlend learns the weights of the components on a validation slice that is
// cut out of the holdout's training part in the way that the holdout was, with
// components fitted on what is left. relevant is the smallest rating that counts.
//
// A training part that has nobody to learn from gives equal weights and a note.
func learnBlend(ctx context.Context, h *split.Holdout, docs [][]string, cfg Config, relevant float64, clock func() time.Time, progress Progress) (*hybrid.Model, string, error) {
	equal := func(why string) (*hybrid.Model, string, error) {
		return hybrid.Equal(cfg.Components, cfg.Blend.Normalization), "the blend's weights are equal: " + why, nil
	}
	inner, err := h.Inner()
	if err != nil {
		return equal(err.Error())
	}
	inside := func(stage string, done, total int) { progress("validation: "+stage, done, total) }
	m := newMaterial(inner.Table, inner.Train, docs, cfg.preference())
	cases := blendCases(inner, m.tastes, relevant)
	if len(cases) == 0 {
		return equal("nobody with a history is in the validation slice")
	}
	c, err := fit(ctx, m, cfg, cfg.Components, nil, clock, inside)
	if err != nil {
		return nil, "", fmt.Errorf("validation: %w", err)
	}
	b := cfg.Blend
	b.Seed = cfg.Seed
	if b.Workers == 0 {
		b.Workers = cfg.Workers
	}
	blend, err := hybrid.Learn(ctx, cases, c.scorers(cfg.Components), b, func(done, total int) { progress("learn hybrid", done, total) })
	if errors.Is(err, hybrid.ErrNoCases) {
		return equal(err.Error())
	}
	if err != nil {
		return nil, "", fmt.Errorf("learn hybrid: %w", err)
	}
	return blend, "", nil
}

// blendCases are the people of the validation slice who have a history: about
// others only popularity has anything to say, and there is nothing to weigh.
func blendCases(h *split.Holdout, tastes []assemble.Taste, relevant float64) []hybrid.Case {
	var out []hybrid.Case
	for _, c := range h.Cases(tastes, relevant) {
		if len(c.History.Rows) == 0 {
			continue
		}
		out = append(out, hybrid.Case{
			History: c.History, Relevant: slices.Clone(c.Relevant), Candidates: c.Candidates,
			Hidden: rank.SetOf(h.Items.Len(), c.Hide),
		})
	}
	return out
}
