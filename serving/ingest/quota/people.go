package quota

import "sync"

// ways is how many people share a set of the table.
const ways = 8

// people is a table of fixed size from a person's hash to two numbers.
type people struct {
	mask uint64
	sets []set
}

type set struct {
	mu    sync.Mutex
	slots [ways]slot
}

// slot is one person. The zero value is nobody, and the same as somebody with full buckets.
type slot struct {
	key  uint64
	full Instant // the bucket is full again
	more uint64  // the hard bucket's Instant, or the user's hash
}

// newPeople returns a table of at least n people.
func newPeople(n int) *people {
	size := 1
	for size*ways < n {
		size *= 2
	}
	return &people{mask: uint64(size - 1), sets: make([]set, size)}
}

// lock returns the person's set, locked.
func (p *people) lock(key uint64) *set {
	s := &p.sets[key&p.mask]
	s.mu.Lock()
	return s
}

// of is the person's slot: the one it has, or the one that loses least by being
// forgotten, emptied. until says when a slot's buckets are full again.
func (s *set) of(key uint64, until func(*slot) Instant) *slot {
	least := &s.slots[0]
	for i := range s.slots {
		found := &s.slots[i]
		if found.key == key {
			return found
		}
		if found.key == 0 || least.key != 0 && until(found) < until(least) {
			least = found
		}
	}
	*least = slot{key: key}
	return least
}

// known is the person's slot if it has one.
func (s *set) known(key uint64) *slot {
	for i := range s.slots {
		if s.slots[i].key == key {
			return &s.slots[i]
		}
	}
	return nil
}
