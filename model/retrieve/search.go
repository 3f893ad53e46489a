package retrieve

import (
	"math"
	"math/bits"
	"slices"
)

const (
	// firstGroups, leastGroups and mostGroups bound the groups of a step: θ rises between steps.
	firstGroups, leastGroups, mostGroups = 8, 8, 128
	// batch is how many exact scores are computed together.
	batch = 64
	// A step that allows fewer than one row in directShare is scored directly: reading the codes of all
	// its rows would cost more. A row of a table that does not fit the caches (cached bytes) costs more.
	directShare, directShareFar = 10, 24
	cached                      = 64 << 20
	// fewLeft is the greatest number of rows of a group that are scored directly.
	fewLeft = 1
	// mostBlunt bounds the steps that do without the first part after it was of no use.
	mostBlunt = 3
)

// search is the state of one query, kept in a pool.
type search struct {
	x *Index
	q Query
	prepared
	best  best
	stats Stats

	addends
	visit  visit
	out    []uint64           // rows to pass over, by position; zero between queries
	words  [mostGroups]uint64 // allowed rows of a step
	items  [mostGroups * group]int32
	dots   [mostGroups * group]int32
	keys   []uint64 // candidates of a step by their reach
	ids    [batch]int32
	scores [batch]float32
	extra  [batch]float32 // addends
	direct bool
	share  int // directShare or directShareFar
	read   int // allowed rows met so far
	// steps for which the first part of the codes is not tried any more, and were not last time
	blunt, blunted int
}

// begin makes the scratch ready for a query.
func (s *search) begin(x *Index, q Query, k int) {
	s.x, s.q = x, q
	s.prepare(x.base, q.Vector)
	s.bounded = s.bounded && q.Else-q.Else == 0
	s.best.k, s.best.heap = k, slices.Grow(s.best.heap[:0], k)
	s.best.floor = float32(math.Inf(-1))
	if q.Least != nil && *q.Least == *q.Least {
		s.best.floor = *q.Least
	}
	s.addends.rows, s.addends.left = s.addends.rows[:0], s.addends.left[:0]
	s.stats, s.direct, s.read, s.blunt, s.blunted = Stats{Rows: x.Len()}, false, 0, 0, 0
	if s.share = directShare; 4*len(x.base.vectors) > cached {
		s.share = directShareFar
	}
	if n := x.positions() / 64; len(s.out) < n {
		s.out = make([]uint64, n)
	}
	for _, row := range q.Seen {
		s.passOver(row)
	}
}

// passOver leaves the row out of the scan and returns its position, or −1 if it is not
// there or was left out before.
func (s *search) passOver(row int32) int {
	p := s.x.position(row)
	if p < 0 || s.out[p>>6]>>(p&63)&1 == 1 {
		return -1
	}
	s.out[p>>6] |= 1 << (p & 63)
	return p
}

// finish cleans the scratch and returns the stats.
func (s *search) finish() Stats {
	if words := s.x.positions() / 64; 16*(len(s.q.Seen)+len(s.q.Rows)) > words {
		clear(s.out[:words])
	} else {
		for _, rows := range [2][]int32{s.q.Seen, s.q.Rows} {
			for _, row := range rows {
				if p := s.x.position(row); p >= 0 {
					s.out[p>>6] = 0
				}
			}
		}
	}
	switch {
	case !s.bounded:
		s.stats.Fallback = Exact
	case s.direct:
		s.stats.Fallback = Direct
	case s.stats.Scanned > s.stats.Rows*6/10 && s.stats.Rescored > 10*s.best.k:
		s.stats.Fallback = Flat
	}
	s.x, s.q = nil, Query{}
	return s.stats
}

// allowed reports whether the masks allow a position.
func (s *search) allowed(position int) bool {
	if s.q.Only != nil && !s.q.Only.at(position) {
		return false
	}
	for _, h := range s.q.Hide {
		if h != nil && h.at(position) {
			return false
		}
	}
	return true
}

// segment searches the rows of seg, whose groups begin with number first in the
// order of the scan.
func (s *search) segment(seg *segment, first int) {
	if seg.runs != nil && s.bounded {
		s.runs(seg, first)
		return
	}
	s.between(seg, first, 0, (seg.rows+group-1)/group)
}

// between searches the groups [at, end) of seg.
func (s *search) between(seg *segment, first, at, end int) {
	for at < end && !s.spent() {
		if seg.longest != nil && s.bounded && s.best.demanding() {
			if end = s.stop(seg, at, end); at >= end {
				return
			}
		}
		n := min(s.step(), end-at)
		if whole := seg.groups(); at < whole { // the tail's last rows are not quantised
			n = min(n, whole-at)
		}
		allowed := s.fill(seg, first, at, n)
		if s.visit.linear {
			allowed -= s.passOverRuns(seg, at, n)
		}
		switch {
		case allowed == 0:
		case !s.bounded || at >= seg.groups():
			s.exact(seg, at, n)
		case allowed*s.share < n*group:
			s.direct = true
			s.exact(seg, at, n)
		default:
			s.scan(seg, at, n)
		}
		s.read += allowed
		at += n
	}
}

// dotLeast is θ for the inner product of a row without an addend of its own: one that is lower
// cannot reach θ with Else, whichever way that sum is rounded. It is finite or −Inf, since an infinite score is that of a
// row with a finite bound, rounded.
func (s *search) dotLeast() float64 {
	least := min(float64(s.best.least()), math.MaxFloat32)
	if s.q.Else == 0 || math.IsInf(least, 0) {
		return least
	}
	return least - float64(s.q.Else) - math.Abs(least)*unit - 1e-38
}

// step is how many groups to look at before θ is used again: few while it still rises.
func (s *search) step() int {
	if !s.best.demanding() {
		return max(firstGroups, min(4*s.best.k/group, mostGroups))
	}
	return max(leastGroups, min(s.read/(2*group), mostGroups))
}

// stop is the first group in [at, end) whose rows are all too short to matter.
func (s *search) stop(seg *segment, at, end int) int {
	least := s.dotLeast()
	for at < end {
		middle := int(uint(at+end) >> 1)
		if s.longest(seg.longest[middle]) < least {
			end = middle
		} else {
			at = middle + 1
		}
	}
	return end
}

// fill sets the words of the n groups from at on and returns how many rows they allow.
func (s *search) fill(seg *segment, first, at, n int) (allowed int) {
	words, from := s.words[:n], first+at
	if !seg.masked {
		return s.fillPacked(seg, at, n)
	}
	out := s.out[from : from+n]
	if s.q.Only != nil {
		only := s.q.Only.part(from, n)
		clear(words[len(only):])
		for i, w := range only {
			words[i] = w &^ out[i]
		}
	} else {
		for i, w := range out {
			words[i] = ^w
		}
	}
	for _, h := range s.q.Hide {
		if h != nil {
			for i, w := range h.part(from, n) {
				words[i] &^= w
			}
		}
	}
	if rest := seg.rows - (at+n-1)*group; rest < group {
		words[n-1] &= 1<<rest - 1
	}
	for _, w := range words {
		allowed += bits.OnesCount64(w)
	}
	return allowed
}

// fillPacked is fill for rows that are not where the masks say: they are looked up one
// by one while the answer has places left, later only those that the bound leaves.
func (s *search) fillPacked(seg *segment, at, n int) int {
	allowed := min(n*group, seg.rows-at*group)
	for i := range s.words[:n] {
		s.words[i] = ^uint64(0)
	}
	if rest := allowed - (n-1)*group; rest < group {
		s.words[n-1] = 1<<rest - 1
	}
	if !s.best.full() {
		for i := range allowed {
			if s.excluded(seg.row(at*group + i)) {
				s.words[i/group] &^= 1 << (i % group)
				allowed--
			}
		}
	}
	return allowed
}

// excluded reports whether the query leaves out a row of the base.
func (s *search) excluded(row int32) bool {
	p := int(s.x.base.place[row])
	if s.out[p>>6]>>(p&63)&1 == 1 {
		return true
	}
	for _, h := range s.q.Hide {
		if h != nil && h.at(p) {
			return true
		}
	}
	return false
}
