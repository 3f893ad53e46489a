package load

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// foldLimit is how long the prefill waits for the server to fold what it sent.
const foldLimit = 5 * time.Minute

// prefill gives everybody their history, as fast as the server takes it, and waits
// until it is folded and the server is quiet.
func (r *run) prefill(ctx context.Context, report *Report, scrape *scraper, progress func(Progress)) error {
	if r.cfg.Prefill == 0 {
		return nil
	}
	r.filling, r.start = true, time.Now()
	defer func() { r.filling = false }()
	size := int64(min(maxBatchCalls, 500))
	calls := int64(r.cfg.People) * int64(r.cfg.Prefill)
	batches := (calls + size - 1) / size
	var next, done, failed atomic.Int64
	var all sync.WaitGroup
	for _, w := range r.workers {
		all.Go(func() {
			defer w.client.close()
			for ctx.Err() == nil && failed.Load() == 0 {
				k := next.Add(1) - 1
				if k >= batches {
					return
				}
				n := min(size, calls-k*size)
				if !w.fill(ctx, k*size, n) {
					failed.Add(n)
					return
				}
				done.Add(n)
			}
		})
	}
	finished := make(chan struct{})
	go func() { all.Wait(); close(finished) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for waiting := true; waiting; {
		select {
		case <-finished:
			waiting = false
		case <-tick.C:
			progress(Progress{
				Phase: "prefill", Elapsed: r.now(), Share: float64(done.Load()) / float64(calls),
				Calls: done.Load(), CallsRate: float64(done.Load()) / r.now().Seconds(),
			})
		}
	}
	report.Prefill = &PrefillReport{Calls: done.Load(), Seconds: r.now().Seconds()}
	if n := failed.Load(); n > 0 {
		return fmt.Errorf("prefill: a batch of %d calls was not taken after %d of %d calls", n, done.Load(), calls)
	}
	for began := time.Now(); ctx.Err() == nil; sleepFor(ctx, 50*time.Millisecond) {
		if lag, ok := scrape.read()["kindred_fold_lag_records"]; !ok || lag == 0 {
			break
		}
		if time.Since(began) > foldLimit {
			return fmt.Errorf("prefill: the server has not folded it after %v", foldLimit)
		}
	}
	report.Prefill.FoldedSeconds = r.now().Seconds()
	report.Prefill.Quiet = r.settle(ctx, scrape, progress)
	report.Prefill.QuietSeconds = r.now().Seconds()
	return nil
}

// fill sends n calls of the prefill from number first on, and reports whether they
// were taken.
func (w *worker) fill(ctx context.Context, first, n int64) bool {
	w.render.open()
	now := time.Now()
	per := int64(w.run.cfg.Prefill)
	for c := first; c < first+n; c++ {
		w.render.call(w.run.stream.Prefill(int(c/per), c%per), now)
	}
	w.render.close(now)
	a := w.send(ctx, Ingest, 0, false, func(retry int) []byte { return w.render.post("/v1/batch", retry) })
	ok := a.err == nil && a.Status/100 == 2
	if ok {
		w.mu.Lock()
		w.tally.everAcked += n
		w.mu.Unlock()
	}
	return ok
}
