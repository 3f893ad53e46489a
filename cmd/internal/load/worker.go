package load

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"time"
)

// worker is one client of the server: one connection, one request at a time.
type worker struct {
	run    *run
	client client
	render *renderer
	wake   chan struct{}

	mu    sync.Mutex // held by the worker for moments; others read for progress
	tally tally
}

// work performs operations until the run is over or ctx ends.
func (w *worker) work(ctx context.Context) {
	defer w.client.close()
	for {
		op, due, ok := w.run.take()
		if !ok || ctx.Err() != nil {
			return
		}
		if w.run.open() && !w.run.pacer.wait(ctx, due, w.wake) {
			return
		}
		if !w.run.open() {
			due = w.run.now()
		}
		w.perform(ctx, op, due)
	}
}

// attempt is what one operation came to.
type attempt struct {
	response
	err     error
	service time.Duration // of the last try
	retries int64
}

// perform sends one operation and counts what came of it.
func (w *worker) perform(ctx context.Context, op Op, due time.Duration) {
	if op.Kind == Freshness {
		w.probe(ctx, op.Person, due)
		return
	}
	if op.Kind == Ingest {
		w.render.batch(op, time.Now())
	}
	a := w.send(ctx, op.Kind, due, false, func(retry int) []byte {
		switch op.Kind {
		case Noop:
			return w.render.get(w.run.cfg.NoopPath)
		case Recommend:
			return w.render.recommend(op.Person)
		}
		return w.render.post("/v1/batch", retry)
	})
	took := w.run.now() - due
	w.mu.Lock()
	defer w.mu.Unlock()
	if op.Kind == Recommend && w.run.cfg.Check && a.err == nil && a.Status == 200 {
		if a.err = check(a.Body, string(w.render.person(nil, op.Person)), w.run.cfg.N); a.err != nil {
			a.err = wrongAnswer{a.err}
		}
	}
	ok := a.err == nil && a.Status/100 == 2
	if ok && op.Kind == Ingest {
		w.tally.everAcked += int64(w.run.cfg.Batch)
	}
	if !w.run.measured(due) {
		return
	}
	k := &w.tally.kinds[op.Kind]
	k.retries += a.retries
	if !ok {
		k.failed++
		if errors.As(a.err, new(wrongAnswer)) { // the others are counted attempt by attempt
			k.failure(a.err.Error(), 1)
		}
		return
	}
	k.done++
	k.latency.Add(took)
	k.service.Add(a.service)
	switch op.Kind {
	case Ingest:
		w.tally.acknowledged += int64(w.run.cfg.Batch)
	case Recommend:
		// All stand before the items, so the whole answer need not be searched.
		head := a.Body[:min(len(a.Body), 512)]
		if bytes.Contains(head, []byte(`"stale":true`)) {
			w.tally.stale++
		}
		if bytes.Contains(head, []byte(`"fallback":`)) {
			w.tally.cold++
		}
		if bytes.Contains(head, []byte(`"known":false`)) {
			w.tally.unknown++
		}
	}
}

// send tries as tracking clients do: a 429 is waited out for as long as its
// Retry-After says and does not count as a try; other answers that may pass, and
// lost connections, are tried again after 0.5 s, 1 s, … up to 60 s, for events only.
func (w *worker) send(ctx context.Context, kind Kind, due time.Duration, keep bool, request func(retry int) []byte) attempt {
	a := attempt{}
	for tries, retry := 0, 0; ; retry++ {
		began := time.Now()
		a.response, a.err = w.client.do(request(retry), keep || kind == Recommend)
		a.service = time.Since(began)
		pause := w.judge(kind, due, a, &tries)
		if pause < 0 || tries > maxRetries || !sleepFor(ctx, min(pause, w.run.left())) || w.run.left() <= 0 {
			return a
		}
		a.retries++
	}
}

// maxRetries is how often clients try again what failed.
const maxRetries = 10

// judge counts an attempt and says how long to wait for the next; negative is never.
func (w *worker) judge(kind Kind, due time.Duration, a attempt, tries *int) (pause time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := &w.tally.kinds[kind]
	if w.run.measured(due) {
		if a.err != nil {
			k.failure(reason(a.err), 1)
		} else {
			k.status(a.Status, 1)
		}
	}
	pause = -1
	switch {
	case a.err == nil && a.Status == 429 && a.RetryAfter != "":
		pause = retryAfter(a.RetryAfter)
	case a.err == nil && a.Status == 429, kind == Ingest && (a.err != nil || passing(a.Status)):
		pause = min(500*time.Millisecond<<*tries, time.Minute)
		*tries++
	case a.err != nil: // do not hammer a server that is not there
		sleep(10 * time.Millisecond)
	}
	if a.err == nil && a.Status == 429 && w.run.measured(due) {
		w.tally.throttled++
		w.tally.waited += pause
	}
	return pause
}

// passing reports whether clients try again after the status.
func passing(status int) bool {
	switch status {
	case 408, 410, 460:
		return true
	case 501, 505, 511:
		return false
	}
	return status >= 500
}

// retryAfter is the pause that the header asks for, from 1 to 300 seconds as
// clients bound it.
func retryAfter(header string) time.Duration {
	s, err := strconv.Atoi(header)
	if err != nil {
		s = 1
	}
	return time.Duration(min(max(s, 1), 300)) * time.Second
}

// wrongAnswer is an answer that says what it should not.
type wrongAnswer struct{ error }

func (e wrongAnswer) Error() string { return "wrong answer: " + e.error.Error() }

// reason is an error's class, so that counts stay few.
func reason(err error) string {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.As(err, new(*net.OpError)):
		return "connection"
	}
	return "broken answer"
}

// sleepFor waits and reports whether ctx is still alive.
func sleepFor(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
