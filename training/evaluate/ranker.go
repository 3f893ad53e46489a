package evaluate

import (
	"context"
	"sync"

	"kindred/model"
	"kindred/model/rank"
)

// Ranker makes a Recommender of a scorer: it scores all items, hides, and takes
// the k best, ties by item row. Somebody the scorer has nothing to say about gets
// an empty list, which counts as missed.
func Ranker(s model.Scorer) Recommender {
	return &ranker{scorer: s, scratch: sync.Pool{New: func() any {
		dst := make([]float32, s.Items())
		return &dst
	}}}
}

type ranker struct {
	scorer  model.Scorer
	scratch sync.Pool // *[]float32
}

// Recommend ranks the catalogue, or the candidates, for one question.
func (r *ranker) Recommend(_ context.Context, q Question, k int) ([]int32, error) {
	dst := r.scratch.Get().(*[]float32)
	defer r.scratch.Put(dst)
	if !r.scorer.Score(q.History, *dst) {
		return nil, nil
	}
	var only *rank.Set
	if q.Candidates != nil {
		only = rank.SetOf(len(*dst), q.Candidates)
	}
	top := rank.TopK(*dst, k, only, rank.SetOf(len(*dst), q.Hide))
	rows := make([]int32, len(top))
	for i, t := range top {
		rows[i] = t.Row
	}
	return rows, nil
}
