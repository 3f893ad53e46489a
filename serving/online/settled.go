package online

import (
	"sync"
	"sync/atomic"
)

// settled tells up to where in each partition everything that the fold made of records
// is folded, too: an identify leads to an absorb at the user's profile, an event that
// the index sent astray to a copy at another profile, and either may be sent on once more
// for each alias. What a record leads to is in the log before the record counts as folded.
// So where all partitions have folded what their logs held after that, everything is one
// hop further.
type settled struct {
	to []atomic.Int64 // by partition: what comes before is settled

	mu   sync.Mutex // guards what follows
	next []int64    // what to becomes
	ends []int64    // when these are folded, all before next is one hop further
	hop  int        // how many hops are waited for, 0: none
}

// hops is how often what a record led to may be sent on.
const hops = 4

func newSettled(partitions int) settled {
	return settled{to: make([]atomic.Int64, partitions), next: make([]int64, partitions), ends: make([]int64, partitions)}
}

// is reports whether the record at the position and all that it led to are folded.
func (s *settled) is(p Position) bool { return p.Offset < s.to[p.Partition].Load() }

// advance goes as far as it can without waiting.
func (s *settled) advance(folded, end func(partition int32) int64) {
	if !s.mu.TryLock() {
		return // somebody else does
	}
	defer s.mu.Unlock()
	for range hops + 1 {
		for p, end := range s.ends {
			if s.hop > 0 && folded(int32(p)) < end {
				return
			}
		}
		if s.hop == hops {
			for p, next := range s.next {
				s.to[p].Store(next)
			}
			s.hop = 0
		}
		if s.hop == 0 {
			for p := range s.next {
				s.next[p] = folded(int32(p))
			}
		}
		for p := range s.ends { // after all that was folded above
			s.ends[p] = end(int32(p))
		}
		s.hop++
	}
}
