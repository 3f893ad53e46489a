package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/robfig/cron/v3"

	"kindred/data"
)

// LeaseName is the lease that every training run holds, scheduled or asked for.
const LeaseName = "train"

// ErrLeaseLost is the cause that a run is cancelled with when its lease was lost.
var ErrLeaseLost = errors.New("the training lease was lost to another process")

// Leases is what a run asks of the catalog.
type Leases interface {
	AcquireLease(ctx context.Context, name, owner string, ttl time.Duration) (data.Lease, bool, error)
	RenewLease(ctx context.Context, l data.Lease, ttl time.Duration) (data.Lease, error)
	ReleaseLease(ctx context.Context, l data.Lease) error
}

// Scheduler runs training when it is due. All fields but Logger are required.
type Scheduler struct {
	Config Config
	Owner  string // who holds the lease: unique to this process
	Leases Leases
	// Events is how many events there have ever been.
	Events func(ctx context.Context) (int64, error)
	// Trained is how many of them the newest run had read that judged a model, in
	// whichever process; 0 before the first.
	Trained func(ctx context.Context) (int64, error)
	// Train does one run under the lease. Its error is logged, not returned: the
	// next run may do better, and the jobs list says what happened to this one.
	Train  func(ctx context.Context, l data.Lease) error
	Logger *slog.Logger
}

// Run waits and trains until ctx ends, and then returns nil once a run that was
// under way has stopped. The error is a configuration that does not validate.
func (s *Scheduler) Run(ctx context.Context) error {
	if err := s.Config.Validate(); err != nil {
		return err
	}
	log := s.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	due, base := s.nextDue(time.Now()), int64(0)
	poll := time.NewTicker(s.Config.Poll)
	defer poll.Stop()
	for {
		wake := time.NewTimer(time.Until(due))
		if due.IsZero() {
			wake.Stop()
		}
		var why string
		select {
		case <-ctx.Done():
			wake.Stop()
			return nil
		case <-wake.C:
			why = "cron " + s.Config.Cron
		case <-poll.C:
			wake.Stop()
			why = s.enough(ctx, log, base)
		}
		if why == "" {
			continue
		}
		// What comes in during the run is for the next one. It also keeps a run that
		// judged nothing, because nothing was new, from being due again at once.
		if n, err := s.Events(ctx); err == nil {
			base = n
		}
		log.Info("training is due", "why", why)
		switch ran, err := WithLease(ctx, s.Leases, s.Owner, s.Config.LeaseTTL, s.Train); {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			log.Warn("training did not publish", "error", err)
		case !ran:
			log.Info("training is another process's", "lease", LeaseName)
		}
		due = s.nextDue(time.Now())
	}
}

// nextDue is the next moment of the cron spec in UTC, or zero.
func (s *Scheduler) nextDue(now time.Time) time.Time {
	if s.Config.Cron == "" {
		return time.Time{}
	}
	spec, err := cron.ParseStandard(s.Config.Cron)
	if err != nil {
		return time.Time{}
	}
	return spec.Next(now.UTC())
}

// enough says why a run is due by the number of new events, or "". base is how many
// there were when this process last began a run.
func (s *Scheduler) enough(ctx context.Context, log *slog.Logger, base int64) string {
	if s.Config.EveryEvents == 0 {
		return ""
	}
	n, err := s.Events(ctx)
	var trained int64
	if err == nil {
		trained, err = s.Trained(ctx)
	}
	base = max(base, trained)
	switch {
	case err != nil:
		if ctx.Err() == nil {
			log.Warn("counting events for the training schedule", "error", err)
		}
		return ""
	case n-base < s.Config.EveryEvents:
		return ""
	}
	return fmt.Sprintf("%d new events", n-base)
}

// WithLease does work while holding the training lease; see WithLeaseOf.
func WithLease(ctx context.Context, leases Leases, owner string, ttl time.Duration, work func(context.Context, data.Lease) error) (bool, error) {
	return WithLeaseOf(ctx, leases, LeaseName, owner, ttl, work)
}

// WithLeaseOf does work while holding the lease of that name, and says whether it got
// it. The lease is renewed at a third of its life; when that fails because it is
// somebody else's, or for as long as the lease lives, the context of work ends
// with ErrLeaseLost as its cause and the error wraps it. The lease is released
// when work returns.
func WithLeaseOf(ctx context.Context, leases Leases, name, owner string, ttl time.Duration, work func(context.Context, data.Lease) error) (bool, error) {
	lease, ok, err := leases.AcquireLease(ctx, name, owner, ttl)
	if err != nil {
		return false, fmt.Errorf("lease %s: %w", name, err)
	}
	if !ok {
		return false, nil
	}
	inner, cancel := context.WithCancelCause(ctx)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		keep(inner, leases, lease, ttl, cancel)
	}()
	err = work(inner, lease)
	lost := errors.Is(context.Cause(inner), ErrLeaseLost)
	cancel(nil)
	<-renewed
	if lost {
		if err == nil {
			// The work was finished; its publication was checked by the fence.
			return true, nil
		}
		return true, fmt.Errorf("%w: %w", ErrLeaseLost, err)
	}
	// Released even when ctx has ended, so that the next process need not wait.
	release, done := context.WithTimeout(context.WithoutCancel(ctx), ttl)
	defer done()
	if e := leases.ReleaseLease(release, lease); e != nil && err == nil {
		err = fmt.Errorf("release lease %s: %w", name, e)
	}
	return true, err
}

// keep renews the lease until ctx ends or the lease is lost.
func keep(ctx context.Context, leases Leases, lease data.Lease, ttl time.Duration, lose context.CancelCauseFunc) {
	tick := time.NewTicker(ttl / 3)
	defer tick.Stop()
	held := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		_, err := leases.RenewLease(ctx, lease, ttl)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			held = time.Now()
		case errors.Is(err, data.ErrStale) || errors.Is(err, data.ErrNotFound) || time.Since(held) >= ttl:
			lose(ErrLeaseLost)
			return
		}
	}
}
