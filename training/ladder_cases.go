package training

import (
	"kindred/model/als"
	"kindred/model/itemitem"
	"kindred/training/split"
)

// slack is how far below a measured reference value a model may be.
const slack = .005

// exactly is how far from a reference the same method on the same data may be:
// ties and rounding.
const exactly = .001

// Ladder is the cases that run today. Their configurations differ from Default
// where the data does: stars from which something is liked, no time to decay by,
// more factors where the published values have them.
func Ladder() []LadderCase {
	return []LadderCase{ladderD7(), ladderD7Reference(), ladderD1(), ladderD2()}
}

// ladderD7 is ML-100K by each person's own time, full ranking; liked is a rating of
// 4 or 5, in training too.
func ladderD7() LadderCase {
	cfg := Default()
	cfg.Weights.RatingMin = 4
	cfg.Binary = true
	cfg.Popular.HalfLife = 0
	// Chosen on the validation slice among 32 to 256 factors, λ .003 to .03 and a0 .1
	// to 1; and among 50 to 1,682 neighbours, α .4 to .7, β 0 to ½ and shrinkage 0 and 3.
	cfg.ALS = ladderALS(128, .01, .2)
	cfg.ItemItem = itemitem.Config{Neighbours: 1682, Cut: itemitem.CutTarget, Asymmetry: .6, PersonExponent: .5}
	return LadderCase{
		Name: "D7", Title: "ml-100k, each person's newest fifth, relevant from 4 stars, full ranking of 1,682 items",
		Dir: "ml-100k", Format: "movielens", Config: cfg,
		Options: EvaluateOptions{Protocol: split.UserTime, Relevant: 4, K: []int{10, 20}},
		Expected: append([]Expectation{
			{Model: Popular, Metric: "ndcg@10", Reference: .0927, Slack: slack},
			{Model: ItemItem, Metric: "ndcg@10", Reference: .1555, Slack: slack},
			{Model: ALS, Metric: "ndcg@10", Reference: .1501, Slack: slack},
		}, above(Hybrid, "ndcg@10", ComponentNames())...),
	}
}

// ladderD7Reference is D7 with the very configurations that its references were
// measured with, so that the tables are known to measure the same thing.
func ladderD7Reference() LadderCase {
	c := ladderD7()
	c.Name, c.Title = "D7-reference", c.Title+"; popularity and plain cosine item-kNN as others measured them"
	c.Config.ItemItem = itemitem.Cosine()
	c.Options.Models = []string{Popular, ItemItem}
	c.Expected = []Expectation{
		{Model: Popular, Metric: "ndcg@10", Reference: .0927, Slack: exactly, Exact: true},
		{Model: Popular, Metric: "hitrate@10", Reference: .395, Slack: exactly, Exact: true},
		{Model: ItemItem, Metric: "ndcg@10", Reference: .1555, Slack: exactly, Exact: true},
		{Model: ItemItem, Metric: "hitrate@10", Reference: .540, Slack: exactly, Exact: true},
		{Model: ItemItem, Metric: "coverage@10", Reference: .125, Slack: exactly, Exact: true},
	}
	return c
}

// ladderD1 is the NCF split of ML-1M: the last interaction of each person among 99
// given negatives, mean of three seeds.
func ladderD1() LadderCase {
	cfg := Default()
	cfg.Binary = true
	cfg.Popular.HalfLife = 0
	cfg.ALS = ladderALS(192, .007, .3) // as Rendle et al. 2021 have it for ML-1M
	// Chosen on the validation slice among 50 to 3,706 neighbours, shrinkage 0 and 30,
	// and exponents 0 and ½.
	cfg.ItemItem = itemitem.Config{Neighbours: 50, Cut: itemitem.CutTarget, Asymmetry: .5, PersonExponent: .5}
	cfg.Components = []string{ALS, ItemItem, Popular} // the files have no words
	return LadderCase{
		Name: "D1", Title: "ncf-ml-1m, leave one out, 99 given negatives, mean of 3 seeds",
		Dir: "ncf-ml-1m", Format: "ncf", Config: cfg,
		Options: EvaluateOptions{Protocol: split.LeaveOneOut, Seeds: 3, K: []int{10}},
		Expected: []Expectation{
			{Model: Popular, Metric: "hitrate@10", Reference: .4531, Slack: slack},
			{Model: Popular, Metric: "ndcg@10", Reference: .2542, Slack: slack},
			{Model: ItemItem, Metric: "hitrate@10", Reference: .6596, Slack: slack},
			{Model: ItemItem, Metric: "ndcg@10", Reference: .3900, Slack: slack},
			{Model: ALS, Metric: "hitrate@10", Reference: .7308, Slack: slack},
			{Model: ALS, Metric: "ndcg@10", Reference: .4520, Slack: slack},
			{Model: Hybrid, Metric: "ndcg@10", Over: ALS, Slack: .001},
		},
	}
}

// ladderD2 is Gowalla in the split of NGCF and LightGCN, full ranking as they evaluate it: recall
// is hits / |test|. The item-item model is EASE with the dense inverse of all 40,981 items, which
// takes 3.6 GB and 7·10¹³ operations.
func ladderD2() LadderCase {
	cfg := Default()
	cfg.Binary = true
	cfg.Popular.HalfLife = 0
	cfg.Components = []string{ALS, ItemItem, Popular} // the files have no words
	// Chosen on a random fifth of the training pairs, held out: β 0 to .4, λ 6 to 300 and dropout 0
	// to .7, dense among the 12,000 most used items and in parts among all; and 128 to 512
	// factors, λ .001 to .03 and a0 .0003 to .3.
	cfg.ItemItem = ladderEASE(40, .15, .5)
	cfg.ALS = ladderALS(512, .003, .01)
	return LadderCase{
		Name: "D2", Title: "gowalla-lightgcn, the files' split, full ranking of 40,981 items, EASE with a dense inverse",
		Dir: "gowalla-lightgcn", Format: "lightgcn", Config: cfg,
		Options: EvaluateOptions{Protocol: split.Given, Models: []string{Popular, ItemItem, ALS}, K: []int{20}},
		Expected: []Expectation{
			{Model: ItemItem, Metric: "recall@20", Reference: .174},
			{Model: ItemItem, Metric: "ndcg@20", Reference: .144},
		},
	}
}

// ladderEASE is EASE with a dense inverse of up to 60,000 items.
func ladderEASE(regularization, personExponent, dropout float64) itemitem.Config {
	c := itemitem.EASE(regularization)
	c.PersonExponent, c.Dropout, c.MemoryBytes = personExponent, dropout, 8<<30
	return c
}

// ladderALS is a whole configuration, so that a case does not move with defaults.
func ladderALS(factors int, regularization, unobserved float64) als.Config {
	c := als.Default()
	c.Factors, c.Regularization, c.UnobservedWeight = factors, regularization, unobserved
	c.FrequencyExponent, c.StdDev, c.Iterations, c.Solver, c.CGSteps = 1, .1, 12, als.SolverCG, 2
	return c
}

// above expects a model to do better than each of the others.
func above(model, metric string, others []string) []Expectation {
	var out []Expectation
	for _, name := range others {
		out = append(out, Expectation{Model: model, Metric: metric, Over: name, Strict: true})
	}
	return out
}
