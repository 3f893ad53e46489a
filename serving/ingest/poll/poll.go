package poll

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"kindred/serving/ingest/secret"
)

// Store remembers each connector's place.
type Store interface {
	// LoadCursor is what was saved last under the connector's name, nil for nothing.
	LoadCursor(ctx context.Context, connector string) ([]byte, error)
	// SaveCursor makes it durable.
	SaveCursor(ctx context.Context, connector string, state []byte) error
}

// Accept makes calls durable, as events of the source or as dead letters, and
// returns how many are dead letters. After an error the same calls come again.
type Accept func(ctx context.Context, source string, calls []json.RawMessage) (rejected int, err error)

// Deps are what a Poller is made of.
type Deps struct {
	Accept  Accept
	Store   Store
	Client  *http.Client                                     // nil is Client(cfg); another one connects where it likes
	Mapping Mapping                                          // nil is cfg.Fields.Mapping()
	Secrets secret.Source                                    // of secret headers
	Now     func() time.Time                                 // the clock
	Sleep   func(ctx context.Context, d time.Duration) error // nil waits with a timer; ctx's error when ctx ends first
	Jitter  func() float64                                   // in [0, 1), such as rand.Float64
	Logger  *slog.Logger                                     // nil logs nothing
}

// Poller is one connector at work.
type Poller struct {
	cfg     Config
	deps    Deps
	client  *http.Client
	headers http.Header
	paths   struct{ records, next, cursor path }
	sent    sent

	mu     sync.Mutex
	status Status
}

// Status is what a connector did.
type Status struct {
	Name        string    `json:"name"`
	Active      bool      `json:"active"` // this process runs it; of several only one does
	Running     bool      `json:"running"`
	LastStart   time.Time `json:"last_start,omitzero"`
	LastSuccess time.Time `json:"last_success,omitzero"`
	LastError   string    `json:"last_error,omitempty"` // of the last run; "" when it succeeded
	Failures    int       `json:"failures"`             // runs that failed one after the other
	NextRun     time.Time `json:"next_run,omitzero"`
	// Cursor is what the next run asks from; "" is the beginning.
	Cursor string `json:"cursor,omitempty"`
	// Totals since the start.
	Runs      uint64 `json:"runs"`
	Pages     uint64 `json:"pages"`
	Rows      uint64 `json:"rows"`      // records read
	Sent      uint64 `json:"sent"`      // calls handed over
	Unchanged uint64 `json:"unchanged"` // records that this process had sent already
	Skipped   uint64 `json:"skipped"`   // records that no call can be made of
	Rejected  uint64 `json:"rejected"`  // calls that went to the dead letters
	// LastSkip says why a record was skipped last.
	LastSkip string `json:"last_skip,omitempty"`
}

// New makes a connector of a valid configuration. The error names an environment variable that is not set.
func New(cfg Config, deps Deps) (*Poller, error) {
	headers, err := cfg.headers(deps.Secrets)
	if err != nil {
		return nil, err
	}
	if deps.Client == nil {
		deps.Client = Client(cfg)
	}
	if deps.Mapping == nil {
		deps.Mapping = cfg.Fields.Mapping()
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.Sleep == nil {
		deps.Sleep = sleep
	}
	p := &Poller{cfg: cfg, deps: deps, client: cfg.bounded(deps.Client), headers: headers, sent: sent{half: cfg.Remember / 2}, status: Status{Name: cfg.Name}}
	p.paths.records, p.paths.next, p.paths.cursor = mustPath(cfg.Records), mustPath(cfg.NextPath), mustPath(cfg.CursorPath)
	return p, nil
}

// Status is what it did until now.
func (p *Poller) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

func (p *Poller) note(change func(*Status)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.status)
}

// Run reads the list again and again until ctx ends, then returns nil. A run that
// fails is noted in the status and tried again.
func (p *Poller) Run(ctx context.Context) error {
	p.note(func(s *Status) { s.Active = true })
	defer p.note(func(s *Status) { s.Active, s.NextRun = false, time.Time{} })
	for {
		start := p.deps.Now()
		err := p.Once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		now := p.deps.Now()
		wait := max(0, p.cfg.Interval-now.Sub(start))
		if err != nil {
			wait = p.backoff(err)
		}
		p.note(func(s *Status) { s.NextRun = now.Add(wait) })
		if err := p.deps.Sleep(ctx, wait); err != nil {
			return nil
		}
	}
}

// Once reads the list once, from where it was left.
func (p *Poller) Once(ctx context.Context) error {
	var before, after Status
	p.note(func(s *Status) {
		s.Running, s.LastStart, s.Runs, s.NextRun = true, p.deps.Now(), s.Runs+1, time.Time{}
		before = *s
	})
	err := p.list(ctx)
	p.note(func(s *Status) {
		s.Running = false
		switch {
		case err == nil:
			s.LastSuccess, s.LastError, s.Failures = p.deps.Now(), "", 0
		case ctx.Err() == nil:
			s.LastError, s.Failures = err.Error(), s.Failures+1
		}
		after = *s
	})
	p.report(before, after, err, ctx.Err() != nil)
	return err
}

// report logs what a run did.
func (p *Poller) report(before, after Status, err error, stopped bool) {
	did := []any{"connector", p.cfg.Name, "pages", after.Pages - before.Pages, "records", after.Rows - before.Rows, "sent", after.Sent - before.Sent}
	switch {
	case stopped:
		p.deps.Logger.Info("connector stopped; it goes on from its last page", did...)
	case err != nil:
		p.deps.Logger.Warn("connector failed and is tried again", append(did, "failures", after.Failures, "error", err)...)
	case after.Sent > before.Sent:
		p.deps.Logger.Info("connector ran", did...)
	default:
		p.deps.Logger.Debug("connector ran and found nothing new", did...)
	}
}

// waitError is a failure after which the other side asked to wait.
type waitError struct {
	after time.Duration
	err   error
}

func (e *waitError) Error() string { return e.err.Error() }
func (e *waitError) Unwrap() error { return e.err }

// backoff is the pause after a failure: twice the last one, half of it by chance,
// and not before the other side said.
func (p *Poller) backoff(err error) time.Duration {
	pause := p.cfg.BackoffMin
	for i := 1; i < p.Status().Failures && pause < p.cfg.BackoffMax; i++ {
		pause *= 2
	}
	pause = min(pause, p.cfg.BackoffMax)
	pause = pause/2 + time.Duration(p.deps.Jitter()*float64(pause/2))
	var asked *waitError
	if errors.As(err, &asked) {
		pause = max(pause, min(asked.after, p.cfg.BackoffMax))
	}
	return pause
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

// sent remembers the message ids that were sent lately: two generations, of which
// the older is forgotten when the younger is full.
type sent struct {
	half       int
	young, old map[string]struct{}
}

func (s *sent) has(id string) bool {
	_, young := s.young[id]
	_, old := s.old[id]
	if old && !young {
		s.add(id)
	}
	return young || old
}

func (s *sent) add(id string) {
	if s.half == 0 {
		return
	}
	if len(s.young) >= s.half || s.young == nil {
		s.old, s.young = s.young, map[string]struct{}{}
	}
	s.young[id] = struct{}{}
}

// fail is an error about this connector.
func (p *Poller) fail(what string, err error) error {
	return fmt.Errorf("poll %s: %s: %w", p.cfg.Name, what, err)
}
