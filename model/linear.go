package model

import "math"

// What follows are capabilities: a scorer that has one tells more about its scores
// than Score does, so that a blend of such scorers finds its best rows without
// scoring every item (package model/hybrid). A capability never changes a score:
// modeltest holds each against Score.

// Linear is a Scorer whose score of item i is q·v_i with fixed item vectors v (n×f
// row-major, read-only) and a query q of the person's.
type Linear interface {
	Scorer
	// Vectors returns the item vectors, row-major, and their length f.
	Vectors() (v []float32, f int)
	// Query writes q, of length f, for h and reports false for a cold person (then
	// q is zero), as Score would.
	Query(h History, q []float32) bool
}

// Sparse is a Scorer whose score is zero outside the few rows that a history touches.
type Sparse interface {
	Scorer
	// ScoreSparse adds the scores of h to into, which has Items rows or more, in a
	// fixed order, and reports what Score would.
	ScoreSparse(h History, into *SparseScores) bool
}

// Deferred is a Sparse scorer whose histories can touch most rows, but which can
// tell the moments of its scores, and a bound for those it has not computed,
// without touching them.
type Deferred interface {
	Sparse
	// Prepare builds what Ask needs beside the scorer, once; it may take a while and
	// memory. Ask does it itself otherwise.
	Prepare()
	// Ask adds a part of the scores to into, which is zero: rows that were appended to the fitted
	// ones have all of theirs, up to rounding. Of the others the Opinion's Rest and More say what is left. Scores and their
	// parts are 0 or more. It returns nil, with nothing added, where h is cold or ScoreSparse is cheap. h is not kept.
	Ask(h History, into *SparseScores) Opinion
}

// Opinion is what a Deferred scorer says about one history. It is not safe for
// concurrent use.
type Opinion interface {
	// Moments are the mean and the population variance of the scores of all rows.
	Moments() (mean, variance float64)
	// Rest bounds the scores of the fitted rows that were not touched from above.
	Rest() float64
	// More bounds what was left out of the rows that were touched.
	More() float64
	// Left is what was left out of a row, up to rounding: of one that was not touched, or, where More is above 0, of any.
	Left(row int32) float64
	// Most bounds the scores of all rows from above.
	Most() float64
	// Score is any row's score: what counts where into, when it is complete, differs from it by rounding.
	Score(row int32) float64
	// Complete adds to into, as Ask left it, all that it left out. Rest and More are 0 then.
	Complete(into *SparseScores)
	// Release gives its memory back for the next person's.
	Release()
}

// Constant is a Scorer that says the same to everybody.
type Constant interface {
	Scorer
	// Constant returns one score a row, read-only: what Score writes for any history.
	// Score must report true for all of them, unless there are no items.
	Constant() []float32
}

// SparseScores is a sparse vector over n rows: adding to a row is O(1), starting
// again O(rows touched). Sums are float32 in the order of the additions, as in a
// dense vector. It is not safe for concurrent use. Memory is 4 n + n/8 bytes.
type SparseScores struct {
	sums []float32 // undefined for rows that are not in
	in   []uint64  // one bit a row
	rows []int32
	full int   // rows below it were all touched, by Fill; rows does not list them
	near int32 // of Fetch: what it read
}

// NewSparseScores returns the zero vector over n rows.
func NewSparseScores(n int) *SparseScores {
	return &SparseScores{sums: make([]float32, n), in: make([]uint64, (n+63)/64)}
}

// Add adds x to the row, which counts as touched even where x is 0.
func (s *SparseScores) Add(row int32, x float32) {
	if word, bit := &s.in[uint32(row)>>6], uint64(1)<<(uint32(row)&63); *word&bit == 0 {
		*word |= bit
		s.sums[row] = x
		s.rows = append(s.rows, row)
		return
	}
	s.sums[row] += x
}

// Fetch brings lists that AddScaled is about to read into the caches: it reads one number of each line, and none
// waits for another, as they do where the additions are between them.
func (s *SparseScores) Fetch(rows []int32, x []float32) {
	const line = 64 / 4
	x = x[:len(rows)]
	near := s.near
	for i := 0; i < len(rows); i += line {
		near ^= rows[i] ^ int32(math.Float32bits(x[i]))
	}
	s.near = near
}

// AddScaled adds w·x[i] to rows[i] for every i, as so many calls of Add would.
func (s *SparseScores) AddScaled(rows []int32, w float32, x []float32) {
	x = x[:len(rows)]
	sums, in, touched := s.sums, s.in, s.rows
	if s.full > 0 {
		sums = sums[:s.full]
		for i, row := range rows {
			sums[row] += w * x[i]
		}
		return
	}
	for i, row := range rows {
		add := w * x[i]
		if word, bit := &in[uint32(row)>>6], uint64(1)<<(uint32(row)&63); *word&bit == 0 {
			*word |= bit
			sums[row] = add
			touched = append(touched, row)
			continue
		}
		sums[row] += add
	}
	s.rows = touched
}

// Fill touches all rows below n with the sum 0; only they may be added to until the
// next Reset. The vector has to be zero. Adding costs less then: it is for those that touch most rows.
func (s *SparseScores) Fill(n int) {
	s.full = n
	clear(s.sums[:n])
	for i := range s.in[:n/64] {
		s.in[i] = ^uint64(0)
	}
	if n%64 != 0 {
		s.in[n/64] = 1<<(n%64) - 1
	}
}

// Full is the number of rows that Fill touched, 0 without it.
func (s *SparseScores) Full() int { return s.full }

// Touched is the number of rows touched: the length of Rows.
func (s *SparseScores) Touched() int { return max(s.full, len(s.rows)) }

// Rows are the touched rows in the order of their first addition, each once. They
// are valid until the next call of Add, AddScaled or Reset; do not change them. After Fill
// they are listed first: O(n).
func (s *SparseScores) Rows() []int32 {
	for row := int32(len(s.rows)); int(row) < s.full; row++ {
		s.rows = append(s.rows, row)
	}
	return s.rows
}

// At is the row's sum, 0 for a row that was not touched.
func (s *SparseScores) At(row int32) float32 {
	if !s.Has(row) {
		return 0
	}
	return s.sums[row]
}

// Has reports whether the row was touched.
func (s *SparseScores) Has(row int32) bool { return s.in[uint32(row)>>6]>>(uint32(row)&63)&1 == 1 }

// Bits is the vector by row: row r was touched where bit r&63 of in[r>>6] is set, and
// its sum is sums[r] then. Both are read-only and valid until the next call of Reset.
func (s *SparseScores) Bits() (in []uint64, sums []float32) { return s.in, s.sums }

// Len is n, the number of rows the vector can hold.
func (s *SparseScores) Len() int { return len(s.sums) }

// Reset makes the vector zero.
func (s *SparseScores) Reset() {
	if s.full > 0 {
		clear(s.in[:(s.full+63)/64])
		s.full, s.rows = 0, s.rows[:0]
		return
	}
	for _, row := range s.rows {
		s.in[uint32(row)>>6] = 0
	}
	s.rows = s.rows[:0]
}
