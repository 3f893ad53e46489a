package als

import (
	"context"
	"slices"

	"kindred/model/sparse"
)

// Snapshot is a fit between two iterations. It may be used only until the function it was
// given to returns.
type Snapshot struct {
	loss         objective
	f            int
	x            *sparse.CSR
	items, users []float32
}

// Loss is the objective's value for the factors as they stand: the people's are those
// the items were last solved for, as after an iteration of the library implicit. (Fit's own
// model, which Model.Loss speaks of, solves the people once more.) Cost is O(nnz·f + (m+n)f²).
func (s Snapshot) Loss() float64 { return lossOf(s.loss, s.f, s.x, s.items, s.users) }

// Model is a copy of the factors as they stand. Cost is O((m+n)f + nf²).
func (s Snapshot) Model() *Model {
	return newModel(s.loss, s.f, slices.Clone(s.items), slices.Clone(s.users))
}

// FitWatched is Fit, with watch called after each iteration, from the calling goroutine, so that
// a benchmark can follow loss and quality. Watching changes nothing and costs
// only what watch asks for.
func FitWatched(ctx context.Context, x *sparse.CSR, cfg Config, warm *Model, watch func(done int, s Snapshot)) (*Model, error) {
	return fit(ctx, x, cfg, warm, watch)
}
