package evaluate

import (
	"context"

	"kindred/model"
)

// Question is all that a recommender may know about a case.
type Question struct {
	// Person names who is asked for: a profile, a user, a session.
	Person string
	// History is what the person used before the holdout, newest first.
	History model.History
	// Hide lists the rows that must not be answered, sorted: what the person has
	// seen. Nil when nothing is hidden.
	Hide []int32
	// Candidates are the rows to choose from, sorted, each once. Nil is the whole
	// catalogue; anything else makes the metrics sampled ones, which only compare
	// with others of the same sample.
	Candidates []int32
}

// Case is a question together with its answer.
type Case struct {
	Question
	// Relevant are the rows to be found, sorted, each once, at least one.
	Relevant []int32
	// Group is the person the case belongs to, for the bootstrap: cases of one
	// group are drawn together. Numbers need not be dense.
	Group int32
}

// Recommender ranks items for one question: at most k rows, best first, each
// once, none hidden, all from the candidates. Fewer than k is allowed: the rest
// of the list counts as missed. It is called from several goroutines.
type Recommender interface {
	Recommend(ctx context.Context, q Question, k int) ([]int32, error)
}

// Trial is one fitted recommender of a contender: one seed's.
type Trial struct {
	Recommender Recommender
	Seed        uint64
	Seconds     float64 // wall time of the fit
	PeakBytes   uint64  // most memory in use during the fit
}

// Contender is one row of the table. Metrics are averaged over its trials, case
// by case; a model without randomness has one.
type Contender struct {
	Name   string
	Trials []Trial
	Config any // its exact configuration, written to the report as JSON
}
