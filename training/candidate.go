package training

import (
	"context"
	"fmt"

	"kindred/training/assemble"
	"kindred/training/split"
)

// judge fits the candidate on the training part and decides. The holdout is cut by
// time; where that leaves too few people with a history to judge by, each person's
// own newest interactions are held out instead, and the notes say so.
func (r *run) judge(ctx context.Context) (*trial, error) {
	opt := EvaluateOptions{
		Protocol: split.Time, Models: append(append([]string{}, r.cfg.Components...), Hybrid),
		Relevant: r.cfg.Weights.RatingMin, Progress: r.opt.Progress, Clock: r.Now,
	}
	_, k, _ := cutMetric(r.cfg.Gate.Metric)
	opt.K = []int{10, 20, k}
	if err := opt.fill(r.cfg); err != nil {
		return nil, err
	}
	h, note, err := r.holdout()
	if err != nil {
		return nil, err
	}
	t, err := newTrial(ctx, h, r.src.Docs, r.cfg, opt)
	if err != nil {
		return nil, err
	}
	if note != "" {
		t.notes = append(t.notes, note)
	}
	e := t.describe(r.src.describe())
	if e.Result, err = t.judge(ctx); err != nil {
		return nil, err
	}
	e.People = e.Result.Groups
	against, err := r.compare(ctx, t)
	if err != nil {
		return nil, err
	}
	name, k, _ := cutMetric(r.cfg.Gate.Metric)
	candidate, _ := e.Result.Mean(Hybrid, name, k)
	popular, _ := e.Result.Mean(Popular, name, k)
	verdict := r.cfg.Gate.decide(candidate, popular, against)
	e.Verdict = &verdict
	r.out.Evaluation = e
	return t, nil
}

// holdout divides the source by time, or else by each person's time.
func (r *run) holdout() (*split.Holdout, string, error) {
	opt := split.Options{Share: r.cfg.Split.Share, Seed: r.cfg.Seed}
	h, err := split.Apply(r.src.Source, split.Time, opt)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrTooLittle, err)
	}
	tastes := assemble.Tastes(h.Train, h.People.Len(), r.cfg.preference())
	warm := 0
	for _, c := range h.Cases(tastes, r.cfg.Weights.RatingMin) {
		if len(c.History.Rows) > 0 {
			warm++
		}
	}
	if warm >= r.cfg.Split.MinPeople {
		return h, "", nil
	}
	note := fmt.Sprintf("judged by each person's newest interactions: one cut in time leaves %d people with a history and something new to find, %d are wanted (split.min_people)", warm, r.cfg.Split.MinPeople)
	h, err = split.Apply(r.src.Source, split.UserTime, opt)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrTooLittle, err)
	}
	return h, note, nil
}
