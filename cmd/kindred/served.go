package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kindred/cmd/internal/config"
	"kindred/data"
	"kindred/model/artifact"
	"kindred/model/popular"
	"kindred/serving/live"
	"kindred/serving/online"
	"kindred/serving/recommend"
	"kindred/training/evaluate"
)

// served answers an evaluation's questions through the code that answers
// requests: snapshot, profile, blend, hiding and cut are the served ones.
type served struct {
	bundle  *artifact.Bundle
	service *recommend.Service
}

// newServed makes a server's recommender of a model that is not published.
func newServed(ctx context.Context, c config.Config, b *artifact.Bundle, items []data.Item) (evaluate.Recommender, error) {
	encoded, err := b.Encode()
	if err != nil {
		return nil, fmt.Errorf("serve the evaluated model: %w", err)
	}
	shelf := &fixedCatalog{items: items, artifact: encoded}
	l := live.New(c.Live, live.Deps{Models: shelf, Artifacts: shelf, Items: shelf, Decode: live.DecodeArtifact, Now: time.Now})
	if err := l.Poll(ctx); err != nil {
		return nil, fmt.Errorf("serve the evaluated model: %w", err)
	}
	return &served{bundle: b, service: recommend.New(c.Recommend, recommend.Deps{
		People: asked{}, Snapshots: l, Counters: popular.NewLive(c.Training.Popular), Now: time.Now,
	})}, nil
}

// Recommend asks as a request would.
func (s *served) Recommend(ctx context.Context, q evaluate.Question, k int) ([]int32, error) {
	ctx = context.WithValue(ctx, asked{}, s.profile(q))
	var answer recommend.Answer
	var err error
	if q.Candidates != nil {
		ids := make([]data.ItemID, len(q.Candidates))
		for i, row := range q.Candidates {
			ids[i] = data.ItemID(s.bundle.Items.Key(row))
		}
		answer, err = s.service.Rank(ctx, recommend.RankRequest{ID: "evaluation", IDs: data.IDs{User: data.UserID(q.Person)}, Candidates: ids})
	} else {
		answer, err = s.service.Recommend(ctx, recommend.Request{ID: "evaluation", IDs: data.IDs{User: data.UserID(q.Person)}, N: k})
	}
	if err != nil {
		return nil, err
	}
	var rows []int32
	for _, it := range answer.Items[:min(k, len(answer.Items))] {
		row, ok := s.bundle.Items.Row(string(it.ID))
		if !ok {
			return nil, fmt.Errorf("the served list holds %q, which the evaluation does not know", it.ID)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// profile is the person of a question as the fold would have left them: the
// history with its weights, and whatever else must not be shown as seen without
// a preference. Two kinds on every item make the folded weight the preference, as
// it is for anybody who did more than one thing to it.
func (s *served) profile(q evaluate.Question) data.Profile {
	const kinds = 1<<data.View | 1<<data.Click
	p := data.Profile{ID: data.NewProfileID(data.IDUser, q.Person)}
	liked := map[int32]bool{}
	for i, row := range q.History.Rows {
		liked[row] = true
		p.History = append(p.History, data.HistoryItem{
			Item: data.ItemID(s.bundle.Items.Key(row)), Kinds: kinds, Count: 2, Weight: float64(q.History.Weights[i]),
		})
	}
	for _, row := range q.Hide {
		if !liked[row] {
			p.History = append(p.History, data.HistoryItem{Item: data.ItemID(s.bundle.Items.Key(row)), Kinds: kinds, Count: 2})
		}
	}
	return p
}

// asked is a profile store that finds whoever the question in ctx is about, and
// the key of that profile in ctx.
type asked struct{}

func (asked) Read(ctx context.Context, _ data.IDs) (online.Person, error) {
	p, _ := ctx.Value(asked{}).(data.Profile)
	return online.Person{Profile: p, Known: len(p.History) > 0}, nil
}

// fixedCatalog is a catalog that holds one model and never changes.
type fixedCatalog struct {
	items    []data.Item
	artifact []byte
}

func (f *fixedCatalog) Current(context.Context) (data.Model, error) {
	return data.Model{Version: "evaluated", Artifact: "evaluated", Checksum: artifact.Checksum(f.artifact), Status: data.ModelCurrent}, nil
}

func (f *fixedCatalog) Models(ctx context.Context, _ string, _ int) ([]data.Model, error) {
	m, err := f.Current(ctx)
	return []data.Model{m}, err
}

func (f *fixedCatalog) Artifact(context.Context, string) ([]byte, error) {
	return slices.Clone(f.artifact), nil
}

func (f *fixedCatalog) ItemsVersion(context.Context) (int64, error) { return 1, nil }

func (f *fixedCatalog) ItemsSince(_ context.Context, version int64) ([]data.Item, []data.ItemID, int64, error) {
	if version >= 1 {
		return nil, nil, 1, nil
	}
	return f.items, nil, 1, nil
}
