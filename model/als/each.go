package als

import (
	"context"
	"sync"
	"sync/atomic"
)

// each runs do(worker, i) for every i in [0, n), workers at once, each i once and in rising
// order of their starts. It stops at the first error, or when ctx is done, and waits for all
// workers before it returns.
func (s *sweeper) each(ctx context.Context, n int, do func(worker, i int) error) error {
	var next atomic.Int64
	var wait sync.WaitGroup
	errs := make([]error, min(s.workers, n))
	for w := range errs {
		wait.Go(func() {
			for errs[w] == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if errs[w] = ctx.Err(); errs[w] == nil {
					errs[w] = do(w, i)
				}
			}
			next.Store(int64(n)) // an error stops the others
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// turns lets the pieces of an each take turns in the order of their numbers, so that what they add
// up has the same bytes for any number of workers, without keeping every piece's part. A piece
// that has started always ends, so nobody waits for one that will not come.
type turns struct {
	mu   sync.Mutex
	cond sync.Cond
	next int
}

// newTurns starts with piece 0.
func newTurns() *turns {
	t := &turns{}
	t.cond.L = &t.mu
	return t
}

// take runs do when all pieces before i have had their turn.
func (t *turns) take(i int, do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.next != i {
		t.cond.Wait()
	}
	do()
	t.next++
	t.cond.Broadcast()
}
