package rank

import (
	"cmp"
	"slices"
)

// Ranked is one position of a list: an item's row and its score.
type Ranked struct {
	Row   int32
	Score float32
}

// TopK returns at most k rows of scores, best first: falling score, equal scores
// by rising row. Only rows in only are ranked (nil: all), and none that is in one of
// the hide sets (nil ones hide nothing). Rows with a NaN score are left out.
// k ≤ 0 gives none; k may exceed the number of rows. Cost is O(n + n·log k) at worst,
// near O(n) in practice, one allocation; nothing given is changed.
func TopK(scores []float32, k int, only *Set, hide ...*Set) []Ranked {
	k = min(k, len(scores))
	if k <= 0 {
		return nil
	}
	heap := make([]Ranked, 0, k) // worst of the best at the root
	for base := 0; base < len(scores); base += 64 {
		allowed := ^uint64(0)
		if only != nil {
			allowed = only.word(base >> 6)
		}
		for _, h := range hide {
			allowed &^= h.word(base >> 6)
		}
		if allowed == 0 {
			continue
		}
		for i, score := range scores[base:min(base+64, len(scores))] {
			// The comparison is false for NaN and, rows rising, for ties with the root.
			full := len(heap) == k
			if full && !(score > heap[0].Score) || score != score || allowed>>i&1 == 0 {
				continue
			}
			r := Ranked{Row: int32(base + i), Score: score}
			if full {
				heap[0] = r
				siftDown(heap)
			} else {
				heap = append(heap, r)
				siftUp(heap)
			}
		}
	}
	slices.SortFunc(heap, Compare)
	return heap
}

// Best orders the ranked rows it is given as TopK does and returns the first k of
// them, in place: for candidates that are already known. Rows must be distinct for
// the order to be unique; NaN scores must not occur. Cost is O(n·log k).
func Best(candidates []Ranked, k int) []Ranked {
	k = min(k, len(candidates))
	if k <= 0 {
		return candidates[:0]
	}
	heap := candidates[:k]
	for i := range heap {
		siftUp(heap[:i+1])
	}
	for _, r := range candidates[k:] {
		if Compare(r, heap[0]) < 0 {
			heap[0] = r
			siftDown(heap)
		}
	}
	slices.SortFunc(heap, Compare)
	return heap
}

// Compare orders two positions as TopK does: negative when a comes before b.
func Compare(a, b Ranked) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Row, b.Row))
}

// siftUp restores the heap after an append.
func siftUp(h []Ranked) {
	for i := len(h) - 1; i > 0; {
		parent := (i - 1) / 2
		if Compare(h[i], h[parent]) <= 0 {
			return
		}
		h[i], h[parent] = h[parent], h[i]
		i = parent
	}
}

// siftDown restores the heap after its root was replaced.
func siftDown(h []Ranked) {
	for i := 0; ; {
		worst, left := i, 2*i+1
		for c := left; c < min(left+2, len(h)); c++ {
			if Compare(h[c], h[worst]) > 0 {
				worst = c
			}
		}
		if worst == i {
			return
		}
		h[i], h[worst] = h[worst], h[i]
		i = worst
	}
}
