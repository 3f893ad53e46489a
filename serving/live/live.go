package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"kindred/data"
	"kindred/features"
	"kindred/model"
)

// Models is the catalog's models.
type Models interface {
	// Current is the one to serve; the error is data.ErrNotFound while there is none.
	Current(ctx context.Context) (data.Model, error)
	// Models lists at most limit after the given version, newest first; "" begins.
	Models(ctx context.Context, after string, limit int) ([]data.Model, error)
}

// Artifacts keeps the bytes of models.
type Artifacts interface {
	Artifact(ctx context.Context, version string) ([]byte, error)
}

// Items is the catalog's items as a sequence of changes. Version 0 is before the first.
type Items interface {
	ItemsVersion(ctx context.Context) (int64, error)
	ItemsSince(ctx context.Context, version int64) (upserts []data.Item, deleted []data.ItemID, newVersion int64, err error)
}

// Deps are what a Live is made of. Published and Logger may be nil.
type Deps struct {
	Models    Models
	Artifacts Artifacts
	Items     Items
	Decode    func([]byte) (Parts, error) // DecodeArtifact, except in tests
	// Published is told each version that starts to serve, so that the stream can
	// mark it in the log. It is asked again at every poll until it returns nil.
	Published func(ctx context.Context, version string) error
	Now       func() time.Time
	Logger    *slog.Logger
}

// Status says what serves and what went wrong, for /readyz and /v1/models.
type Status struct {
	Version  string    // serving now, or NoModel
	Created  time.Time // when it was trained
	Loaded   time.Time // when it began to serve
	Rows     int       // items that can be shown
	Wanted   string    // the catalog's current version, if another one
	Failure  string    // why Wanted does not serve, or what the last poll met
	FailedAt time.Time
	Read     time.Time // when the catalog could last be read
}

// Live follows the catalog and holds the current Snapshot.
type Live struct {
	cfg  Config
	deps Deps
	now  atomic.Pointer[Snapshot]

	polling  sync.Mutex // held while the catalog is looked at, so that an old answer never overtakes a new one
	marked   string     // the version that Published took note of; guarded by polling
	building sync.Mutex // held while a snapshot is made

	mu      sync.Mutex // guards what follows
	status  Status
	refused refusal

	tastes sync.Mutex              // guards what follows
	recent [][]features.Preference // ring of the newest real tastes, for probes
	next   int
}

// refusal is the model version that could not be loaded, and until when it is left alone.
type refusal struct {
	version string
	until   time.Time
	err     error
}

// New returns a Live that holds nothing yet: an empty snapshot without a model.
func New(cfg Config, deps Deps) *Live {
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	l := &Live{cfg: cfg, deps: deps}
	l.now.Store(empty())
	l.status.Version = NoModel
	return l
}

// Load returns the current snapshot, never nil. Load once per request.
func (l *Live) Load() *Snapshot { return l.now.Load() }

// Run follows the catalog until ctx ends; it returns nil then.
func (l *Live) Run(ctx context.Context) error {
	tick := time.NewTicker(l.cfg.Poll)
	defer tick.Stop()
	for {
		if err := l.Poll(ctx); err != nil && ctx.Err() == nil {
			l.deps.Logger.Warn("following the catalog", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Poll looks at the catalog once: it loads the current model if it is not the one
// that serves, and the items that changed. The error is also in Status.
func (l *Live) Poll(ctx context.Context) error {
	l.polling.Lock()
	defer l.polling.Unlock()
	read := l.Refresh(ctx)
	if read == nil {
		l.note(func(s *Status) { s.Read = l.deps.Now() })
	}
	err := errors.Join(read, l.followModel(ctx), l.mark(ctx))
	if err == nil {
		l.note(func(s *Status) { s.Failure, s.FailedAt = "", time.Time{} })
	}
	return err
}

// Refresh brings in the items that changed since the snapshot was made. After a
// write through the API it makes the next answer show it. Writers that wait here
// together cost one build.
func (l *Live) Refresh(ctx context.Context) error {
	l.building.Lock()
	defer l.building.Unlock()
	s := l.Load()
	version, err := l.deps.Items.ItemsVersion(ctx)
	if err == nil && version == s.itemsVersion {
		return nil
	}
	if err != nil {
		return l.failed(fmt.Errorf("read the version of the items: %w", err))
	}
	c, err := l.since(ctx, s.itemsVersion)
	if err != nil {
		return l.failed(err)
	}
	next, err := s.with(c)
	if err != nil {
		return l.failed(fmt.Errorf("bring in %d changed items: %w", len(c.upserts)+len(c.deleted), err))
	}
	l.swap(next)
	return nil
}

// followModel loads the current model unless it serves, or failed a moment ago.
func (l *Live) followModel(ctx context.Context) error {
	m, err := l.deps.Models.Current(ctx)
	if errors.Is(err, data.ErrNotFound) {
		return nil // nothing was ever promoted; what serves goes on
	}
	if err != nil {
		return l.failed(fmt.Errorf("read the current model: %w", err))
	}
	if m.Version == l.Load().Version {
		l.refuse(refusal{})
		return nil
	}
	l.mu.Lock()
	last := l.refused
	l.mu.Unlock()
	if last.version == m.Version && l.deps.Now().Before(last.until) {
		return last.err
	}
	if err := l.load(ctx, m); err != nil {
		err = fmt.Errorf("load model %s: %w", m.Version, err)
		l.refuse(refusal{m.Version, l.deps.Now().Add(l.cfg.Retry), err})
		return l.failed(errors.Join(err, l.fallBack(ctx)))
	}
	l.refuse(refusal{})
	return nil
}

// swap makes s the snapshot. The building lock is held, so snapshots follow each other.
func (l *Live) swap(s *Snapshot) {
	s.Serial = l.Load().Serial + 1
	l.now.Store(s)
	l.note(func(st *Status) {
		st.Version, st.Created, st.Loaded, st.Rows = s.Version, s.Parts.Created, s.Loaded, s.Rows()
	})
}

// mark tells the stream which version serves, until it has taken note. The polling
// lock is held and the building lock is not: a log that makes Published wait keeps no
// item from being shown.
func (l *Live) mark(ctx context.Context) error {
	version := l.Load().Version
	if l.deps.Published == nil || version == NoModel || version == l.marked {
		return nil
	}
	if err := l.deps.Published(ctx, version); err != nil {
		return l.failed(fmt.Errorf("mark model %s in the log: %w", version, err))
	}
	l.marked = version
	return nil
}

// Status is what serves and what went wrong.
func (l *Live) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

func (l *Live) note(change func(*Status)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.status)
}

// failed writes the failure into the status and returns it.
func (l *Live) failed(err error) error {
	l.note(func(s *Status) { s.Failure, s.FailedAt = err.Error(), l.deps.Now() })
	return err
}

// refuse remembers a version that could not be loaded; the zero refusal forgets it.
func (l *Live) refuse(r refusal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused, l.status.Wanted = r, r.version
}

// Remember keeps a real taste as a probe for the next model, unless another request
// is just doing so: nobody waits for this. prefs is kept.
func (l *Live) Remember(prefs []features.Preference) {
	if len(prefs) == 0 || l.cfg.Probes == 0 || !l.tastes.TryLock() {
		return
	}
	defer l.tastes.Unlock()
	if len(l.recent) < l.cfg.Probes {
		l.recent = append(l.recent, prefs)
		return
	}
	l.recent[l.next] = prefs
	l.next = (l.next + 1) % len(l.recent)
}

// probes are the histories a new model must answer: nobody, one item, a few
// items, and the newest real ones.
func (l *Live) probes(s *Snapshot) []model.History {
	histories := []model.History{{}}
	for _, size := range []int{1, 5} {
		if n := min(size, s.Rows()); n > 0 {
			h := model.History{}
			for i := range n {
				h.Rows = append(h.Rows, int32(i*s.Rows()/n))
				h.Weights = append(h.Weights, 1)
			}
			histories = append(histories, h)
		}
	}
	l.tastes.Lock()
	defer l.tastes.Unlock()
	for _, prefs := range l.recent {
		histories = append(histories, s.History(prefs))
	}
	return histories
}
