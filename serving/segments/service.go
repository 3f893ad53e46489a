package segments

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.yaml.in/yaml/v3"

	"kindred/data"
	"kindred/features"
	"kindred/features/segment"
	"kindred/features/segment/starter"
	"kindred/features/stream"
)

// Config is what operators say of segments.
type Config struct {
	// Limits bound the rule sets that can be published: what one person may take, and how many segments.
	Limits segment.Config `yaml:"limits"`
	// File is a rules file that is published at the start when it differs from what it was then; empty for none.
	File string `yaml:"file"`
	// Starter publishes the starter pack at the start of a server that has no rules yet.
	Starter bool `yaml:"starter"`
}

// Default has the limits of package segment, no file and no starter pack.
func Default() Config { return Config{Limits: segment.Default()} }

// Validate reports the first field that makes no sense.
func (c Config) Validate() error {
	if err := c.Limits.Validate(); err != nil {
		return fmt.Errorf("limits.%w", err)
	}
	return nil
}

// Catalog is what is kept of rules and jobs.
type Catalog interface {
	Versions
	PutRules(ctx context.Context, r data.RuleSet, base string) (data.RuleSet, error)
	PublishRules(ctx context.Context, version, publisher string, backfill bool) (data.RuleSet, error)
	FinishBackfill(ctx context.Context, version string) error
	RulesIn(ctx context.Context, state string) (data.RuleSet, error)
	RulesHistory(ctx context.Context, before int64, limit int) ([]data.RuleSet, error)
	StartJob(ctx context.Context, j data.Job) error
	UpdateJob(ctx context.Context, j data.Job) error
	FinishJob(ctx context.Context, j data.Job) error
	PutEvaluation(ctx context.Context, e data.Evaluation) error
}

// Worker is the fold; *stream.Worker is one.
type Worker interface {
	PublishRules(ctx context.Context, version string) error
	WaitFolded(ctx context.Context, partition int32, offset int64) error
}

// Profiles are the stored people.
type Profiles interface {
	ScanProfiles(ctx context.Context, partition int32, after data.ProfileID, fn func(id data.ProfileID, v []byte) (more bool, err error)) error
}

// Deps are what a Service is made of. History and Clusterers may be nil.
type Deps struct {
	Catalog    Catalog
	Shelf      *Shelf
	Worker     Worker
	Log        stream.Log
	History    func(ctx context.Context) (stream.History, error) // the lake, where the log was trimmed
	Profiles   Profiles
	Partitions int32
	Space      data.Space
	Env        string
	Features   features.Config
	Clusterers features.Clusterers
	Now        func() time.Time
	Logger     *slog.Logger
}

// Service is the life of rules. It is safe for concurrent use.
type Service struct {
	cfg  Config
	deps Deps

	live    atomic.Pointer[Live]
	publish sync.Mutex
	heavy   turn             // one fold of the history at a time
	retries map[string]retry // by version, of Run alone
	kick    chan struct{}
	tasks   chan func(context.Context) // for Run, which waits for them
}

// Live is what decides now.
type Live struct {
	data.RuleSet
	Set *segment.Set
}

// New returns a service; Run brings it to life.
func New(cfg Config, d Deps) *Service {
	cfg.Limits.Horizon = d.Features.MaxEventAge.Milliseconds()
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	return &Service{cfg: cfg, deps: d, heavy: make(turn, 1), retries: map[string]retry{}, kick: make(chan struct{}, 1), tasks: make(chan func(context.Context), 1)}
}

// Live is the version that is live, nil without one, as of the newest Refresh.
func (s *Service) Live() *Live { return s.live.Load() }

// Has reports whether the live rules have the segment.
func (s *Service) Has(name string) bool {
	live := s.Live()
	return live != nil && live.Set != nil && slices.ContainsFunc(live.Set.Rules(), func(r segment.Rule) bool { return r.Segment == name })
}

// Names are the segments that the bytes of a profile say, as of the live version.
func (s *Service) Names(state []byte) []string {
	if l := s.Live(); l != nil && len(state) > 0 {
		return l.Set.Names(nil, state)
	}
	return nil
}

// Refresh reads what is live from the catalog.
func (s *Service) Refresh(ctx context.Context) error {
	r, err := s.deps.Catalog.RulesIn(ctx, data.RulesLive)
	if errors.Is(err, data.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if l := s.Live(); l != nil && l.RuleSet == r {
		return nil
	}
	set, err := s.deps.Shelf.Find(ctx, r.Version)
	if err != nil {
		return err
	}
	s.live.Store(&Live{r, set})
	return nil
}

// Check compiles a text with the limits of the configuration. The error is about the text.
func (s *Service) Check(text string) (segment.Rules, *segment.Set, error) {
	rules, err := segment.ParseRules([]byte(text))
	if err != nil {
		return rules, nil, err
	}
	set, err := segment.Compile(rules, s.cfg.Limits)
	return rules, set, err
}

// Draft is what edits begin with: the draft, else what is live, else nothing.
func (s *Service) Draft(ctx context.Context) (data.RuleSet, error) {
	for _, state := range []string{data.RulesDraft, data.RulesLive} {
		r, err := s.deps.Catalog.RulesIn(ctx, state)
		if err == nil || !errors.Is(err, data.ErrNotFound) {
			return r, err
		}
	}
	return data.RuleSet{}, nil
}

// Text is the text of a version, "draft" and "live" included.
func (s *Service) Text(ctx context.Context, version string) (data.RuleSet, error) {
	switch version {
	case "", data.RulesDraft:
		return s.Draft(ctx)
	case data.RulesLive:
		return s.deps.Catalog.RulesIn(ctx, data.RulesLive)
	}
	return s.deps.Catalog.RulesByVersion(ctx, version)
}

// Put makes a text the draft. base is as in PutRules. A text with mistakes is refused, with
// Check's error in an *Invalid.
func (s *Service) Put(ctx context.Context, text, author, note, base string) (data.RuleSet, error) {
	if _, _, err := s.Check(text); err != nil {
		return data.RuleSet{}, &Invalid{err}
	}
	return s.deps.Catalog.PutRules(ctx, data.RuleSet{Text: text, Author: author, Note: note}, base)
}

// Invalid is an error about rules, not about the server.
type Invalid struct{ Err error }

func (e *Invalid) Error() string { return e.Err.Error() }
func (e *Invalid) Unwrap() error { return e.Err }

// editTries is how often an edit begins again because another came between.
const editTries = 10

// Edit changes the draft's rules by change, whose error ends it. Comments of the text go.
func (s *Service) Edit(ctx context.Context, author, note string, change func(*segment.Rules) error) (out data.RuleSet, err error) {
	for range editTries {
		r, err := s.Draft(ctx)
		if err != nil {
			return out, err
		}
		rules, err := segment.ParseRules([]byte(r.Text))
		if err != nil {
			return out, &Invalid{err}
		}
		if err := change(&rules); err != nil {
			return out, err
		}
		text, err := yaml.Marshal(rules)
		if err != nil {
			return out, err
		}
		out, err = s.Put(ctx, string(text), author, note, r.Version)
		if !errors.Is(err, data.ErrConflict) {
			return out, err
		}
	}
	return out, fmt.Errorf("edit rules: others edit all the time: %w", data.ErrConflict)
}

// Starter makes the starter pack the draft.
func (s *Service) Starter(ctx context.Context, author string) (data.RuleSet, error) {
	return s.Put(ctx, string(starter.YAML()), author, "the starter pack", "")
}

// Publish makes a version live, "" for the draft: first in the catalog, then by a marker in every
// partition. With backfill Run brings new slots what was before.
func (s *Service) Publish(ctx context.Context, version, publisher string, backfill bool) (data.RuleSet, error) {
	s.publish.Lock()
	defer s.publish.Unlock()
	state := version
	if version == "" {
		state = data.RulesDraft
	}
	r, err := s.Text(ctx, state)
	if err == nil && r.Version == "" || version == "" && r.State != data.RulesDraft {
		return data.RuleSet{}, fmt.Errorf("there is no draft to publish: %w", data.ErrNotFound)
	}
	if err != nil {
		return data.RuleSet{}, err
	}
	if _, _, err := s.Check(r.Text); err != nil {
		return data.RuleSet{}, &Invalid{err}
	}
	if r, err = s.deps.Catalog.PublishRules(ctx, r.Version, publisher, backfill); err != nil {
		return r, err
	}
	if err := s.follow(ctx); err != nil {
		return r, err
	}
	select {
	case s.kick <- struct{}{}:
	default:
	}
	return r, nil
}

// follow makes the log, and what is live here, agree with the catalog.
func (s *Service) follow(ctx context.Context) error {
	if err := s.Refresh(ctx); err != nil {
		return err
	}
	if l := s.Live(); l != nil {
		return s.deps.Worker.PublishRules(ctx, l.Version)
	}
	return nil
}

// Rollback publishes what was live before what is live.
func (s *Service) Rollback(ctx context.Context, publisher string, backfill bool) (data.RuleSet, error) {
	live, err := s.deps.Catalog.RulesIn(ctx, data.RulesLive)
	if err == nil && live.Previous == "" {
		err = data.ErrNotFound
	}
	if err != nil {
		return live, fmt.Errorf("roll back: no rules were live before: %w", err)
	}
	return s.Publish(ctx, live.Previous, publisher, backfill)
}

// History lists versions that are or were live, newest first.
func (s *Service) History(ctx context.Context, before int64, limit int) ([]data.RuleSet, error) {
	return s.deps.Catalog.RulesHistory(ctx, before, limit)
}
