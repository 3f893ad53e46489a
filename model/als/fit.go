package als

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"

	"kindred/model/sparse"
)

// Fit factorises x, people × items, whose values are strengths r > 0 (confidences for
// objective hkv). A row or column without entries gets zero factors.
//
// warm, if not nil, is a model over the same item rows and with as many factors, such as Remap gives;
// the fit starts from its item factors, and from random ones where it has none.
// progress, if not nil, is called after each iteration from the calling goroutine.
//
// The error is the configuration's, a matrix or warm model that does not fit (naming
// what is wrong), ErrSingular, or the context's, which is looked at between chunks of rows.
// x is not changed. Cost of an iteration is O(nnz·f·CGSteps + (m+n)f² + f³), of "cholesky" O(nnz·f² + (m+n)f³).
func Fit(ctx context.Context, x *sparse.CSR, cfg Config, warm *Model, progress func(done, total int)) (*Model, error) {
	if progress == nil {
		progress = func(int, int) {}
	}
	return fit(ctx, x, cfg, warm, func(done int, _ Snapshot) { progress(done, cfg.Iterations) })
}

// fit is Fit and FitWatched.
func fit(ctx context.Context, x *sparse.CSR, cfg Config, warm *Model, watch func(done int, s Snapshot)) (*Model, error) {
	if err := checkFit(x, cfg, warm); err != nil {
		return nil, fmt.Errorf("fit als: %w", err)
	}
	workers := cfg.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	f := cfg.Factors
	items := initialItems(x, cfg, warm)
	users := make([]float32, x.Rows*f)
	s := newSweeper(objectiveOf(cfg, x), cfg, workers, max(x.Rows, x.Cols))
	byUser, byItem := x, x.Transpose()
	for done := range cfg.Iterations {
		s.relax = 1
		if 0 < done && done < cfg.Iterations-1 {
			s.relax = float32(1 + cfg.Overrelaxation)
		}
		if err := s.halfStep(ctx, users, items, byUser); err != nil {
			return nil, fmt.Errorf("fit als: iteration %d: people: %w", done+1, err)
		}
		if err := s.halfStep(ctx, items, users, byItem); err != nil {
			return nil, fmt.Errorf("fit als: iteration %d: items: %w", done+1, err)
		}
		watch(done+1, Snapshot{loss: s.loss, f: f, x: x, items: items, users: users})
	}
	if err := s.halfStep(ctx, users, items, byUser); err != nil {
		return nil, fmt.Errorf("fit als: people of the last items: %w", err)
	}
	return newModel(s.loss, f, items, users), nil
}

// checkFit reports what makes the input unusable.
func checkFit(x *sparse.CSR, cfg Config, warm *Model) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	if err := x.Validate(); err != nil {
		return err
	}
	for u := range x.Rows {
		cols, vals := x.Row(u)
		for i, v := range vals {
			if v <= 0 {
				return fmt.Errorf("row %d column %d: strength %v must be above 0", u, cols[i], v)
			}
		}
	}
	if warm != nil && (warm.f != cfg.Factors || warm.n != x.Cols) {
		return fmt.Errorf("warm start from %d items × %d factors: need %d × %d", warm.n, warm.f, x.Cols, cfg.Factors)
	}
	return nil
}

// initialItems draws item factors from a normal distribution of deviation StdDev/√f,
// row by row, and lays the warm model's over them. Items without entries stay zero.
func initialItems(x *sparse.CSR, cfg Config, warm *Model) []float32 {
	f := cfg.Factors
	used := make([]bool, x.Cols)
	for _, c := range x.Col {
		used[c] = true
	}
	random := rand.New(rand.NewPCG(cfg.Seed, 0x616c73))
	deviation := cfg.StdDev / math.Sqrt(float64(f))
	items := make([]float32, x.Cols*f)
	for i := range x.Cols {
		h := items[i*f : (i+1)*f]
		for k := range h {
			h[k] = float32(random.NormFloat64() * deviation)
		}
		switch {
		case !used[i]:
			clear(h)
		case warm != nil && warm.inverse[i] > 0:
			copy(h, warm.ItemFactors(int32(i)))
		}
	}
	return items
}
