package evaluate_test

import (
	"context"
	"fmt"

	"kindred/model"
	"kindred/training/evaluate"
)

// newest answers with the catalogue in falling row order, without what is hidden.
type newest struct{ items int32 }

func (n newest) Recommend(_ context.Context, q evaluate.Question, k int) ([]int32, error) {
	var list []int32
	for row := n.items - 1; row >= 0 && len(list) < k; row-- {
		hidden := false
		for _, h := range q.Hide {
			hidden = hidden || h == row
		}
		if !hidden {
			list = append(list, row)
		}
	}
	return list, nil
}

func ExampleRun() {
	ann := evaluate.Case{
		Question: evaluate.Question{
			Person:  "ann",
			History: model.History{Rows: []int32{5}, Weights: []float32{1}},
			Hide:    []int32{5},
		},
		Relevant: []int32{3, 4},
	}
	res, err := evaluate.Run(context.Background(), evaluate.Input{
		Items:      6,
		Cases:      []evaluate.Case{ann},
		Contenders: []evaluate.Contender{{Name: "newest", Trials: []evaluate.Trial{{Recommender: newest{6}}}}},
	}, evaluate.Options{K: []int{1, 2}, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, metric := range []string{"recall@1", "recall_capped@1", "ndcg@2"} {
		fmt.Println(metric, res.Score("newest").Metrics[metric].Mean)
	}
	// Output:
	// recall@1 0.5
	// recall_capped@1 1
	// ndcg@2 1
}
