package rank

import (
	"math/bits"
	"slices"
)

// Set is a set of rows in [0, n), one bit each. The zero value and nil hold nothing.
type Set struct {
	n     int
	words []uint64
}

// NewSet returns an empty set for rows in [0, n).
func NewSet(n int) *Set {
	return &Set{n: n, words: make([]uint64, (n+63)/64)}
}

// SetOf returns a set for rows in [0, n) that holds the given ones; rows outside are left out.
func SetOf(n int, rows []int32) *Set {
	s := NewSet(n)
	for _, row := range rows {
		if row >= 0 && int(row) < n {
			s.Add(row)
		}
	}
	return s
}

// Len is n: the rows that the set can hold are [0, n).
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return s.n
}

// Add puts row into the set; a row outside [0, n) panics.
func (s *Set) Add(row int32) {
	if int(row) >= s.n {
		panic("rank: Set.Add outside the set's range")
	}
	s.words[row>>6] |= 1 << (row & 63)
}

// Remove takes row out of the set; a row outside [0, n) is not in it anyway.
func (s *Set) Remove(row int32) {
	if row >= 0 && int(row) < s.n {
		s.words[row>>6] &^= 1 << (row & 63)
	}
}

// Has reports whether row is in the set; false for every row outside [0, n).
func (s *Set) Has(row int32) bool {
	return s != nil && row >= 0 && int(row) < s.n && s.words[row>>6]>>(row&63)&1 == 1
}

// Count is the number of rows in the set.
func (s *Set) Count() int {
	if s == nil {
		return 0
	}
	c := 0
	for _, w := range s.words {
		c += bits.OnesCount64(w)
	}
	return c
}

// Clone returns an independent copy.
func (s *Set) Clone() *Set {
	if s == nil {
		return NewSet(0)
	}
	return &Set{n: s.n, words: slices.Clone(s.words)}
}

// And keeps only the rows that are also in o.
func (s *Set) And(o *Set) {
	for i := range s.words {
		s.words[i] &= o.word(i)
	}
}

// Or adds the rows of o that lie in s's range.
func (s *Set) Or(o *Set) {
	for i := range s.words {
		s.words[i] |= o.word(i)
	}
	s.trim()
}

// AndNot takes out the rows that are in o.
func (s *Set) AndNot(o *Set) {
	for i := range s.words {
		s.words[i] &^= o.word(i)
	}
}

// Fill puts every row of [0, n) into the set.
func (s *Set) Fill() {
	for i := range s.words {
		s.words[i] = ^uint64(0)
	}
	s.trim()
}

// Rows returns the rows in the set, ascending.
func (s *Set) Rows() []int32 {
	rows := make([]int32, 0, s.Count())
	if s == nil {
		return rows
	}
	for i, w := range s.words {
		for ; w != 0; w &= w - 1 {
			rows = append(rows, int32(i<<6+bits.TrailingZeros64(w)))
		}
	}
	return rows
}

// word is the i-th 64 rows, zero beyond the end.
func (s *Set) word(i int) uint64 {
	if s == nil || i >= len(s.words) {
		return 0
	}
	return s.words[i]
}

// trim clears the bits beyond n in the last word.
func (s *Set) trim() {
	if tail := s.n & 63; tail != 0 {
		s.words[len(s.words)-1] &= 1<<tail - 1
	}
}
