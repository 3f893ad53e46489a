package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"kindred/data"
	"kindred/data/event"
	"kindred/features/identity"
	"kindred/serving/online"
)

// Log is all that ingest asks of the log.
type Log interface {
	// Append makes recs durable and assigns their offsets, all or none. The error
	// is data.ErrOverloaded when its queue is full.
	Append(ctx context.Context, recs []data.Record) error
	// AppendDead keeps messages that could not be accepted.
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
	Now        func() time.Time
	NewID      func() string // fresh unique ids
}

// Service takes tracking calls in. It is safe for concurrent use.
type Service struct {
	cfg    Config
	deps   Deps
	shown  chan data.Event
	counts counts
}

type counts struct{ accepted, rejected, shownLogged, shownDropped atomic.Uint64 }

// Counts are totals since the start.
type Counts struct {
	Accepted, Rejected        uint64 // tracking calls
	ShownLogged, ShownDropped uint64 // impressions
	ShownWaiting              int
}

// New takes calls in; Run must be running for impressions to be logged.
func New(cfg Config, deps Deps) *Service {
	return &Service{cfg: cfg, deps: deps, shown: make(chan data.Event, cfg.ImpressionQueue)}
}

// Config is the configuration given to New.
func (s *Service) Config() Config { return s.cfg }

// Counts are totals since the start.
func (s *Service) Counts() Counts {
	return Counts{
		Accepted: s.counts.accepted.Load(), Rejected: s.counts.rejected.Load(),
		ShownLogged: s.counts.shownLogged.Load(), ShownDropped: s.counts.shownDropped.Load(), ShownWaiting: len(s.shown),
	}
}

// Caller is who sent a body.
type Caller struct {
	Source string // the API key's name
}

// Result says what became of a body.
type Result struct {
	Accepted int
	Rejected []Reject
}

// Reject is one call that was not accepted; it is in the dead letters.
type Reject struct {
	Index  int // in the batch
	Reason string
}

// Accept makes the calls of body durable: each as an event in the log or as a
// dead letter. The error is data.ErrOverloaded, or the log's or index's, wrapped;
// then the client must send the body again, and duplicates are dropped by id.
func (s *Service) Accept(ctx context.Context, body Body, from Caller) (Result, error) {
	now := s.deps.Now().UTC().Truncate(time.Millisecond)
	in := event.Intake{
		Space: string(s.cfg.Space), Source: from.Source, Env: s.cfg.Env, Received: now, SentAt: body.SentAt,
		MaxAge: s.cfg.MaxEventAge, BatchContext: body.Context, NewID: s.deps.NewID,
	}
	var (
		result Result
		events []data.Event
		dead   []data.DeadLetter
	)
	for i, raw := range body.Calls {
		e, err := s.canonical(ctx, raw, body.Type, in)
		if err != nil {
			if !isRefusal(err) {
				return Result{}, err
			}
			result.Rejected = append(result.Rejected, Reject{i, err.Error()})
			dead = append(dead, data.DeadLetter{At: now, Source: from.Source, Reason: err.Error(), Raw: raw})
			continue
		}
		events = append(events, e)
	}
	// Events first: when the log is full the client sends the body again, and events
	// are dropped by their ids the second time, dead letters are not.
	if err := s.Append(ctx, events); err != nil {
		return Result{}, err
	}
	if len(dead) > 0 {
		if err := s.deps.Log.AppendDead(ctx, dead); err != nil {
			return Result{}, fmt.Errorf("keep %d rejected calls: %w", len(dead), err)
		}
	}
	result.Accepted = len(events)
	s.counts.accepted.Add(uint64(len(events)))
	s.counts.rejected.Add(uint64(len(dead)))
	return result, nil
}

// canonical judges one call and makes its event, routed and enriched.
func (s *Service) canonical(ctx context.Context, raw []byte, typ data.EventType, in event.Intake) (data.Event, error) {
	call, err := event.ParseCall(raw, typ)
	if err != nil {
		return data.Event{}, err
	}
	e, err := call.Canonical(in)
	if err != nil {
		return data.Event{}, err
	}
	s.enrich(&e)
	e.Profile, err = s.route(ctx, e.IDs)
	return e, err
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
	return s.cfg.Identity.Route(ids, func(kind data.IDKind, id string) (data.ProfileID, error) {
		return s.deps.Index.Lookup(ctx, kind, id)
	})
}

// Append makes routed events durable in one write and notes their positions.
func (s *Service) Append(ctx context.Context, events []data.Event) error {
	return s.append(ctx, events, s.deps.Acks.Note)
}

// append makes routed events durable and tells note, if there is one, where they are.
func (s *Service) append(ctx context.Context, events []data.Event, note func([]online.Identifier, online.Position)) error {
	if len(events) == 0 {
		return nil
	}
	recs := make([]data.Record, len(events))
	for i, e := range events {
		recs[i] = data.Record{Partition: data.PartitionOf(string(e.Profile), s.deps.Partitions), Value: event.Seal(e)}
	}
	if err := s.deps.Log.Append(ctx, recs); err != nil {
		return fmt.Errorf("append %d events: %w", len(events), err)
	}
	for i, e := range events {
		if note != nil {
			note(online.Identifiers(s.cfg.Identity.Clean(e.IDs)), online.Position{Partition: recs[i].Partition, Offset: recs[i].Offset})
		}
	}
	return nil
}

// isRefusal reports whether the call itself is at fault, so that sending it again
// would not help.
func isRefusal(err error) bool {
	var refused *event.DecodeError
	return errors.As(err, &refused) || errors.Is(err, identity.ErrNobody)
}
