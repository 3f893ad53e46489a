package retrieve

import (
	"math/bits"

	"kindred/model/kernel"
)

// exact scores every allowed row of the n groups from at on.
func (s *search) exact(seg *segment, at, n int) {
	filled := 0
	for i, w := range s.words[:n] {
		for ; w != 0; w &= w - 1 {
			filled = s.put(seg, (at+i)*group+bits.TrailingZeros64(w), filled)
		}
	}
	s.rescore(seg, filled)
}

// put adds the row at a position to the batch, of which so many places are filled, and
// scores a batch that is full. It returns how many are filled then.
func (s *search) put(seg *segment, position, filled int) int {
	row := seg.row(position)
	if !seg.masked && s.excluded(row) {
		return filled
	}
	s.ids[filled] = row
	if filled++; filled == batch {
		s.rescore(seg, filled)
		filled = 0
	}
	return filled
}

// rescore computes the exact scores of the first n of s.ids.
func (s *search) rescore(seg *segment, n int) {
	s.stats.Rescored += n
	kernel.DotRows(s.scores[:n], seg.vectors, s.ids[:n], s.q.Vector)
	shift := int32(0)
	if seg == &s.x.tail.segment {
		shift = int32(s.x.base.rows)
	}
	for i, row := range s.ids[:n] {
		s.rank(row+shift, s.scores[i], s.q.Else)
	}
}

// rank considers a row by its product and its addend, or the bound of that.
func (s *search) rank(row int32, product, add float32) {
	score := product + add
	if s.q.Score != nil {
		least := s.best.least()
		if score < least { // with the addend it is no higher, since rounding is monotonic
			return
		}
		s.stats.Asked++
		score = s.q.Score(row, product, least)
	}
	s.best.add(row, score)
}

// spent reports whether more rows were asked for than may be.
func (s *search) spent() bool { return s.q.Most > 0 && s.stats.Asked > s.q.Most }

// scan reads the codes of the n groups from at on and rescores what the bound leaves.
func (s *search) scan(seg *segment, at, n int) {
	d, split := s.x.base.d, s.x.base.split
	words, c := s.words[:n], seg.from(at, split, d)
	visited := filled(words)
	s.stats.Scanned += visited * group
	if split < d && s.best.demanding() {
		if s.blunt > 0 {
			s.blunt--
		} else {
			s.scanHead(seg, c, at, n)
			s.few(seg, at, n)
			left := filled(words)
			if left*16 > visited*15 {
				s.blunted = min(2*s.blunted+1, mostBlunt)
				s.blunt = s.blunted
			} else {
				s.blunted = 0
			}
			visited = left
		}
	}
	s.stats.Finished += visited * group
	found := s.find(c, n)
	s.stats.Survivors += found
	if room := s.best.k - len(s.best.heap); room > 0 && found > room {
		s.first(seg, at, n, found, room)
		return
	}
	s.rest(seg, at, found)
}

// find reads the codes of the allowed rows of the first n groups of c.
func (s *search) find(c codes, n int) int {
	return kernel.Scan(s.items[:], s.dots[:], c.heads, c.tails, c.meta, s.words[:n], s.codes, s.x.base.split, s.bound(float32(s.dotLeast())))
}

// filled is the number of words with a bit.
func filled(words []uint64) (n int) {
	for _, w := range words {
		if w != 0 {
			n++
		}
	}
	return n
}

// few rescores the rows of groups in which the first part of the codes left but few, and takes them
// out: that costs less than the rest of the group's codes.
func (s *search) few(seg *segment, at, n int) {
	filled := 0
	for i, w := range s.words[:n] {
		if w == 0 || bits.OnesCount64(w) > fewLeft {
			continue
		}
		for ; w != 0; w &= w - 1 {
			filled = s.put(seg, (at+i)*group+bits.TrailingZeros64(w), filled)
		}
		s.words[i] = 0
	}
	s.rescore(seg, filled)
}

// reachOf is the highest score of a survivor.
func (s *search) reachOf(meta []float32, i int) float64 {
	item := int(s.items[i])
	return s.reach(meta[item/group*metaOfGroup:], item>>4&3, s.dots[i])
}

// rest rescores the first n survivors, a batch at a time, if θ still allows.
func (s *search) rest(seg *segment, at, n int) {
	filled := 0
	for i := range n {
		filled = s.consider(seg, at, i, filled)
	}
	s.rescore(seg, filled)
}

// first is for a heap that has room left: the n survivors are all that is allowed, of which the
// most promising fill it. That makes a good θ at once, with which the groups are scanned again for the others.
func (s *search) first(seg *segment, at, groups, n, room int) {
	c := seg.from(at, s.x.base.split, s.x.base.d)
	s.keys = s.keys[:0]
	for i, item := range s.items[:n] {
		about := float32(s.dots[i]) / c.meta[int(item)/group*metaOfGroup+int(item)>>4&3] // up to the query's scale
		s.keys = append(s.keys, key(int32(i), about))
	}
	greatest(s.keys, room)
	filled := 0
	for _, key := range s.keys[:room] {
		item := int(s.items[ranked(key).Row])
		s.words[item/group] &^= 1 << (item % group)
		filled = s.put(seg, at*group+item, filled)
	}
	s.rescore(seg, filled)
	s.rest(seg, at, s.find(c, groups))
}

// consider puts survivor i into the batch unless θ excludes it by now.
func (s *search) consider(seg *segment, at, i, filled int) int {
	if s.reachOf(seg.meta[at*metaOfGroup:], i) < s.dotLeast() {
		return filled
	}
	return s.put(seg, at*group+int(s.items[i]), filled)
}
