package evaluate

import "math"

// The metrics that look at the lists themselves, not at what was relevant.

// coverage is the share of the catalogue that is in the first k of any list.
func coverage(lists [][]int32, k, items int) float64 {
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

// popularity is the mean share of people who used the items of the list.
func popularity(in Input, list []int32) float64 {
	if in.Users == nil || len(list) == 0 {
		return absent()
	}
	sum := 0.0
	for _, row := range list {
		sum += float64(in.Users[row])
	}
	return sum / float64(len(list)) / float64(in.People)
}

// historyPopularity is the mean over people of the popularity of what they used
// themselves, the neutral point of the lift. It is 0 when nobody has a history.
func historyPopularity(in Input, only []int) float64 {
	var sum, n float64
	add := func(i int) {
		if p := popularity(in, in.Cases[i].History.Rows); p == p {
			sum, n = sum+p, n+1
		}
	}
	if only == nil {
		for i := range in.Cases {
			add(i)
		}
	}
	for _, i := range only {
		add(i)
	}
	if n == 0 {
		return 0
	}
	return sum / n
}
