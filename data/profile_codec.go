package data

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
)

// profileVersion is the first byte of an encoded profile.
const profileVersion = 1

// The flags of an encoded profile; all other bits are zero.
const (
	profileDeleted = 1 << iota
	profileHasConsent
)

// AppendBinary appends the encoded profile to dst. Equal profiles give equal bytes,
// for nil and empty slices alike. It implements encoding.BinaryAppender; the error
// is always nil.
//
// Layout: version byte, flags byte, then the fields in the order of the type.
// Lengths and counts are uvarints, strings and raw values a length and the bytes,
// signed numbers zigzag varints. Event times inside are differences to LastSeen,
// which are short. A float is the uvarint of its bits in reversed byte order, so
// that small whole numbers take two or three bytes. An affinity's facet is 0 when
// it is the one before it, else its length + 1 and its bytes.
func (p *Profile) AppendBinary(dst []byte) ([]byte, error) {
	w := profileWriter{b: append(dst, profileVersion), last: p.LastSeen}
	var flags byte
	if p.Deleted {
		flags |= profileDeleted
	}
	if len(p.Consent) > 0 {
		flags |= profileHasConsent
	}
	w.b = append(w.b, flags)
	w.text(string(p.ID))
	w.uint(p.Version)
	w.int(p.LastOffset)
	w.int(p.LastSeen)
	w.time(p.FirstSeen)
	w.text(string(p.Redirect))

	w.count(len(p.Identity))
	for _, id := range p.Identity {
		w.text(string(id.Kind))
		w.text(id.ID)
		w.time(id.FirstSeen)
		w.time(id.LastSeen)
	}
	w.count(len(p.Merges))
	for _, m := range p.Merges {
		w.text(string(m.From))
		w.text(m.Source)
		w.time(m.At)
	}
	w.count(len(p.Traits))
	for _, t := range p.Traits {
		w.text(t.Name)
		w.text(string(t.Value))
		w.time(t.At)
		w.text(t.Source)
	}
	w.slots(p.Slots)
	w.affinities(p.Affinities)
	w.decayed(p.Engagement)
	w.session(p.Session)
	w.session(p.Previous)
	w.uint(uint64(p.Sessions))
	w.count(len(p.Recent))
	for _, r := range p.Recent {
		w.text(r.ID)
		w.text(r.Name)
		w.text(string(r.Item))
		w.time(r.At)
	}
	w.count(len(p.History))
	for _, h := range p.History {
		w.text(string(h.Item))
		w.uint(uint64(h.Kinds))
		w.uint(uint64(h.Count))
		w.float(h.Value)
		w.float(h.Weight)
		w.time(h.Last)
	}
	w.count(len(p.Clusters))
	for _, a := range p.Clusters {
		w.text(a.Model)
		w.text(a.Version)
		w.int(int64(a.Cluster))
		w.float(a.Distance)
		w.float(a.Confidence)
		w.time(a.Since)
	}
	if len(p.Consent) > 0 {
		w.text(string(p.Consent))
	}
	return w.b, nil
}

// UnmarshalBinary makes *p the profile that AppendBinary encoded; empty slices
// become nil. It accepts only bytes that AppendBinary writes, so reading and
// writing again changes nothing. The strings of the result share one copy of b.
// The error names the field.
func (p *Profile) UnmarshalBinary(b []byte) error {
	r := profileReader{b: b, s: string(b)}
	if len(b) < 2 {
		return fmt.Errorf("decode profile: %d bytes are too few", len(b))
	}
	if b[0] != profileVersion {
		return fmt.Errorf("decode profile: version %d is not one this build reads; it reads %d", b[0], profileVersion)
	}
	flags := b[1]
	if flags&^(profileDeleted|profileHasConsent) != 0 {
		return fmt.Errorf("decode profile: flags %#x hold unknown bits", flags)
	}
	r.i = 2
	var q Profile
	q.Deleted = flags&profileDeleted != 0
	r.field = "id"
	q.ID = ProfileID(r.text())
	q.Version = r.uint(math.MaxUint64)
	q.LastOffset = r.int()
	q.LastSeen = r.int()
	r.last = q.LastSeen
	q.FirstSeen = r.time()
	q.Redirect = ProfileID(r.text())

	q.Identity = readMany(&r, "identity", 4, func() Identifier {
		return Identifier{Kind: IDKind(r.text()), ID: r.text(), FirstSeen: r.time(), LastSeen: r.time()}
	})
	q.Merges = readMany(&r, "merges", 3, func() Merge {
		return Merge{From: ProfileID(r.text()), Source: r.text(), At: r.time()}
	})
	q.Traits = readMany(&r, "traits", 4, func() Trait {
		return Trait{Name: r.text(), Value: r.raw(), At: r.time(), Source: r.text()}
	})
	q.Slots = readMany(&r, "slots", 10, r.slot)
	previous := ""
	q.Affinities = readMany(&r, "affinities", 4, func() Affinity {
		previous = r.facet(previous)
		return Affinity{Facet: previous, Value: r.text(), Decayed: r.decayed()}
	})
	r.field = "engagement"
	q.Engagement = r.decayed()
	r.field = "session"
	q.Session = r.session()
	q.Previous = r.session()
	q.Sessions = uint32(r.uint(math.MaxUint32))
	q.Recent = readMany(&r, "recent", 4, func() RecentEvent {
		return RecentEvent{ID: r.text(), Name: r.text(), Item: ItemID(r.text()), At: r.time()}
	})
	q.History = readMany(&r, "history", 6, func() HistoryItem {
		return HistoryItem{
			Item: ItemID(r.text()), Kinds: uint16(r.uint(math.MaxUint16)), Count: uint32(r.uint(math.MaxUint32)),
			Value: r.float(), Weight: r.float(), Last: r.time(),
		}
	})
	q.Clusters = readMany(&r, "clusters", 6, func() Assignment {
		return Assignment{
			Model: r.text(), Version: r.text(), Cluster: r.int32(),
			Distance: r.float(), Confidence: r.float(), Since: r.time(),
		}
	})
	r.field = "consent"
	if flags&profileHasConsent != 0 {
		if q.Consent = r.raw(); len(q.Consent) == 0 {
			r.fail("is empty, against its flag")
		}
	}
	if r.field = "end"; r.i != len(b) {
		r.fail("bytes are left over")
	}
	if r.err != nil {
		return fmt.Errorf("decode profile: %w", r.err)
	}
	*p = q
	return nil
}

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
	s.Panes = readMany(r, r.field, 3, func() Pane {
		previous += r.int()
		return Pane{Index: previous, Count: uint32(r.uint(math.MaxUint32)), Sum: r.float()}
	})
	s.Ring = readMany(r, r.field, 1, r.time)
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

// readMany reads a count and that many elements of at least size bytes each, so
// that a count cannot ask for more memory than its bytes can fill.
func readMany[T any](r *profileReader, field string, size uint64, one func() T) []T {
	r.field = field
	n := r.uint(math.MaxInt64)
	if r.err == nil && n > uint64(len(r.b)-r.i)/size {
		r.fail("a count is larger than what follows")
	}
	if r.err != nil || n == 0 {
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
