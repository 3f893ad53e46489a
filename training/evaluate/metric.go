package evaluate

import "math"

// The names of the metrics that are means over cases, in the order of the
// table. A name is written with its cutoff, "ndcg@10".
const (
	NDCG         = "ndcg"
	Recall       = "recall"
	RecallCapped = "recall_capped"
	Precision    = "precision"
	MAP          = "map"
	MRR          = "mrr"
	HitRate      = "hitrate"
	Coverage     = "coverage"
	Novelty      = "novelty"
	Diversity    = "diversity"
)

// Names are all metrics in the order that tables print them.
func Names() []string {
	return []string{NDCG, Recall, RecallCapped, Precision, MAP, MRR, HitRate, Coverage, Novelty, Diversity}
}

// accuracy holds the metrics of one list that compare it with the holdout.
type accuracy struct {
	ndcg, recall, capped, precision, mean, mrr, hit float64
}

// judge compares the first k of list with relevant, which is sorted and not
// empty. A list shorter than k is judged as if it were filled with misses.
func judge(list, relevant []int32, k int) accuracy {
	if len(list) > k {
		list = list[:k]
	}
	possible := min(k, len(relevant))
	var a accuracy
	hits, gain, sum := 0, 0.0, 0.0
	for i, row := range list {
		if !contains(relevant, row) {
			continue
		}
		hits++
		if hits == 1 {
			a.mrr, a.hit = 1/float64(i+1), 1
		}
		gain += discount(i)
		sum += float64(hits) / float64(i+1)
	}
	ideal := 0.0
	for i := range possible {
		ideal += discount(i)
	}
	a.ndcg = gain / ideal
	a.recall = float64(hits) / float64(len(relevant))
	a.capped = float64(hits) / float64(possible)
	a.precision = float64(hits) / float64(k)
	a.mean = sum / float64(possible)
	return a
}

// discount is the gain of a hit at 0-based position i.
func discount(i int) float64 { return 1 / math.Log2(float64(i+2)) }

// contains reports whether the sorted rows hold row.
func contains(rows []int32, row int32) bool {
	lo, hi := 0, len(rows)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if rows[mid] < row {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo < len(rows) && rows[lo] == row
}
