package model

import (
	"cmp"
	"slices"
)

// Cause is one past item's part in a score.
type Cause struct {
	Row   int32   // row of the past item
	Share float64 // its part of the score, in the score's unit
}

// Explainer is a Scorer that can say which past items led to a score.
type Explainer interface {
	// Explain does the part of explaining h that all items share. The Explanation
	// reads h until its Release. Cost is about that of Score.
	Explain(h History) Explanation
}

// Explanation says for one history which past items led to an item's score. It is
// not safe for concurrent use.
type Explanation interface {
	// Causes returns at most k causes of item's score, largest share first, ties by
	// lower row; none when the scorer has nothing to say about the history. They are
	// valid until the next call.
	Causes(item int32, k int) []Cause
	// Release gives its memory back for the next person's; nothing of the
	// Explanation may be used after it.
	Release()
}

// Largest orders causes as Explanation promises and returns the first k, in place.
func Largest(causes []Cause, k int) []Cause {
	slices.SortFunc(causes, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Row, b.Row))
	})
	return causes[:max(0, min(k, len(causes)))]
}
