package itemitem

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"kindred/model/sparse"
)

// Fit finds what items say about each other in x, people × items, whose values are
// strengths r > 0. progress, if not nil, is called from the calling goroutine, with done = total
// at the end.
//
// The error is the configuration's, a matrix that is not valid, ErrInexact, or the context's, which
// is looked at between items or blocks. x is not changed. Cost of MethodCosine is O(Σ_u |S_u|²)
// time and O(n·Neighbours) memory; of MethodEASE in addition n³/2 multiply-adds and
// Config.MemoryBytes at most, see Report for what was done with them.
func Fit(ctx context.Context, x *sparse.CSR, cfg Config, progress func(done, total int)) (*Model, error) {
	if progress == nil {
		progress = func(int, int) {}
	}
	m, err := fit(ctx, x, cfg, progress)
	if err != nil {
		return nil, fmt.Errorf("fit itemitem: %w", err)
	}
	progress(x.Cols, x.Cols)
	return m, nil
}

func fit(ctx context.Context, x *sparse.CSR, cfg Config, progress func(done, total int)) (*Model, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := x.Validate(); err != nil {
		return nil, err
	}
	for u := range x.Rows {
		cols, vals := x.Row(u)
		for i, v := range vals {
			if v <= 0 {
				return nil, fmt.Errorf("row %d column %d: strength %v must be above 0", u, cols[i], v)
			}
		}
	}
	if cfg.method() == MethodCosine {
		near, err := fitCosine(ctx, x, cfg)
		if err != nil {
			return nil, err
		}
		return newModel(cfg.Binary, Report{Method: MethodCosine, Items: x.Cols}, near), nil
	}
	near, report, err := fitEASE(ctx, x, cfg, progress)
	if err != nil {
		return nil, err
	}
	return newModel(cfg.Binary, report, near), nil
}

// workers is the number of goroutines.
func (c Config) workers() int {
	if c.Workers == 0 {
		return runtime.GOMAXPROCS(0)
	}
	return c.Workers
}

// parallel calls do for 0 to n−1, each once, from so many workers, until ctx ends.
func parallel(ctx context.Context, workers, n int, do func(worker, i int)) error {
	var next atomic.Int64
	var wait sync.WaitGroup
	for worker := range min(workers, n) {
		wait.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(worker, i)
			}
		})
	}
	wait.Wait()
	return ctx.Err()
}
