package retrieve

import (
	"math/bits"
	"slices"

	"kindred/model/rank"
)

// Mask is a set of an index's rows, one bit each in the order of the scan. It
// belongs to the index that made it and to those that Append made from it, before or
// after: a row that came later is not in it. It is safe for concurrent reading.
type Mask struct {
	base   *base
	words  []uint64 // missing ones are zero
	packed *segment // the base's rows in it for themselves, or nil
}

// Mask lays the set out for the scan. Members that are no rows of the index are left
// out; nil gives the empty mask. Cost is O(n/64 + members). Keep it as long as the index.
func (x *Index) Mask(set *rank.Set) *Mask {
	m := &Mask{base: x.base, words: make([]uint64, x.positions()/64)}
	for _, row := range set.Rows() {
		if p := x.position(row); p >= 0 {
			m.words[p>>6] |= 1 << (p & 63)
		}
	}
	return m
}

// Has reports whether the row is in the mask.
func (m *Mask) Has(row int32) bool {
	if row < 0 {
		return false
	}
	p := m.base.groups()*group + int(row) - m.base.rows
	if int(row) < m.base.rows {
		p = int(m.base.place[row])
	}
	return m.at(p)
}

// at reports whether the row at a position is in.
func (m *Mask) at(position int) bool { return m.word(position>>6)>>(position&63)&1 == 1 }

// word is the rows of group g.
func (m *Mask) word(g int) uint64 {
	if g >= len(m.words) {
		return 0
	}
	return m.words[g]
}

// part is the words of the n groups from g on, without those that are missing.
func (m *Mask) part(g, n int) []uint64 {
	return m.words[min(g, len(m.words)):min(g+n, len(m.words))]
}

// Count is the number of rows in the mask. Cost is O(n/64).
func (m *Mask) Count() int {
	c := 0
	for _, w := range m.words {
		c += bits.OnesCount64(w)
	}
	return c
}

// Clone returns an independent copy, not packed.
func (m *Mask) Clone() *Mask { return &Mask{base: m.base, words: slices.Clone(m.words)} }

// Pack returns the mask with an index of its own rows: a query that asks for Only these
// reads no others, which makes a filter cheaper than none. It is worth its cost for sets that are
// asked for often, like categories, and returns m for one that has more than half of the rows. Cost is that
// of New for the rows in the mask, by one goroutine; memory d + 5 bytes for each of them. And, Or and AndNot
// unpack the mask that they change.
func (m *Mask) Pack() *Mask {
	b := m.base
	count := 0
	for g := range min(b.groups(), len(m.words)) {
		count += bits.OnesCount64(m.words[g])
	}
	if m.packed != nil || 2*count > b.rows {
		return m
	}
	s := &segment{rows: count, vectors: b.vectors, order: make([]int32, 0, count)}
	for g := range min(b.groups(), len(m.words)) {
		for w := m.words[g]; w != 0; w &= w - 1 {
			s.order = append(s.order, b.row(g*group+bits.TrailingZeros64(w)))
		}
	}
	if b.runs != nil {
		labels := make([]int32, len(s.order))
		for i, row := range s.order {
			labels[i] = b.runs.of[b.place[row]/group]
		}
		s.runs = cutRuns(labels)
	}
	b.lay(s, 1)
	return &Mask{base: b, words: slices.Clone(m.words), packed: s}
}

// And keeps only the rows that are also in o. Like Or and AndNot it changes m, which
// nobody may be reading, and panics when the masks belong to different indexes.
func (m *Mask) And(o *Mask) {
	m.change(o)
	for g := range m.words {
		m.words[g] &= o.word(g)
	}
}

// Or adds the rows of o.
func (m *Mask) Or(o *Mask) {
	m.change(o)
	if more := len(o.words) - len(m.words); more > 0 {
		m.words = append(m.words, make([]uint64, more)...)
	}
	for g, w := range o.words {
		m.words[g] |= w
	}
}

// AndNot takes out the rows of o.
func (m *Mask) AndNot(o *Mask) {
	m.change(o)
	for g := range m.words {
		m.words[g] &^= o.word(g)
	}
}

// change unpacks m, and panics unless both masks are laid out alike.
func (m *Mask) change(o *Mask) {
	m.packed = nil
	if m.base != o.base {
		panic("retrieve: masks of different indexes")
	}
}
