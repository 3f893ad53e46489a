package schedule

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"kindred/data"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is a lease desk by the bubble's clock.
type desk struct {
	mu       sync.Mutex
	lease    data.Lease
	fence    int64
	renewals int
	broken   bool // renewing fails as when the database is away
}

func (d *desk) AcquireLease(_ context.Context, name, owner string, ttl time.Duration) (data.Lease, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lease.Owner != "" && time.Now().Before(d.lease.Until) {
		return data.Lease{}, false, nil
	}
	d.fence++
	d.lease = data.Lease{Name: name, Owner: owner, Fence: d.fence, Until: time.Now().Add(ttl)}
	return d.lease, true, nil
}

func (d *desk) RenewLease(_ context.Context, l data.Lease, ttl time.Duration) (data.Lease, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.renewals++
	if d.broken {
		return data.Lease{}, errors.New("database is away")
	}
	if d.lease.Fence != l.Fence {
		return data.Lease{}, data.ErrStale
	}
	d.lease.Until = time.Now().Add(ttl)
	return d.lease, nil
}

func (d *desk) ReleaseLease(_ context.Context, l data.Lease) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lease.Fence == l.Fence {
		d.lease = data.Lease{}
	}
	return nil
}

// steal gives the lease to somebody else.
func (d *desk) steal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fence++
	d.lease = data.Lease{Owner: "thief", Fence: d.fence, Until: time.Now().Add(time.Hour)}
}

// counter is a number of events that a test moves.
type counter struct {
	mu sync.Mutex
	n  int64
}

func (c *counter) add(n int64) { c.mu.Lock(); c.n += n; c.mu.Unlock() }
func (c *counter) count(context.Context) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n, nil
}

// runs collects when training ran.
type runs struct {
	mu sync.Mutex
	at []time.Time
}

func (r *runs) train(context.Context, data.Lease) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = append(r.at, time.Now().UTC())
	return nil
}

func (r *runs) count() int { r.mu.Lock(); defer r.mu.Unlock(); return len(r.at) }

func TestTrainsAtTheMomentsOfTheCronSpec(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var r runs
		var c counter
		s := &Scheduler{Config: Config{Cron: "0 4 * * *", Poll: time.Minute, LeaseTTL: time.Minute}, Owner: "me", Leases: &desk{}, Events: c.count, Trained: none, Train: r.train}
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		time.Sleep(49 * time.Hour) // the bubble starts at midnight UTC, 2000-01-01
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Fatalf("Run = %v, want nil when asked to stop", err)
		}
		want := []time.Time{time.Date(2000, 1, 1, 4, 0, 0, 0, time.UTC), time.Date(2000, 1, 2, 4, 0, 0, 0, time.UTC)}
		if len(r.at) != 2 || !r.at[0].Equal(want[0]) || !r.at[1].Equal(want[1]) {
			t.Errorf("trained at %v, want %v", r.at, want)
		}
	})
}

func TestTrainsOnceSoManyEventsAreNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var r runs
		c := counter{n: 5000}
		before := func(context.Context) (int64, error) { return 5000, nil } // what an earlier process trained on is not new
		s := &Scheduler{Config: Config{EveryEvents: 100, Poll: 10 * time.Second, LeaseTTL: time.Minute}, Owner: "me", Leases: &desk{}, Events: c.count, Trained: before, Train: r.train}
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		for i, step := range []struct {
			add  int64
			want int
		}{{0, 0}, {99, 0}, {1, 1}, {99, 1}, {500, 2}, {0, 2}} {
			c.add(step.add)
			time.Sleep(30 * time.Second)
			synctest.Wait()
			if got := r.count(); got != step.want {
				t.Errorf("step %d: after %d more events %d runs, want %d", i, step.add, got, step.want)
			}
		}
		cancel()
		<-done
	})
}

func TestARestartForgetsNoEvents(t *testing.T) {
	for name, tc := range map[string]struct {
		events, trained int64
		want            int
	}{
		"as many as wanted came in before the start": {5100, 5000, 1},
		"one fewer":                    {5099, 5000, 0},
		"nothing was ever trained":     {100, 0, 1},
		"the log is shorter than once": {10, 5000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				var r runs
				c := counter{n: tc.events}
				s := &Scheduler{Config: Config{EveryEvents: 100, Poll: 10 * time.Second, LeaseTTL: time.Minute}, Owner: "me", Leases: &desk{}, Events: c.count, Train: r.train,
					Trained: func(context.Context) (int64, error) { return tc.trained, nil }}
				done := make(chan error, 1)
				go func() { done <- s.Run(ctx) }()
				time.Sleep(time.Minute) // several looks: a run that moved nothing is not due again
				synctest.Wait()
				if got := r.count(); got != tc.want {
					t.Errorf("%d runs after the start, want %d", got, tc.want)
				}
				cancel()
				<-done
			})
		})
	}
}

// none is that nothing was trained.
func none(context.Context) (int64, error) { return 0, nil }

func TestALeaseIsRenewedWhileTheRunLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		ran, err := WithLease(t.Context(), d, "me", 30*time.Second, func(ctx context.Context, l data.Lease) error {
			time.Sleep(10 * time.Minute)
			if _, ok, _ := d.AcquireLease(ctx, LeaseName, "other", time.Second); ok {
				t.Error("another process got the lease of a living run")
			}
			return ctx.Err()
		})
		if !ran || err != nil {
			t.Fatalf("WithLease = %v, %v; want true, nil", ran, err)
		}
		if d.renewals < 55 {
			t.Errorf("%d renewals in 10 minutes of a 30 s lease, want one every 10 s", d.renewals)
		}
		if d.lease.Owner != "" {
			t.Errorf("the lease is still %q's after the run", d.lease.Owner)
		}
	})
}

func TestALostLeaseStopsTheRun(t *testing.T) {
	for name, tc := range map[string]struct {
		lose   func(*desk)
		within time.Duration
	}{
		"another process has it, seen at the next renewal": {(*desk).steal, 10 * time.Second},
		"the database is away for the lease's life":        {func(d *desk) { d.mu.Lock(); d.broken = true; d.mu.Unlock() }, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &desk{}
				began := time.Now()
				ran, err := WithLease(t.Context(), d, "me", 30*time.Second, func(ctx context.Context, l data.Lease) error {
					tc.lose(d)
					<-ctx.Done()
					return ctx.Err()
				})
				if !ran || !errors.Is(err, ErrLeaseLost) {
					t.Fatalf("WithLease = %v, %v; want true, ErrLeaseLost", ran, err)
				}
				if took := time.Since(began); took > tc.within {
					t.Errorf("the run went on for %v, want %v at most", took, tc.within)
				}
			})
		})
	}
}

func TestAnotherProcessesLeaseIsNoErrorAndNoRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		d.steal()
		ran, err := WithLease(t.Context(), d, "me", time.Minute, func(context.Context, data.Lease) error {
			t.Error("ran without the lease")
			return nil
		})
		if ran || err != nil {
			t.Errorf("WithLease = %v, %v; want false, nil", ran, err)
		}
	})
}

func TestStoppingEndsARunUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		stopped := false
		var c counter
		s := &Scheduler{Config: Config{Cron: "* * * * *", Poll: time.Minute, LeaseTTL: time.Minute}, Owner: "me", Leases: &desk{}, Events: c.count,
			Train: func(ctx context.Context, _ data.Lease) error { <-ctx.Done(); stopped = true; return ctx.Err() }}
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		time.Sleep(90 * time.Second)
		synctest.Wait()
		cancel()
		if err := <-done; err != nil || !stopped {
			t.Errorf("Run = %v, run stopped %v; want nil, true", err, stopped)
		}
	})
}

func TestAConfigThatMakesNoSenseNamesItsField(t *testing.T) {
	ok := Default()
	if err := ok.Validate(); err != nil {
		t.Fatalf("Default: %v", err)
	}
	for field, change := range map[string]func(*Config){
		"cron":         func(c *Config) { c.Cron = "every day" },
		"every_events": func(c *Config) { c.EveryEvents = -1 },
		"poll":         func(c *Config) { c.Poll = 0 },
		"lease_ttl":    func(c *Config) { c.LeaseTTL = time.Second },
	} {
		c := Default()
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: Validate = %v, want an error that names it", field, err)
		}
	}
}
