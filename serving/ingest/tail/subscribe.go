package tail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// ErrTooMany says that as many follow as may; try again later.
var ErrTooMany = errors.New("tail: as many follow as may")

// Subscription is one follower of the tail. Close it.
type Subscription struct {
	tail    *Tail
	filter  traits
	news    chan struct{} // holds one: there is something to read
	until   atomic.Int64  // milliseconds since 1970 from which on it wants nothing
	sampled atomic.Uint64 // events that it wanted and that were above the rate

	// Guarded by backlog.mu:
	next   uint64 // sequence number of the next entry to look at
	missed uint64 // events that it wanted and that the ring lost since it was told
}

const forever = math.MaxInt64

// Subscribe follows the events that f lets through, from now on; or from where
// a subscription ended whose last id is given, as far as the backlog holds. An
// id that this process did not give means all of the backlog. The error is ErrTooMany.
func (t *Tail) Subscribe(f Filter, lastID string) (*Subscription, error) {
	t.joining.Lock()
	defer t.joining.Unlock()
	now := t.now().UnixMilli()
	var staying []*Subscription
	active := 0
	for _, s := range *t.subscribers.Load() {
		switch until := s.until.Load(); {
		case until == forever:
			active++
			fallthrough
		case until > now:
			staying = append(staying, s)
		}
	}
	if active >= t.cfg.MaxSubscribers {
		return nil, ErrTooMany
	}
	if spare := len(staying) - active - t.cfg.MaxSubscribers; spare >= 0 { // the longest gone make room
		staying = dropGone(staying, spare+1)
	}
	s := &Subscription{tail: t, filter: t.wanted(f), news: make(chan struct{}, 1)}
	s.until.Store(forever)
	t.backlog.mu.Lock()
	s.next = t.backlog.next
	if lastID != "" {
		s.next = t.backlog.oldest()
		if seq, ok := t.sequence(lastID); ok && seq < t.backlog.next {
			s.next = max(s.next, seq+1)
		}
		s.news <- struct{}{}
	}
	t.backlog.mu.Unlock()
	staying = append(staying, s)
	t.subscribers.Store(&staying)
	t.live.Store(forever)
	return s, nil
}

// dropGone is the list without the first n that went away.
func dropGone(list []*Subscription, n int) []*Subscription {
	var out []*Subscription
	for _, s := range list {
		if n > 0 && s.until.Load() != forever {
			n--
			continue
		}
		out = append(out, s)
	}
	return out
}

// Close ends the subscription. What it wanted is kept for Config.Linger, in case it comes back.
func (s *Subscription) Close() {
	t := s.tail
	t.joining.Lock()
	defer t.joining.Unlock()
	if s.until.Load() != forever {
		return
	}
	s.until.Store(t.now().Add(t.cfg.Linger).UnixMilli())
	live := int64(0)
	for _, other := range *t.subscribers.Load() {
		live = max(live, other.until.Load())
	}
	t.live.Store(live)
}

// maxWrite is about how many bytes are written at once.
const maxWrite = 64 << 10

// Stream writes what the subscription sees to w as server-sent events until ctx
// ends, which is nil, or a write fails. flush is called behind every write; a failed one ends
// the stream as a failed write does. The events are called event, refusal and missed.
func (s *Subscription) Stream(ctx context.Context, w io.Writer, flush func() error) error {
	heartbeat := time.NewTicker(s.tail.cfg.Heartbeat)
	defer heartbeat.Stop()
	out := []byte("retry: 2000\n: following\n\n")
	for {
		if len(out) > 0 {
			if _, err := w.Write(out); err != nil {
				return fmt.Errorf("write events: %w", err)
			}
			if err := flush(); err != nil {
				return fmt.Errorf("flush events: %w", err)
			}
			heartbeat.Reset(s.tail.cfg.Heartbeat)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.news:
			var missed uint64
			var more bool
			if out, missed, more = s.tail.backlog.read(out[:0], s, maxWrite); more {
				select {
				case s.news <- struct{}{}:
				default:
				}
			}
			out = appendMissed(out, missed, s.sampled.Swap(0))
		case <-heartbeat.C:
			out = appendMissed(append(out[:0], ": still here\n\n"...), 0, s.sampled.Swap(0))
		}
	}
}

// appendSSE appends an entry as a server-sent event. Its JSON is one line.
func appendSSE(dst []byte, epoch string, e *entry) []byte {
	dst = append(append(append(dst, "id: "...), epoch...), '-')
	dst = strconv.AppendUint(dst, e.seq, 10)
	if e.of.refused {
		dst = append(dst, "\nevent: refusal\ndata: "...)
	} else {
		dst = append(dst, "\nevent: event\ndata: "...)
	}
	return append(append(dst, e.json...), "\n\n"...)
}

// appendMissed tells how many events the subscriber wanted and did not get: because
// it reads too slowly, or because there were too many a second.
func appendMissed(dst []byte, slow, sampled uint64) []byte {
	if slow == 0 && sampled == 0 {
		return dst
	}
	return fmt.Appendf(dst, "event: missed\ndata: {\"slow\":%d,\"sampled\":%d}\n\n", slow, sampled)
}

func epochOf(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 36) }

// sequence is the sequence number in an id of this process.
func (t *Tail) sequence(id string) (uint64, bool) {
	number, ok := strings.CutPrefix(id, t.epoch+"-")
	seq, err := strconv.ParseUint(number, 10, 64)
	return seq, ok && err == nil
}
