package data

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
)

// profileWriter appends the parts of a profile to b; last is LastSeen.
type profileWriter struct {
	b    []byte
	last int64
}

func (w *profileWriter) uint(v uint64)   { w.b = binary.AppendUvarint(w.b, v) }
func (w *profileWriter) int(v int64)     { w.b = binary.AppendVarint(w.b, v) }
func (w *profileWriter) count(n int)     { w.uint(uint64(n)) }
func (w *profileWriter) time(t int64)    { w.int(w.last - t) } // may wrap round; reading wraps back
func (w *profileWriter) float(f float64) { w.uint(bits.ReverseBytes64(math.Float64bits(f))) }

func (w *profileWriter) text(s string) {
	w.count(len(s))
	w.b = append(w.b, s...)
}

func (w *profileWriter) decayed(d Decayed) {
	w.float(d.S)
	w.time(d.T)
}

func (w *profileWriter) slots(slots []Slot) {
	w.count(len(slots))
	for _, s := range slots {
		w.b = binary.LittleEndian.AppendUint64(w.b, s.ID)
		w.count(len(s.Panes))
		previous := int64(0)
		for _, p := range s.Panes {
			w.int(p.Index - previous)
			previous = p.Index
			w.uint(uint64(p.Count))
			w.float(p.Sum)
		}
		w.count(len(s.Ring))
		for _, t := range s.Ring {
			w.time(t)
		}
	}
}

func (w *profileWriter) affinities(affinities []Affinity) {
	w.count(len(affinities))
	previous := ""
	for _, a := range affinities {
		if a.Facet == previous {
			w.count(0)
		} else {
			w.count(len(a.Facet) + 1)
			w.b = append(w.b, a.Facet...)
			previous = a.Facet
		}
		w.text(a.Value)
		w.decayed(a.Decayed)
	}
}

func (w *profileWriter) session(s Session) {
	w.text(s.ID)
	w.time(s.Start)
	w.time(s.End)
	for _, n := range [...]uint32{s.Events, s.PageViews, s.Items, s.Purchases} {
		w.uint(uint64(n))
	}
	closed := byte(0)
	if s.Closed {
		closed = 1
	}
	w.b = append(w.b, closed)
}

// profileReader walks b and its copy s; after the first error it reads zeros.
type profileReader struct {
	b     []byte
	s     string
	i     int
	last  int64
	brief bool   // see UnmarshalHistory
	field string // what is being read, for the error
	err   error
}

func (r *profileReader) fail(reason string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: byte %d: %s", r.field, r.i, reason)
	}
	r.i = len(r.b)
}

func (r *profileReader) uint(most uint64) uint64 {
	if r.err != nil {
		return 0
	}
	if r.i < len(r.b) && r.b[r.i] < 0x80 && uint64(r.b[r.i]) <= most { // as most are
		r.i++
		return uint64(r.b[r.i-1])
	}
	v, n := binary.Uvarint(r.b[r.i:])
	switch {
	case n == 0:
		r.fail("ends inside a number")
		return 0
	case n < 0 || n > 1 && r.b[r.i+n-1] == 0 || v > most:
		r.fail("a number is out of range or longer than it need be")
		return 0
	}
	r.i += n
	return v
}

func (r *profileReader) int() int64 {
	v := r.uint(math.MaxUint64)
	return int64(v>>1) ^ -int64(v&1) // zigzag
}

func (r *profileReader) int32() int32 {
	v := r.int()
	if v != int64(int32(v)) {
		r.fail("a number is out of range")
		return 0
	}
	return int32(v)
}

func (r *profileReader) time() int64 { return r.last - r.int() }

func (r *profileReader) float() float64 {
	return math.Float64frombits(bits.ReverseBytes64(r.uint(math.MaxUint64)))
}

// take is the next n bytes as a string.
func (r *profileReader) take(n uint64) string {
	if r.err != nil || n > uint64(len(r.b)-r.i) {
		r.fail("ends inside a value")
		return ""
	}
	s := r.s[r.i : r.i+int(n)]
	r.i += int(n)
	return s
}

func (r *profileReader) text() string { return r.take(r.uint(math.MaxInt64)) }

func (r *profileReader) raw() json.RawMessage {
	if s := r.text(); s != "" {
		if r.brief {
			return json.RawMessage(r.b[r.i-len(s) : r.i]) // to be left out
		}
		return json.RawMessage(s)
	}
	return nil
}

func (r *profileReader) decayed() Decayed { return Decayed{S: r.float(), T: r.time()} }

func (r *profileReader) facet(previous string) string {
	n := r.uint(math.MaxInt64)
	if n == 0 {
		return previous
	}
	facet := r.take(n - 1)
	if facet == previous {
		r.fail("a facet is written twice in a row")
	}
	return facet
}

func (r *profileReader) slot() Slot {
	var s Slot
	if id := r.take(8); len(id) == 8 {
		s.ID = binary.LittleEndian.Uint64([]byte(id))
	}
	previous := int64(0)
	s.Panes = readUnlessBrief(r, r.field, 3, func() Pane {
		previous += r.int()
		return Pane{Index: previous, Count: uint32(r.uint(math.MaxUint32)), Sum: r.float()}
	})
	s.Ring = readUnlessBrief(r, r.field, 1, r.time)
	return s
}

func (r *profileReader) session() Session {
	s := Session{ID: r.text(), Start: r.time(), End: r.time()}
	for _, n := range [...]*uint32{&s.Events, &s.PageViews, &s.Items, &s.Purchases} {
		*n = uint32(r.uint(math.MaxUint32))
	}
	switch closed := r.take(1); closed {
	case "\x00", "":
	case "\x01":
		s.Closed = true
	default:
		r.fail("a flag is neither 0 nor 1")
	}
	return s
}

// readUnlessBrief is readMany, or in brief reads past the elements and returns nil.
func readUnlessBrief[T any](r *profileReader, field string, size uint64, one func() T) []T {
	if !r.brief {
		return readMany(r, field, size, one)
	}
	for range r.many(field, size) {
		if one(); r.err != nil {
			break
		}
	}
	return nil
}

// many reads a count of elements of at least size bytes each: it cannot ask for more
// memory than its bytes can fill.
func (r *profileReader) many(field string, size uint64) uint64 {
	r.field = field
	n := r.uint(math.MaxInt64)
	if r.err == nil && n > uint64(len(r.b)-r.i)/size {
		r.fail("a count is larger than what follows")
	}
	if r.err != nil {
		return 0
	}
	return n
}

// readMany reads a count and that many elements of at least size bytes each.
func readMany[T any](r *profileReader, field string, size uint64, one func() T) []T {
	n := r.many(field, size)
	if n == 0 {
		return nil
	}
	out := make([]T, 0, n)
	for range n {
		if out = append(out, one()); r.err != nil {
			return nil
		}
	}
	return out
}
