package training

import (
	"context"
	"fmt"
	"slices"

	"kindred/data"
	"kindred/data/lake"
	"kindred/model"
	"kindred/model/als"
	"kindred/model/artifact"
	"kindred/model/cluster"
	"kindred/model/vocab"
	"kindred/training/evaluate"
)

// Incumbent is the name of the current model in a comparison with a candidate.
const Incumbent = "incumbent"

// incumbent is the current model and what is left of it. A nil one is none.
type incumbent struct {
	data.Model
	bundle *artifact.Bundle // nil when the artifact cannot be read; why says so
	why    string
}

// loadIncumbent reads the current model's artifact. One that cannot be read is no
// reason not to train: it is then not compared, and nothing is taken over.
func loadIncumbent(ctx context.Context, l *lake.Lake, m data.Model) (*incumbent, error) {
	in := &incumbent{Model: m}
	b, err := l.Artifact(ctx, m.Artifact)
	if err == nil {
		in.bundle, err = artifact.Decode(b)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		in.why = fmt.Sprintf("its artifact cannot be read: %v", err)
	}
	return in, nil
}

// contender makes the incumbent a row of the table over another vocab.
func (in *incumbent) contender(items *vocab.Vocab) (evaluate.Contender, error) {
	blend, err := in.bundle.Blend()
	if err != nil {
		return evaluate.Contender{}, fmt.Errorf("current model %s: %w", in.Version, err)
	}
	t := &translated{scorer: blend, items: items.Len(), row: rowsIn(items, in.bundle.Items)}
	return evaluate.Contender{Name: Incumbent, Config: in.Config, Trials: []evaluate.Trial{{Recommender: evaluate.Ranker(t), Seed: in.bundle.Meta.Seed}}}, nil
}

// warm is the incumbent's factorisation over another vocab, to start from; nil
// when there is none of the same size.
func (in *incumbent) warm(items *vocab.Vocab, cfg Config) *als.Model {
	if in == nil || in.bundle == nil || in.bundle.ALS == nil || in.bundle.ALS.Factors() != cfg.ALS.Factors {
		return nil
	}
	return als.Remap(in.bundle.ALS, rowsIn(items, in.bundle.Items))
}

// clusters are the incumbent's, or nil.
func (in *incumbent) clusters() *cluster.Model {
	if in == nil || in.bundle == nil {
		return nil
	}
	return in.bundle.Cluster
}

// rowsIn is the row in old of each row of items, or -1.
func rowsIn(items, old *vocab.Vocab) []int32 {
	to := make([]int32, items.Len())
	for i := range to {
		row, ok := old.Row(items.Key(int32(i)))
		if !ok {
			row = -1
		}
		to[i] = row
	}
	return to
}

// translated scores the rows of one vocab by a scorer of another. Items that it
// does not know come last, below its worst.
type translated struct {
	scorer model.Scorer
	items  int
	row    []int32 // in the scorer's vocab, or -1
}

func (t *translated) Name() string { return t.scorer.Name() }
func (t *translated) Items() int   { return t.items }

// Score asks the scorer with the history's rows translated.
func (t *translated) Score(h model.History, dst []float32) bool {
	var own model.History
	for i, row := range h.Rows {
		if r := t.row[row]; r >= 0 {
			own.Rows = append(own.Rows, r)
			own.Weights = append(own.Weights, h.Weights[i])
		}
	}
	scores := make([]float32, t.scorer.Items())
	if len(scores) == 0 || !t.scorer.Score(own, scores) {
		clear(dst)
		return false
	}
	worst := slices.Min(scores) - 1
	for i, r := range t.row {
		dst[i] = worst
		if r >= 0 {
			dst[i] = scores[r]
		}
	}
	return true
}
