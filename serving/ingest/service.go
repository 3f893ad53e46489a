package ingest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"kindred/data"
	"kindred/data/event"
	"kindred/features/identity"
	"kindred/serving/ingest/quota"
	"kindred/serving/ingest/stage"
	"kindred/serving/ingest/tail"
	"kindred/serving/online"
)

// Log is all that ingest asks of the log.
type Log interface {
	// Append makes recs durable and assigns their offsets, all or none, and keeps
	// nothing of recs: the values are the caller's again when it returns, with or
	// without an error, which is data.ErrOverloaded when its queue is full.
	Append(ctx context.Context, recs []data.Record) error
	// AppendDead stores messages that could not be accepted, and keeps nothing of
	// letters either.
	AppendDead(ctx context.Context, letters []data.DeadLetter) error
}

// Index reads the identity index; the error is data.ErrNotFound for nobody.
type Index interface {
	Lookup(ctx context.Context, kind data.IDKind, id string) (data.ProfileID, error)
}

// Facets gives the attributes of an item that events carry, nil for none.
type Facets func(data.ItemID) map[string][]string

// Deps are what a Service is made of.
type Deps struct {
	Log        Log
	Index      Index
	Facets     Facets
	Acks       *online.Acks
	Partitions int32
	// Stages clean, enrich and judge each event after it was read and before it is
	// routed, in this order. What they put into its raw fields is compact JSON.
	Stages []stage.Stage
	// Quota says who may send how much, and Tail shows what comes in; nil for none.
	Quota *quota.Guard
	Tail  *tail.Tail
	Now   func() time.Time
	NewID func() string // fresh unique ids
}

// Service takes tracking calls in. It is safe for concurrent use.
type Service struct {
	cfg    Config
	deps   Deps
	shown  chan data.Event
	counts counts

	workbenches sync.Pool // of *workbench
	replaying   sync.Mutex
}

type counts struct {
	accepted, rejected, dropped, shownLogged, shownDropped atomic.Uint64

	// verdict counts events that a stage ended, dead what went to the dead letters, again
	// what became of those that were tried again; each by kinds, which are a small set.
	verdict, dead, again tally
}

// tally counts by kind.
type tally struct {
	mu sync.Mutex
	by map[string]uint64
}

func (t *tally) add(kind string, n int) {
	if n == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == nil {
		t.by = map[string]uint64{}
	}
	t.by[kind] += uint64(n)
}

func (t *tally) totals() map[string]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.by)
}

// Counts are totals since the start.
type Counts struct {
	Accepted, Rejected        uint64 // tracking calls
	Dropped                   uint64 // tracking calls that a stage let fall
	ShownLogged, ShownDropped uint64 // impressions
	ShownWaiting              int
}

// New takes calls in; Run must be running for impressions to be logged.
func New(cfg Config, deps Deps) *Service {
	s := &Service{cfg: cfg, deps: deps, shown: make(chan data.Event, cfg.ImpressionQueue)}
	s.workbenches.New = func() any { return new(workbench) }
	return s
}

// Config is the configuration given to New.
func (s *Service) Config() Config { return s.cfg }

// Counts are totals since the start.
func (s *Service) Counts() Counts {
	return Counts{
		Accepted: s.counts.accepted.Load(), Rejected: s.counts.rejected.Load(), Dropped: s.counts.dropped.Load(),
		ShownLogged: s.counts.shownLogged.Load(), ShownDropped: s.counts.shownDropped.Load(), ShownWaiting: len(s.shown),
	}
}

// Verdicts are how many events the stages have dropped or refused, by kind.
func (s *Service) Verdicts() map[string]uint64 { return s.counts.verdict.totals() }

// Dead are how many calls went to the dead letters since the start, by kind.
func (s *Service) Dead() map[string]uint64 { return s.counts.dead.totals() }

// Again are how many dead letters were tried again since the start, by what became of them.
func (s *Service) Again() map[string]uint64 { return s.counts.again.totals() }

// Caller is who sent a body.
type Caller = stage.Caller

// Result says what became of a body.
type Result struct {
	Accepted int
	Dropped  int // by a stage: taken, counted, and gone
	Rejected []Reject
}

// Reject is one call that was not accepted; it is in the dead letters.
type Reject struct {
	Index  int // in the batch
	Reason string
}

// Accept makes the calls of body durable: each as an event in the log or as a
// dead letter. Nothing of body is kept. The error is data.ErrOverloaded, or the
// log's or index's, wrapped; then the client must send the body again, and
// duplicates are dropped by id.
//
// In the steady state a call that is accepted costs no allocation here: it is
// parsed, enriched, routed and sealed in memory of the request's that the next one
// uses again.
func (s *Service) Accept(ctx context.Context, body Body, from Caller) (Result, error) {
	now := s.deps.Now().UTC().Truncate(time.Millisecond)
	in := event.Intake{
		Space: string(s.cfg.Space), Source: from.Source, Env: s.cfg.Env, Received: now, SentAt: body.SentAt,
		MaxAge: s.cfg.MaxEventAge, BatchContext: body.Context, NewID: s.deps.NewID,
	}
	w := s.workbenches.Get().(*workbench)
	defer s.release(w)
	if err := s.admitCalls(w, from.Source, len(body.Calls)); err != nil {
		return Result{}, err
	}
	taken := false
	defer func() {
		if !taken {
			w.limits.giveBack(len(body.Calls)) // they come again
		}
	}()
	w.caller.Source, w.caller.Client, w.caller.IP, w.caller.UserAgent, w.caller.Hints = from.Source, from.Client, from.IP, from.UserAgent, from.Hints
	var (
		result Result
		dead   letters
	)
	for _, u := range body.Unread {
		w.limits.refused(now, u.Reason, u.Raw)
		dead.add(data.DeadLetter{At: now, Source: from.Source, Reason: u.Reason, Kind: "body", Raw: u.Raw})
	}
	for i, raw := range body.Calls {
		err := s.take(ctx, w, raw, body.Type, &in)
		switch {
		case err == nil:
		case err == errDropped:
			result.Dropped++
		case isRefusal(err):
			result.Rejected = append(result.Rejected, Reject{i, err.Error()})
			w.limits.refused(now, err.Error(), raw)
			dead.add(data.DeadLetter{At: now, Source: from.Source, Reason: err.Error(), Kind: kindOf(err), Raw: raw, Call: s.deadCall(&dead, &body, &from)})
		default:
			return Result{}, err
		}
	}
	// Events first: when the log is full the client sends the body again, and events
	// are dropped by their ids the second time, dead letters are not.
	if err := s.write(ctx, w, true); err != nil {
		return Result{}, err
	}
	if len(dead.list) > 0 {
		if err := s.deps.Log.AppendDead(ctx, dead.list); err != nil {
			return Result{}, fmt.Errorf("keep %d rejected calls: %w", len(dead.list), err)
		}
	}
	taken = true
	result.Accepted = len(w.recs)
	s.counts.accepted.Add(uint64(len(w.recs)))
	s.counts.rejected.Add(uint64(len(dead.list)))
	for _, l := range dead.list {
		s.counts.dead.add(l.Kind, 1)
	}
	s.counts.dropped.Add(uint64(result.Dropped))
	return result, nil
}

// take judges one call and puts its event, routed and enriched, on the workbench.
func (s *Service) take(ctx context.Context, w *workbench, raw []byte, typ data.EventType, in *event.Intake) error {
	ids, err := s.judge(ctx, w, raw, typ, in)
	if err != nil {
		return err
	}
	e := &w.event
	if err := w.limits.person(e, ids); err != nil {
		return err
	}
	w.limits.accepted(e)
	s.keep(w, ids)
	return nil
}

// judge makes the event of one call in w.event, cleaned, enriched and routed, and
// returns the identifiers it counts by.
func (s *Service) judge(ctx context.Context, w *workbench, raw []byte, typ data.EventType, in *event.Intake) (ids data.IDs, err error) {
	e := &w.event
	if err := w.parser.Event(raw, typ, in, e); err != nil {
		return ids, err
	}
	for _, st := range s.deps.Stages {
		if v := st.Apply(e, &w.caller); v.Fate != stage.Keep {
			if !w.caller.Again {
				s.counts.verdict.add(v.Kind, 1)
			}
			if v.Fate == stage.Drop {
				return ids, errDropped
			}
			return ids, &refusal{v.Kind, v.Reason}
		}
	}
	s.enrich(e)
	ids = s.cfg.Identity.Clean(e.IDs)
	// The calls of a browser's batch are one person's: the index answers once.
	if last := w.last(); len(w.ids) > 0 && ids.User == last.User && ids.Anonymous == last.Anonymous {
		e.Profile = w.profile
	} else {
		e.Profile, err = s.home(ctx, ids)
	}
	return ids, err
}

// keep puts the event in hand on the workbench.
func (s *Service) keep(w *workbench, ids data.IDs) {
	w.profile = w.event.Profile // of w.last, so not of a call that was refused
	w.add(&w.event, data.PartitionOf(string(w.event.Profile), s.deps.Partitions), ids)
}

// maxFacetBytes bounds what enriching adds to an event, so that it stays one that
// the log gives back: a call of 32 kB can name a thousand items.
const maxFacetBytes = 256 << 10

// enrich gives the event's items the catalog's facets; a client's own stand where
// the catalog has none, and on items beyond maxFacetBytes.
func (s *Service) enrich(e *data.Event) {
	left := maxFacetBytes
	for i, it := range e.Items {
		facets := s.deps.Facets(it.ID)
		for name, values := range facets {
			left -= len(name) + 8
			for _, v := range values {
				left -= 2*len(v) + 4 // as JSON, quotes and escapes included
			}
		}
		if left < 0 {
			return
		}
		if facets != nil {
			e.Items[i].Facets = facets
		}
	}
}

// route is the profile that the identifiers lead to.
func (s *Service) route(ctx context.Context, ids data.IDs) (data.ProfileID, error) {
	return s.home(ctx, s.cfg.Identity.Clean(ids))
}

// home is route for identifiers that are clean.
func (s *Service) home(ctx context.Context, ids data.IDs) (data.ProfileID, error) {
	return identity.Home(ids, func(kind data.IDKind, id string) (data.ProfileID, error) {
		return s.deps.Index.Lookup(ctx, kind, id)
	})
}

// Append makes routed events durable in one write and notes their positions.
func (s *Service) Append(ctx context.Context, events []data.Event) error {
	return s.append(ctx, events, true)
}

// append makes routed events durable and notes their positions if told to.
func (s *Service) append(ctx context.Context, events []data.Event, noted bool) error {
	w := s.workbenches.Get().(*workbench)
	defer s.release(w)
	for i := range events {
		e := &events[i]
		w.addAny(e, data.PartitionOf(string(e.Profile), s.deps.Partitions), s.cfg.Identity.Clean(e.IDs))
	}
	return s.write(ctx, w, noted)
}

// write makes what is on the workbench durable.
func (s *Service) write(ctx context.Context, w *workbench, noted bool) error {
	if len(w.recs) == 0 {
		return nil
	}
	if err := s.deps.Log.Append(ctx, w.records()); err != nil {
		return fmt.Errorf("append %d events: %w", len(w.recs), err)
	}
	if noted {
		for i, r := range w.recs {
			var few [2]online.Identifier
			s.deps.Acks.Note(online.AppendIdentifiers(few[:0], w.ids[i]), online.Position{Partition: r.Partition, Offset: r.Offset}, w.homes[i])
		}
	}
	return nil
}

// errDropped: a stage let the event fall.
var errDropped = errors.New("dropped")

// refusal is a stage's or a limit's objection to a call.
type refusal struct{ kind, reason string }

func (r *refusal) Error() string { return r.reason }

// isRefusal reports whether the call itself is at fault, so that sending it again
// would not help.
func isRefusal(err error) bool {
	var (
		unread  *event.DecodeError
		refused *refusal
	)
	return errors.As(err, &unread) || errors.As(err, &refused) || errors.Is(err, identity.ErrNobody)
}

// kindOf is what a refused call is counted as.
func kindOf(err error) string {
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		return refused.kind
	case errors.Is(err, identity.ErrNobody):
		return "identity"
	}
	return "call"
}
