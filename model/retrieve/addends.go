package retrieve

import (
	"math"

	"kindred/model/kernel"
)

// addends are the rows of a query that have an addend: they take no part in the scan.
// What their scores can be at most is known by norm and addend alone; some times as many as the answer has
// places are scored before the scan, the most promising ones, and afterwards those of the others that θ,
// which is then at its highest, does not exclude. The codes are of no use for them: a row's codes are spread over its
// group, and reading the group costs more than the row itself.
type addends struct {
	rows []addend
	left []uint64 // keys of reach and number in rows, the first have been scored
	done int
}

// addend is an allowed row with its addend.
type addend struct {
	row int32
	add float32
}

// takeOut collects the allowed rows that have an addend and leaves them out of the scan.
func (s *search) takeOut() {
	for i, row := range s.q.Rows {
		if p := s.passOver(row); p >= 0 && s.allowed(p) {
			add := s.q.Add[i]
			s.left = append(s.left, key(int32(len(s.addends.rows)), s.reachWith(row, p, add)))
			s.addends.rows = append(s.addends.rows, addend{row, add})
		}
	}
}

// promising scores the most promising rows: as many as the answer has places, or more where addends are bounds, which
// say less.
func (s *search) promising() {
	s.done = s.best.k
	if s.q.Score != nil {
		s.done *= 4
	}
	s.done = min(s.done, len(s.left))
	greatest(s.left, s.done)
	s.scoreAddends(s.left[:s.done])
}

// others scores the rows that promising left and θ does not exclude.
func (s *search) others() { s.scoreAddends(s.left[s.done:]) }

// reachWith is at least the exact score of the row at position p with an addend; +Inf where nothing is known.
func (s *search) reachWith(row int32, p int, add float32) float32 {
	b := s.x.base
	if !s.bounded || int(row) >= b.rows {
		return float32(math.Inf(1))
	}
	reach := s.longest(b.meta[p>>6*metaOfGroup+8+p>>4&3]) + float64(add)
	if reach += 1e-6 * math.Abs(reach); reach == reach { // a sum in float32 is at most the rounded exact one
		return float32(reach)
	}
	return float32(math.Inf(1))
}

// scoreAddends computes the exact scores of the rows behind the keys, a batch at a time,
// unless θ excludes them by then.
func (s *search) scoreAddends(keys []uint64) {
	n := 0
	flush := func() {
		kernel.DotRows(s.scores[:n], s.x.base.vectors, s.ids[:n], s.q.Vector)
		for i, row := range s.ids[:n] {
			s.rank(row, s.scores[i], s.extra[i])
		}
		s.stats.Rescored += n
		n = 0
	}
	for _, key := range keys {
		r := ranked(key)
		if r.Score < s.best.least() {
			continue
		}
		a := s.addends.rows[r.Row]
		if int(a.row) >= s.x.base.rows {
			s.rank(a.row, s.x.Score(s.q.Vector, a.row), a.add)
			s.stats.Rescored++
			continue
		}
		s.ids[n], s.extra[n] = a.row, a.add
		if n++; n == batch {
			flush()
		}
	}
	flush()
}
