package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"kindred/data"
	"kindred/training"
	"kindred/training/schedule"
)

// finishWithin bounds the writing down of how a run ended.
const finishWithin = 5 * time.Second

// trainings are the training runs of a server, those that are due and those that
// the API asks for. Each runs in a process of its own; the server holds the lease.
type trainings struct {
	server *server

	mu      sync.Mutex
	wg      sync.WaitGroup
	cancel  context.CancelFunc // of the asked-for run under way, or nil
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

	began, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		defer t.wg.Done()
		err := t.asked(running, began)
		t.mu.Lock()
		t.cancel = nil
		t.mu.Unlock()
		cancel()
		ended <- err
	}()
	var job string
	select {
	case job = <-began:
	case err := <-ended:
		if err != nil && !errors.Is(err, training.ErrRefused) && !errors.Is(err, training.ErrNothingNew) && !errors.Is(err, training.ErrTooLittle) {
			return data.Job{}, err
		}
		job = <-began // the run has its job since it told an outcome
	case <-ctx.Done():
		return data.Job{}, ctx.Err()
	}
	return t.server.catalog.Job(ctx, job)
}

// asked does a run that somebody asked for, and puts its job into began once there
// is one.
func (t *trainings) asked(ctx context.Context, began chan<- string) error {
	ran, err := schedule.WithLease(ctx, t.server.catalog, t.server.owner, t.server.cfg.Schedule.LeaseTTL, func(ctx context.Context, l data.Lease) error {
		return t.run(ctx, l, began)
	})
	if err == nil && !ran {
		err = fmt.Errorf("train: another training run is under way: %w", data.ErrConflict)
	}
	if err != nil {
		t.server.log.Warn("training did not publish", "error", err)
	}
	return err
}

// due does a run that the schedule asks for. That nothing is new is no error.
func (t *trainings) due(ctx context.Context, l data.Lease) error {
	err := t.run(ctx, l, nil)
	if errors.Is(err, training.ErrNothingNew) {
		t.server.log.Info("training", "outcome", err)
		return nil
	}
	return err
}

// run archives what the server has taken in and trains under a lease that the
// caller holds. began, if not nil, has room for the job, which it gets once the
// job is in the list.
func (t *trainings) run(ctx context.Context, l data.Lease, began chan<- string) error {
	s := t.server
	if err := s.flush(ctx); err != nil {
		return err
	}
	o := order{
		Job: training.JobID(time.Now(), l), Lease: l, Builder: version,
		Data: s.cfg.Data, Space: s.cfg.Space, Features: s.cfg.Features, Training: s.cfg.Training,
	}
	var once sync.Once
	listed := func() {
		once.Do(func() {
			if began != nil {
				began <- o.Job
			}
		})
	}
	ended, err := inProcessOfItsOwn(ctx, o, s.log, func(string) { listed() })
	if ended == nil {
		err = errors.Join(err, t.bury(ctx, o.Job, err))
	}
	listed()
	if err == nil {
		s.log.Info("training published", "model", ended.Model, "job", o.Job)
	}
	return err
}

// bury writes down that a run's process ended without doing so itself, and why.
func (t *trainings) bury(ctx context.Context, id string, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishWithin)
	defer cancel()
	j, err := t.server.catalog.Job(ctx, id)
	if errors.Is(err, data.ErrNotFound) {
		j = data.Job{ID: id, Kind: training.JobKind}
		err = t.server.catalog.StartJob(ctx, j)
	}
	if err == nil {
		j.State, j.Message = data.JobFailed, why.Error()
		err = t.server.catalog.FinishJob(ctx, j)
	}
	if errors.Is(err, data.ErrConflict) {
		return nil // it came to writing its end, and no further
	}
	return err
}

// stop ends the asked-for run under way, if any, and lets no other begin.
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
