package cluster

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// block is how many rows are reduced together. It is fixed, so that sums are added
// in the same order for any number of workers.
const block = 1024

// rows is a row-major matrix and the workers that go over it.
type rows struct {
	x       []float64
	n, dims int
	workers int
}

// newRows wraps x; workers 0 means one for each processor.
func newRows(x []float64, dims, workers int) rows {
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	return rows{x: x, n: len(x) / dims, dims: dims, workers: workers}
}

// row is row i, not copied.
func (r rows) row(i int) []float64 { return r.x[i*r.dims : (i+1)*r.dims] }

// blocks is the number of blocks.
func (r rows) blocks() int { return (r.n + block - 1) / block }

// each runs do for every block b, with its rows [from, to), on the workers. It
// returns early with ctx's error.
func (r rows) each(ctx context.Context, do func(b, from, to int)) error {
	total := r.blocks()
	if min(total, r.workers) <= 1 {
		for b := 0; b < total && ctx.Err() == nil; b++ {
			do(b, b*block, min((b+1)*block, r.n))
		}
		return ctx.Err()
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(total, r.workers) {
		wait.Go(func() {
			for ctx.Err() == nil {
				b := int(next.Add(1)) - 1
				if b >= total {
					return
				}
				do(b, b*block, min((b+1)*block, r.n))
			}
		})
	}
	wait.Wait()
	return ctx.Err()
}
