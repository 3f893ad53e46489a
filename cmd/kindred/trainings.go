package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"kindred/data"
	"kindred/training"
)

// trainings are the runs that the API asked this server for.
type trainings struct {
	server  *server
	trainer trainer

	mu      sync.Mutex
	wg      sync.WaitGroup
	cancel  context.CancelFunc // of the run under way, or nil
	stopped bool
}

// start begins a run and returns its job once there is one; data.ErrConflict if
// one is under way here or elsewhere.
func (t *trainings) start(ctx context.Context) (data.Job, error) {
	t.mu.Lock()
	if t.stopped || t.cancel != nil {
		t.mu.Unlock()
		return data.Job{}, fmt.Errorf("a training run is under way: %w", data.ErrConflict)
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	t.cancel = cancel
	t.wg.Add(1)
	t.mu.Unlock()

	began, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		defer t.wg.Done()
		err := t.once(running, began)
		t.mu.Lock()
		t.cancel = nil
		t.mu.Unlock()
		cancel()
		ended <- err
	}()
	select {
	case <-began:
	case err := <-ended:
		if err != nil && !errors.Is(err, training.ErrRefused) && !errors.Is(err, training.ErrNothingNew) && !errors.Is(err, training.ErrTooLittle) {
			return data.Job{}, err
		}
	case <-ctx.Done():
		return data.Job{}, ctx.Err()
	}
	jobs, err := t.server.catalog.Jobs(ctx, "", 1)
	if err != nil {
		return data.Job{}, err
	}
	if len(jobs) == 0 {
		return data.Job{}, fmt.Errorf("the run's job: %w", data.ErrNotFound)
	}
	return jobs[0], nil
}

// once archives and trains, and closes began when the run has its job.
func (t *trainings) once(ctx context.Context, began chan<- struct{}) error {
	if err := t.server.flush(ctx); err != nil {
		return err
	}
	var first sync.Once
	_, err := t.trainer.lease(ctx, training.RunOptions{
		Builder:  version,
		Progress: func(string, int, int) { first.Do(func() { close(began) }) },
	})
	if err != nil {
		t.server.log.Warn("training did not publish", "error", err)
	}
	return err
}

// stop ends the run under way, if any, and lets no other begin.
func (t *trainings) stop() error {
	t.mu.Lock()
	t.stopped = true
	if t.cancel != nil {
		t.cancel()
	}
	t.mu.Unlock()
	t.wg.Wait()
	return nil
}
