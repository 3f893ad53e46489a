package ingest

import (
	"time"

	"kindred/data"
	"kindred/serving/ingest/quota"
	"kindred/serving/ingest/tail"
)

// OverloadedError is data.ErrOverloaded with the time after which to try again.
type OverloadedError struct{ quota.Refusal }

// Unwrap is data.ErrOverloaded.
func (e *OverloadedError) Unwrap() error { return data.ErrOverloaded }

// Admit takes a body of at most n bytes up while there is room for its bytes: release the
// ticket when the body is no longer in memory. The error is an *OverloadedError.
func (s *Service) Admit(source string, n int64) (quota.Ticket, error) {
	if s.deps.Quota == nil {
		return quota.Ticket{}, nil
	}
	t, refused, ok := s.deps.Quota.Admit(s.deps.Quota.Source(source), n)
	if !ok {
		return t, &OverloadedError{refused}
	}
	return t, nil
}

// Limits are the totals of what the limits did, by source and reason.
func (s *Service) Limits() []quota.Total {
	if s.deps.Quota == nil {
		return nil
	}
	return s.deps.Quota.Totals()
}

// Tail shows what comes in; nil without one.
func (s *Service) Tail() *tail.Tail { return s.deps.Tail }

// limits are the limits and the tail of one body's source. Without them its methods do nothing.
type limits struct {
	guard  *quota.Guard
	source *quota.Source
	at     quota.Instant
	shown  *tail.Source
	taken  []quota.Charge // of people
}

// reset forgets everything but the memory.
func (l *limits) reset() { *l = limits{taken: l.taken[:0]} }

// admitCalls looks the source's limits up and counts n calls. The error is an *OverloadedError.
func (s *Service) admitCalls(w *workbench, source string, n int) error {
	w.limits.reset()
	if s.deps.Tail != nil {
		w.limits.shown = s.deps.Tail.Source(source)
	}
	g := s.deps.Quota
	if g == nil {
		return nil
	}
	w.limits.guard, w.limits.source, w.limits.at = g, g.Source(source), g.Now()
	if refused, ok := g.Calls(w.limits.source, n, w.limits.at); !ok {
		return &OverloadedError{refused}
	}
	return nil
}

// person counts a call of the event's person: it may be flagged, or refused.
func (l *limits) person(e *data.Event, ids data.IDs) error {
	if l.guard == nil {
		return nil
	}
	why, charge := l.guard.ChargeUser(l.source, string(ids.Anonymous), string(ids.User), l.at)
	l.taken = append(l.taken, charge)
	if why == quota.None {
		why, charge = l.guard.ChargePerson(l.source, string(e.Profile), l.at)
		l.taken = append(l.taken, charge)
	}
	switch {
	case why.Refuses():
		return &refusal{why.String(), why.Error()}
	case why.Flags():
		e.Bot = quota.Flag(e.Bot)
	}
	return nil
}

// giveBack undoes the count of a body that was not taken after all.
func (l *limits) giveBack(n int) {
	if l.guard != nil {
		l.guard.Return(l.source, n)
		l.guard.Undo(l.taken)
	}
}

// accepted shows an event that is about to be written; a body that the log refuses comes again.
func (l *limits) accepted(e *data.Event) {
	if l.shown != nil {
		l.shown.Event(e)
	}
}

// refused shows a call that goes to the dead letters.
func (l *limits) refused(at time.Time, reason string, raw []byte) {
	if l.shown != nil {
		l.shown.Refused(at, reason, raw)
	}
}
