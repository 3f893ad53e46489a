package evaluate

import (
	"cmp"
	"math"
	"slices"
)

// The metrics that look at the lists themselves, not at what was relevant.

// coverageOf is the share of the catalogue that is in the first k of any list.
func coverageOf(lists [][]int32, k, items int) float64 {
	if items == 0 {
		return 0
	}
	seen := make([]bool, items)
	distinct := 0
	for _, list := range lists {
		for _, row := range list[:min(k, len(list))] {
			if !seen[row] {
				seen[row] = true
				distinct++
			}
		}
	}
	return float64(distinct) / float64(items)
}

// novelty is the list's mean self-information in bits, −log2 of the share of
// people who used the item. An item that nobody used counts as used by one.
func novelty(in Input, list []int32) float64 {
	if in.Users == nil || len(list) == 0 {
		return absent()
	}
	sum := 0.0
	for _, row := range list {
		sum -= math.Log2(float64(max(in.Users[row], 1)) / float64(in.People))
	}
	return sum / float64(len(list))
}

// diversity is one minus the mean similarity over all pairs of the list.
func diversity(in Input, list []int32) float64 {
	if in.Similarity == nil || len(list) < 2 {
		return absent()
	}
	sum, pairs := 0.0, 0
	for i, a := range list {
		for _, b := range list[:i] {
			sum += in.Similarity(a, b)
			pairs++
		}
	}
	return 1 - sum/float64(pairs)
}

// Bias says how far the lists lean towards what everybody uses anyway.
type Bias struct {
	// Mean is the mean popularity percentile of the recommended items: the share of
	// the catalogue that is used by fewer people, ties counted half.
	Mean float64
	// TopShare is the share of recommendations that go to the most popular tenth of
	// the catalogue.
	TopShare float64
	// Gini is the inequality of how often items are recommended: 0 when all are
	// equally often, near 1 when one item takes all.
	Gini float64
}

// biasOf measures the first k of every list; nil when all lists are empty.
func biasOf(in Input, lists [][]int32, k int) *Bias {
	order := make([]int32, in.Items) // most popular first
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(in.Users[b], in.Users[a]) })
	percentile, top := make([]float64, in.Items), make([]bool, in.Items)
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && in.Users[order[j]] == in.Users[order[i]] {
			j++
		}
		for x := i; x < j; x++ {
			percentile[order[x]] = 1 - float64(i+j)/2/float64(in.Items)
			top[order[x]] = x < (in.Items+9)/10
		}
		i = j
	}
	shown, total := make([]int, in.Items), 0
	var b Bias
	for _, list := range lists {
		for _, row := range list[:min(k, len(list))] {
			shown[row]++
			total++
			b.Mean += percentile[row]
			if top[row] {
				b.TopShare++
			}
		}
	}
	if total == 0 {
		return nil
	}
	b.Mean /= float64(total)
	b.TopShare /= float64(total)
	slices.Sort(shown)
	for i, n := range shown {
		b.Gini += float64(2*(i+1)-in.Items-1) * float64(n)
	}
	b.Gini /= float64(in.Items) * float64(total)
	return &b
}
