package training

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"kindred/data"
)

// JobKind is the kind of training runs in the jobs list.
const JobKind = "train"

// JobID is the id of a run that began then under that lease.
func JobID(began time.Time, l data.Lease) string {
	return fmt.Sprintf("train-%s-%d", began.UTC().Format("20060102T150405.000Z"), l.Fence)
}

// Jobs is where a run says how it does.
type Jobs interface {
	StartJob(ctx context.Context, j data.Job) error
	UpdateJob(ctx context.Context, j data.Job) error
	FinishJob(ctx context.Context, j data.Job) error
	AbandonJobs(ctx context.Context, silent time.Duration) (int64, error)
}

const (
	// heartbeat is how often a run's row is written while it lasts.
	heartbeat = 3 * time.Second
	// silence is after how long without a heartbeat a run counts as abandoned.
	silence = 20 * time.Second
	// finishWithin bounds the last write of a run that was told to stop.
	finishWithin = 5 * time.Second
)

// stageShare is the part of a run that each of its stages takes, roughly. The
// job's progress is the share of the stages passed, plus the part of the present one.
var stageShare = [...]struct {
	prefix string
	share  float64
}{
	{"read", .05}, {"validation", .2}, {"learn hybrid", .1}, {"fit", .2}, {"evaluate", .1},
	{"refit", .2}, {"fold events", .05}, {"cluster", .05}, {"publish", .05},
}

// tracker keeps a run's row in the jobs list. Its methods may be called from
// several goroutines.
type tracker struct {
	jobs Jobs
	tell Progress

	mu  sync.Mutex
	job data.Job

	stop context.CancelFunc
	done chan struct{}
}

// track starts the job's row and its heartbeat. Rows of runs that went away are
// marked first: whoever holds the lease is the only one.
func track(ctx context.Context, jobs Jobs, id string, tell Progress) (*tracker, error) {
	if _, err := jobs.AbandonJobs(ctx, silence); err != nil {
		return nil, err
	}
	t := &tracker{jobs: jobs, tell: tell, job: data.Job{ID: id, Kind: JobKind, State: data.JobRunning, Stage: "read"}, done: make(chan struct{})}
	if err := jobs.StartJob(ctx, t.job); err != nil {
		return nil, err
	}
	beating, stop := context.WithCancel(ctx)
	t.stop = stop
	go func() {
		defer close(t.done)
		tick := time.NewTicker(heartbeat)
		defer tick.Stop()
		for {
			select {
			case <-beating.Done():
				return
			case <-tick.C:
				// A heartbeat that fails is made up for by the next; the lease is what decides.
				_ = jobs.UpdateJob(beating, t.now())
			}
		}
	}()
	return t, nil
}

// now is the row as it should read.
func (t *tracker) now() data.Job {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.job
}

// progress takes a stage's progress, for the row and for who started the run.
func (t *tracker) progress(stage string, done, total int) {
	base, share := stageAt(stage)
	part := 0.0
	if total > 0 {
		part = min(1, float64(done)/float64(total))
	}
	t.mu.Lock()
	t.job.Stage = stage
	t.job.Progress = math.Max(t.job.Progress, base+share*part)
	t.mu.Unlock()
	t.tell(stage, done, total)
}

// stageAt is where a stage begins and how much of the run it is.
func stageAt(stage string) (base, share float64) {
	for _, s := range stageShare {
		if len(stage) >= len(s.prefix) && stage[:len(s.prefix)] == s.prefix {
			return base, s.share
		}
		base += s.share
	}
	return 0, 0
}

// finish ends the row as the run's error says, also when ctx has ended, and
// returns that error, or why the row could not be written.
func (t *tracker) finish(ctx context.Context, out *Outcome, err error) error {
	t.stop()
	<-t.done
	j := t.now()
	j.State, j.Model, j.Message = data.JobDone, out.Version, out.summary()
	switch {
	case errors.Is(err, ErrRefused):
		j.State, j.Message = data.JobRefused, err.Error()
	case errors.Is(err, ErrNothingNew):
		j.Message = err.Error()
	case err != nil:
		j.State, j.Message = data.JobFailed, err.Error()
	}
	if j.State == data.JobDone {
		j.Progress = 1
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishWithin)
	defer cancel()
	if e := t.jobs.FinishJob(last, j); e != nil {
		return errors.Join(err, fmt.Errorf("finish job %s: %w", j.ID, e))
	}
	return err
}
