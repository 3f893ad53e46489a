package notify

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"kindred/data"
	"kindred/serving/changes"
	"kindred/serving/ingest/secret"
)

// Feed is where changes come from; *changes.Feed is one.
type Feed interface {
	Partitions() int32
	News(partition int32) <-chan struct{}
	Read(ctx context.Context, partition int32, at changes.At, limit int) (list []data.Change, next changes.At, more bool, err error)
	Now(ctx context.Context) (changes.Position, error)
	Hurry() (done func())
}

// Places keeps each webhook's place.
type Places interface {
	// LoadCursor is what was saved last under the name, nil for nothing.
	LoadCursor(ctx context.Context, name string) ([]byte, error)
	// SaveCursor makes it durable; data.ErrStale where another process sends now.
	SaveCursor(ctx context.Context, name string, state []byte) error
}

// Letters keeps what could not be delivered.
type Letters interface {
	AppendDead(ctx context.Context, letters []data.DeadLetter) error
	// DeadLetters returns at most max letters with a number greater than after, in order.
	DeadLetters(ctx context.Context, after uint64, max int) ([]data.DeadLetter, error)
	// SettleDead removes those in done and writes those in again over the ones with their numbers.
	SettleDead(ctx context.Context, done []uint64, again []data.DeadLetter) error
}

// Deps are what a Dispatcher is made of. Names, Who, Client, Sleep and Logger may be nil.
type Deps struct {
	Feed   Feed
	Places Places
	Dead   Letters
	// Names are what the rules of a version say in notify of a segment.
	Names func(ctx context.Context, version, segment string) ([]string, error)
	// Who are the identifiers of a person; data.ErrNotFound for nobody.
	Who     func(ctx context.Context, id data.ProfileID) (users, anonymous []string, err error)
	Secrets secret.Source
	Client  func(Webhook) *http.Client                       // nil is one that connects only where it may
	Now     func() time.Time                                 // the clock
	Sleep   func(ctx context.Context, d time.Duration) error // nil waits with a timer; ctx's error when ctx ends first
	Jitter  func() float64                                   // in [0, 1)
	Logger  *slog.Logger
}

// Dispatcher sends changes to the webhooks of a configuration.
type Dispatcher struct {
	deps    Deps
	targets []*target
}

// New makes a dispatcher of a valid configuration. The error names a secret that is not there.
func New(cfg Config, deps Deps) (*Dispatcher, error) {
	if deps.Client == nil {
		deps.Client = client
	}
	if deps.Sleep == nil {
		deps.Sleep = sleep
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	d := &Dispatcher{deps: deps}
	for _, w := range cfg.Webhooks {
		t := &target{cfg: w, deps: &d.deps, client: deps.Client(w), turns: make(chan struct{}, w.Parallel), status: Status{Name: w.Name}, seconds: changes.NewHistogram()}
		for _, s := range []string{w.Secret, w.PreviousSecret} {
			if s == "" {
				continue
			}
			value, err := deps.Secrets.Expand(s)
			if err == nil && len(value) < 16 {
				err = fmt.Errorf("it is shorter than 16 bytes")
			}
			if err != nil {
				return nil, fmt.Errorf("notify: %s: secret: %w", w.Name, err)
			}
			t.secrets = append(t.secrets, value)
		}
		d.targets = append(d.targets, t)
	}
	return d, nil
}

// Run sends until ctx ends, which is no error. The error is data.ErrStale, wrapped, where
// another process sends.
func (d *Dispatcher) Run(ctx context.Context) error {
	if len(d.targets) == 0 {
		<-ctx.Done()
		return nil
	}
	defer d.deps.Feed.Hurry()()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var all sync.WaitGroup
	for _, t := range d.targets {
		all.Go(func() {
			if err := t.run(ctx); err != nil && ctx.Err() == nil {
				stop(fmt.Errorf("notify: %s: %w", t.cfg.Name, err))
			}
		})
	}
	all.Wait()
	if err := context.Cause(ctx); err != nil && err != context.Canceled && err != context.DeadlineExceeded {
		return err
	}
	return nil
}

// Webhooks are the names of the webhooks, in the configuration's order.
func (d *Dispatcher) Webhooks() []string {
	var names []string
	for _, t := range d.targets {
		names = append(names, t.cfg.Name)
	}
	return names
}

// Status is what each webhook did, in the configuration's order.
func (d *Dispatcher) Status() []Status {
	out := make([]Status, len(d.targets))
	for i, t := range d.targets {
		out[i] = t.Status()
	}
	return out
}

func (d *Dispatcher) target(name string) (*target, error) {
	i := slices.IndexFunc(d.targets, func(t *target) bool { return t.cfg.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("webhook %q: %w", name, data.ErrNotFound)
	}
	return d.targets[i], nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
