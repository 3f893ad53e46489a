package data

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// ProfileWriter appends the parts of an encoded profile, in the layout of
// Profile.AppendBinary, for a form of profiles that need not become a Profile first.
// Its bytes are right if the parts come in that order; the forms' tests compare them
// with AppendBinary's.
type ProfileWriter struct {
	B    []byte
	last int64
}

// NewProfileWriter begins a profile that was last seen at lastSeen behind dst.
func NewProfileWriter(dst []byte, lastSeen int64, deleted, hasConsent, hasSegments bool) ProfileWriter {
	var flags byte
	if deleted {
		flags |= profileDeleted
	}
	if hasConsent {
		flags |= profileHasConsent
	}
	if hasSegments {
		flags |= profileHasSegments
	}
	return ProfileWriter{B: append(dst, profileVersion, flags), last: lastSeen}
}

// Uint, Int and Count append a number.
func (w *ProfileWriter) Uint(v uint64) { w.B = binary.AppendUvarint(w.B, v) }
func (w *ProfileWriter) Int(v int64)   { w.B = binary.AppendVarint(w.B, v) }
func (w *ProfileWriter) Count(n int)   { w.Uint(uint64(n)) }

// Time appends an event time, as its difference to when the person was last seen.
func (w *ProfileWriter) Time(t int64) { w.Int(w.last - t) }

// Float appends a number of any size; small whole ones are short.
func (w *ProfileWriter) Float(f float64) { w.Uint(bits.ReverseBytes64(math.Float64bits(f))) }

// Text appends a string or raw value.
func (w *ProfileWriter) Text(s string) {
	w.Count(len(s))
	w.B = append(w.B, s...)
}

// Decayed appends a decayed sum.
func (w *ProfileWriter) Decayed(d Decayed) {
	w.Float(d.S)
	w.Time(d.T)
}

// Session appends a session with the given name; s.ID is not looked at.
func (w *ProfileWriter) Session(id []byte, s *Session) {
	w.Count(len(id))
	w.B = append(w.B, id...)
	w.Time(s.Start)
	w.Time(s.End)
	for _, n := range [...]uint32{s.Events, s.PageViews, s.Items, s.Purchases} {
		w.Uint(uint64(n))
	}
	closed := byte(0)
	if s.Closed {
		closed = 1
	}
	w.B = append(w.B, closed)
}

// mostHistoryBytes is more than a history item takes without its item.
const mostHistoryBytes = binary.MaxVarintLen64 * 7

// Plain appends a history item that has no rating and a value of 0. It is the one part
// of which a profile may have thousands.
func (w *ProfileWriter) Plain(item string, kinds uint16, count uint32, weight float64, last int64) {
	if cap(w.B)-len(w.B) < len(item)+mostHistoryBytes {
		w.B = append(w.B, make([]byte, len(item)+mostHistoryBytes+len(w.B)/2)...)[:len(w.B)]
	}
	b, i := w.B[:cap(w.B)], len(w.B)
	i += binary.PutUvarint(b[i:], uint64(len(item)))
	i += copy(b[i:], item)
	i += binary.PutUvarint(b[i:], uint64(kinds))
	i += binary.PutUvarint(b[i:], uint64(count))
	b[i] = 0
	i++
	i += binary.PutUvarint(b[i:], bits.ReverseBytes64(math.Float64bits(weight)))
	i += binary.PutVarint(b[i:], w.last-last)
	w.B = b[:i]
}
