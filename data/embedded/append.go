package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"kindred/data"
)

// maxGroupBytes bounds what one commit writes; it stays below half a memtable, from
// where on pebble gives a batch a table of its own.
const maxGroupBytes = 8 << 20

// recordOverhead is what a record costs in the queue beside its value.
const recordOverhead = 64

// errTooLarge is an append that no empty queue could hold.
var errTooLarge = errors.New("larger than the whole append queue; split it")

// Append writes the records to the ends of their partitions, in their order, and
// sets their offsets. It returns after they are on stable storage; they become
// readable together, or none does. Values are copied before Append waits.
//
// data.ErrOverloaded: the queue is full, nothing was written, try again later.
// When ctx ends first, the error wraps its cause: records that the writer had not
// yet taken are withdrawn and never appear, records that it had taken may or may
// not; which of the two is not told, so treat them as unknown and send them again
// (the fold drops duplicates by event id). Any other error but data.ErrClosed means
// that a write failed: see Err.
func (s *Store) Append(ctx context.Context, recs []data.Record) error {
	if len(recs) == 0 {
		return nil
	}
	if s.opt.StateOnly {
		return errors.New("append: the store was opened for state only and has no log")
	}
	a := &pending{recs: make([]data.Record, len(recs)), done: make(chan struct{})}
	size := 0
	for _, r := range recs {
		if _, err := s.partition(r.Partition); err != nil {
			return fmt.Errorf("append: %w", err)
		}
		size += len(r.Value)
	}
	values := make([]byte, 0, size)
	for i, r := range recs {
		n := len(values)
		values = append(values, r.Value...)
		a.recs[i] = data.Record{Partition: r.Partition, Value: values[n:len(values):len(values)]}
	}
	a.bytes = size + recordOverhead*len(recs)
	if err := s.submit(ctx, a); err != nil {
		return fmt.Errorf("append %d records: %w", len(recs), err)
	}
	for i := range recs {
		recs[i].Offset = a.recs[i].Offset
	}
	return nil
}

// AppendDead stores letters, in order, with the numbers it assigns to them, and
// returns after they are on stable storage. It shares Append's queue and errors.
func (s *Store) AppendDead(ctx context.Context, letters []data.DeadLetter) error {
	if len(letters) == 0 {
		return nil
	}
	a := &pending{dead: make([]data.DeadLetter, len(letters)), done: make(chan struct{})}
	for i, l := range letters {
		if y := l.At.UTC().Year(); y < 0 || y > 9999 { // must not fail later, among others' records
			return fmt.Errorf("append dead letter %d: its time is in year %d; use 0 to 9999", i, y)
		}
		l.Raw = append([]byte(nil), l.Raw...)
		a.bytes += len(l.Raw) + len(l.Reason) + recordOverhead
		if l.Call != nil {
			call := *l.Call
			call.Context = append([]byte(nil), call.Context...)
			a.bytes += len(call.Context) + len(call.UserAgent)
			l.Call = &call
		}
		a.dead[i] = l
	}
	if err := s.submit(ctx, a); err != nil {
		return fmt.Errorf("append %d dead letters: %w", len(letters), err)
	}
	for i := range letters {
		letters[i].Seq = a.dead[i].Seq
	}
	return nil
}

// submit queues a and waits for its commit.
func (s *Store) submit(ctx context.Context, a *pending) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.users.enter(); err != nil {
		return err
	}
	defer s.users.leave()
	if err := s.Err(); err != nil {
		return err
	}
	if err := s.queue.put(a); err != nil {
		return err
	}
	select {
	case <-a.done:
		return a.err
	case <-ctx.Done():
		s.queue.withdraw(a, ctx.Err())
		select {
		case <-a.done: // withdrawn, or committed in this very moment
			return a.err
		default:
			return ctx.Err()
		}
	}
}

// write is the one writer of the log. It returns when the queue is closed.
func (s *Store) write() {
	defer close(s.writer)
	for {
		group := s.queue.take(maxGroupBytes)
		if group == nil {
			return
		}
		err := s.writeGroup(group)
		s.queue.finish(group, err)
	}
}

// writeGroup commits a group of appends as one synced batch, then shows it.
func (s *Store) writeGroup(group []*pending) error {
	b := s.db.NewBatch()
	defer b.Close()
	ends := make(map[int32]int64)
	hasDead := false
	for _, a := range group {
		for i := range a.recs {
			r := &a.recs[i]
			end, ok := ends[r.Partition]
			if !ok {
				end = s.parts[r.Partition].durableEnd() // only this goroutine moves it
			}
			r.Offset = end
			ends[r.Partition] = end + 1
			if err := b.Set(s.keys.log(r.Partition, r.Offset), r.Value, nil); err != nil {
				return err
			}
		}
		hasDead = hasDead || len(a.dead) > 0
	}
	if hasDead {
		s.deadMu.Lock()
		defer s.deadMu.Unlock()
		for _, a := range group {
			if err := s.putDead(b, a.dead); err != nil {
				return err
			}
		}
	}
	if err := s.commit(b, true); err != nil {
		return err
	}
	for p, end := range ends {
		s.parts[p].advance(end)
	}
	return nil
}

// putDead numbers letters and adds them to a batch. The caller holds deadMu until
// the batch is committed, so that a reader who pages by number misses none.
func (s *Store) putDead(b setter, letters []data.DeadLetter) error {
	for i := range letters {
		s.deadSeq++
		letters[i].Seq = s.deadSeq
		letters[i].At = letters[i].At.UTC()
		v, err := json.Marshal(letters[i])
		if err != nil {
			return fmt.Errorf("dead letter: %w", err)
		}
		if err := b.Set(s.keys.dead(s.deadSeq), v, nil); err != nil {
			return err
		}
	}
	return nil
}

// pending is one append on its way to the disk.
type pending struct {
	recs  []data.Record
	dead  []data.DeadLetter
	bytes int
	err   error
	done  chan struct{} // closed once err is set
}

func (a *pending) records() int { return len(a.recs) + len(a.dead) }

// queue is the bounded queue in front of the writer. Its bounds count everything
// accepted and not yet committed.
type queue struct {
	maxRecords, maxBytes int

	mu             sync.Mutex
	arrived        sync.Cond
	waiting        []*pending
	records, bytes int
	closed         bool
}

func newQueue(maxRecords, maxBytes int) *queue {
	q := &queue{maxRecords: maxRecords, maxBytes: maxBytes}
	q.arrived.L = &q.mu
	return q
}

func (q *queue) put(a *pending) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return data.ErrClosed
	case a.records() > q.maxRecords || a.bytes > q.maxBytes:
		return fmt.Errorf("%d bytes, at most %d records and %d bytes: %w", a.bytes, q.maxRecords, q.maxBytes, errTooLarge)
	case q.records+a.records() > q.maxRecords || q.bytes+a.bytes > q.maxBytes:
		return fmt.Errorf("%d records and %d bytes are waiting, at most %d and %d may: %w",
			q.records, q.bytes, q.maxRecords, q.maxBytes, data.ErrOverloaded)
	}
	q.records += a.records()
	q.bytes += a.bytes
	q.waiting = append(q.waiting, a)
	q.arrived.Signal()
	return nil
}

// take blocks until there is something to write and returns as much of it as fits,
// at least one append; nil once the queue is closed.
func (q *queue) take(maxBytes int) []*pending {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) == 0 && !q.closed {
		q.arrived.Wait()
	}
	if q.closed {
		return nil
	}
	n, bytes := 1, q.waiting[0].bytes
	for n < len(q.waiting) && bytes+q.waiting[n].bytes <= maxBytes {
		bytes += q.waiting[n].bytes
		n++
	}
	group := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	return group
}

// finish tells the appends of a group how it went.
func (q *queue) finish(group []*pending, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, a := range group {
		q.settle(a, err)
	}
}

// withdraw takes a out of the queue and settles it, if the writer has not taken it.
func (q *queue) withdraw(a *pending, cause error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, w := range q.waiting {
		if w == a {
			// A new slice: the writer's group shares the old one's array.
			q.waiting = append(append([]*pending(nil), q.waiting[:i]...), q.waiting[i+1:]...)
			q.settle(a, cause)
			return
		}
	}
}

// close fails what is waiting and lets take return.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, a := range q.waiting {
		q.settle(a, data.ErrClosed)
	}
	q.waiting = nil
	q.arrived.Broadcast()
}

func (q *queue) settle(a *pending, err error) {
	q.records -= a.records()
	q.bytes -= a.bytes
	a.err = err
	close(a.done)
}
