// Package model is the mathematics: scorers, clusterers and what they are built
// from, as functions of rows and matrices. People and items have no names here,
// only row numbers; package training and package serving hold the vocab that
// joins names to rows.
//
// Invariant: nothing below this package does I/O, reads a clock or draws a random
// number that was not seeded by its configuration, and the same input gives the
// same bytes for any worker count.
package model

// History is a person's taste as scorers see it: the distinct items they used,
// as rows, with preference weights. Rows in [0, n), each at most once, most
// recently used first; Weights[i] > 0 is the summed strength r of Rows[i].
// Both have the same length. The zero History is somebody nobody has met.
type History struct {
	Rows    []int32
	Weights []float32
}

// Scorer gives every item a score for one person. Implementations are immutable
// after Fit or Decode and safe for concurrent use.
type Scorer interface {
	// Name is the component's name in reports and configuration: als, itemitem,
	// content, popular, hybrid.
	Name() string
	// Items is n, the number of item rows.
	Items() int
	// Score writes into dst, of length Items, a finite score for every item row,
	// higher is better, and reports true; or zeroes dst and reports false when it
	// has nothing to say about this history (a cold person). Seen items are scored
	// like all others: hiding is the ranker's business. h is not changed.
	Score(h History, dst []float32) bool
}

// SimilarScorer is a Scorer that can compare items with each other.
type SimilarScorer interface {
	// Similar writes into dst, of length Items, how similar each item is to the
	// given one, and reports false when it knows nothing about it.
	Similar(item int32, dst []float32) bool
}
