package tail

import "sync"

// backlog is the ring that all subscribers read, each from its own place.
type backlog struct {
	mu   sync.Mutex
	ring []entry
	next uint64 // sequence number of the next entry; the first is 1
}

type entry struct {
	seq  uint64
	of   traits
	json []byte // used again
}

func newBacklog(size int) *backlog { return &backlog{ring: make([]entry, size), next: 1} }

// oldest is the sequence number of the oldest entry.
func (b *backlog) oldest() uint64 {
	if n := uint64(len(b.ring)); b.next > n {
		return b.next - n
	}
	return 1
}

// put appends an event, in the place of the oldest: a subscriber that has not read
// that one misses it.
func (b *backlog) put(of *traits, json []byte, subscribers []*Subscription) {
	b.mu.Lock()
	place := &b.ring[b.next%uint64(len(b.ring))]
	for _, s := range subscribers {
		if place.seq > 0 && s.next <= place.seq && s.filter.lets(&place.of) {
			s.missed++
		}
	}
	place.seq, place.of, place.json = b.next, *of, append(place.json[:0], json...)
	b.next++
	b.mu.Unlock()
	for _, s := range subscribers {
		if s.filter.lets(of) {
			select {
			case s.news <- struct{}{}:
			default: // it knows already
			}
		}
	}
}

// read appends what the subscriber has not read, of at most about limit bytes, to dst
// as server-sent events, and reports how many it missed and whether there is more.
func (b *backlog) read(dst []byte, s *Subscription, limit int) (out []byte, missed uint64, more bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.next = max(s.next, b.oldest())
	for ; s.next < b.next && len(dst) < limit; s.next++ {
		e := &b.ring[s.next%uint64(len(b.ring))]
		if s.filter.lets(&e.of) {
			dst = appendSSE(dst, s.tail.epoch, e)
		}
	}
	missed, s.missed = s.missed, 0
	return dst, missed, s.next < b.next
}
