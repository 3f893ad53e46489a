package ingest

import (
	"bytes"
	"context"
	"net/netip"
	"strings"

	"kindred/data"
	"kindred/serving/ingest/clean"
)

// Letters is where dead letters are kept.
type Letters interface {
	// DeadLetters returns at most max letters with a number greater than after, in order.
	DeadLetters(ctx context.Context, after uint64, max int) ([]data.DeadLetter, error)
	// SettleDead removes those with the numbers in done and writes those in again over the ones
	// with their numbers, unless they are gone; in one write.
	SettleDead(ctx context.Context, done []uint64, again []data.DeadLetter) error
}

// letters are the dead letters of one body.
type letters struct {
	list     []data.DeadLetter
	contexts int // bytes of the batch's context that they repeat
}

func (l *letters) add(d data.DeadLetter) { l.list = append(l.list, d) }

// maxDeadContexts bounds how often a body's refused calls repeat its context, in bytes: a
// batch of 2,500 calls with a context of 32 kB would make 80 MB.
const maxDeadContexts = 256 << 10

// deadCall is what a refused call needs to be tried again; nil where that would take too much.
func (s *Service) deadCall(dead *letters, body *Body, from *Caller) *data.DeadCall {
	if dead.contexts += len(body.Context); dead.contexts > maxDeadContexts {
		return nil
	}
	call := &data.DeadCall{
		Type: body.Type, Context: bytes.Clone(body.Context), Client: from.Client, UserAgent: from.UserAgent, Hints: from.Hints,
		IP: clean.Keep(from.IP, s.cfg.Clean.IP),
	}
	if !body.SentAt.IsZero() {
		call.Sent = body.SentAt.UnixMilli()
	}
	return call
}

// callerOf is who sent a dead letter, as far as it was kept.
func callerOf(l *data.DeadLetter) Caller {
	from := Caller{
		Source: l.Source, Client: l.Call.Client, UserAgent: l.Call.UserAgent, Hints: l.Call.Hints,
		Again: true, Fast: clean.WasFast(l.Reason),
	}
	if network, err := netip.ParsePrefix(l.Call.IP); err == nil {
		from.IP = network.Addr()
	} else if addr, err := netip.ParseAddr(l.Call.IP); err == nil {
		from.IP = addr
	}
	return from
}

// Which says which dead letters are meant; its zero value means all.
type Which struct {
	Kind   string // of their reasons, such as plan.quarantine
	Reason string // a part of it
	Source string
	// From and Before bound when they came; the zero time does not.
	From, Before int64 // in Unix milliseconds; 0 is no bound
	// After and Until bound their numbers: greater than After, at most Until; 0 is no bound.
	After, Until uint64
}

// Has reports whether l is meant.
func (w Which) Has(l *data.DeadLetter) bool {
	at := l.At.UnixMilli()
	return (w.Kind == "" || l.Kind == w.Kind) && strings.Contains(l.Reason, w.Reason) && (w.Source == "" || l.Source == w.Source) &&
		(w.From == 0 || at >= w.From) && (w.Before == 0 || at < w.Before) &&
		l.Seq > w.After && (w.Until == 0 || l.Seq <= w.Until)
}
