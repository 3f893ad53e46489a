package slot

import (
	"encoding/binary"
	"errors"
	"math"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"kindred/data"
)

var errMalformed = errors.New("segment slot: malformed, or written by a newer build")

// hashOf is what tells different values apart.
func hashOf(v Value) uint64 {
	if v.Kind == Number {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], math.Float64bits(v.Number+0)) // −0 is 0
		return xxhash.Sum64(b[:])
	}
	return xxhash.Sum64String(v.Text) ^ 1
}

// AppendBinary appends the bytes of the State to dst; nothing if it is Empty.
// Integers are varints, numbers 8 bytes little endian, times differences to the one before.
func (s *Spec) AppendBinary(dst []byte, st *State) []byte {
	if st.Empty() {
		return dst
	}
	if s.Scope.Reach == Session {
		dst = binary.AppendVarint(dst, st.session)
	}
	switch s.shape() {
	case sums, paned:
		dst = s.appendPanes(dst, st.panes)
	case ring, stepped:
		for i := range s.steps() {
			dst = appendTimes(dst, st.times[i])
		}
	case values:
		dst = binary.AppendUvarint(dst, uint64(len(st.values)))
		at := int64(0)
		for _, v := range st.values {
			dst = binary.LittleEndian.AppendUint64(dst, v.hash)
			dst, at = binary.AppendVarint(dst, v.at-at), v.at
		}
	case point:
		dst = binary.AppendVarint(dst, st.at)
		dst = binary.LittleEndian.AppendUint64(dst, st.id)
		dst = append(dst, byte(st.value.Kind))
		switch st.value.Kind {
		case Number:
			dst = appendNumber(dst, st.value.Number)
		case Text:
			dst = append(binary.AppendUvarint(dst, uint64(len(st.value.Text))), st.value.Text...)
		}
	case fading:
		dst = binary.AppendVarint(appendNumber(dst, st.faded.S), st.faded.T)
	case latest:
		for i, has := range st.has {
			if !has {
				dst = append(dst, 0)
				continue
			}
			dst = binary.AppendVarint(append(dst, 1), st.last[i])
		}
	}
	return dst
}

// steps is how many rings a State has.
func (s *Spec) steps() int {
	if s.shape() == stepped {
		return len(s.Sources)
	}
	return 1
}

func appendNumber(dst []byte, x float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(x))
}

func appendTimes(dst []byte, times []int64) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(times)))
	for i, t := range times {
		if i == 0 {
			dst = binary.AppendVarint(dst, t)
		} else {
			dst = binary.AppendUvarint(dst, uint64(t-times[i-1]))
		}
	}
	return dst
}

// appendPanes writes as much of each pane as the kind needs.
func (s *Spec) appendPanes(dst []byte, panes []pane) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(panes)))
	at := int64(0)
	for _, p := range panes {
		dst, at = binary.AppendVarint(dst, p.index-at), p.index
		dst = binary.AppendUvarint(dst, uint64(p.count))
		if s.Kind == Sum || s.Kind == Avg {
			dst = appendNumber(dst, p.sum)
		}
		if s.Kind == Min {
			dst = appendNumber(dst, p.min)
		}
		if s.Kind == Max {
			dst = appendNumber(dst, p.max)
		}
	}
	return dst
}

// reader takes fields off bytes; after an error it gives zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) varint() int64 {
	x, n := binary.Varint(r.b)
	return advance(r, x, n)
}

func (r *reader) uvarint() uint64 {
	x, n := binary.Uvarint(r.b)
	return advance(r, x, n)
}

func advance[T any](r *reader, x T, n int) T {
	if n <= 0 || r.bad {
		r.bad, r.b = true, nil
		return *new(T)
	}
	r.b = r.b[n:]
	return x
}

func (r *reader) fixed() uint64 {
	if len(r.b) < 8 {
		return advance(r, uint64(0), 0)
	}
	return advance(r, binary.LittleEndian.Uint64(r.b), 8)
}

func (r *reader) number() float64 {
	x := math.Float64frombits(r.fixed())
	r.bad = r.bad || math.IsNaN(x) || math.IsInf(x, 0)
	return x
}

func (r *reader) octet() byte {
	if len(r.b) == 0 {
		return advance(r, byte(0), 0)
	}
	return advance(r, r.b[0], 1)
}

// size is a length of at most most.
func (r *reader) size(most int) int {
	n := r.uvarint()
	if n > uint64(most) {
		r.bad = true
		return 0
	}
	return int(n)
}

// Decode reads what AppendBinary wrote of a State of the same spec, into st. No bytes
// are the empty State; bytes left over are an error. A text in st is a part of b.
func (s *Spec) Decode(b []byte, st *State) error {
	st.Reset()
	if len(b) == 0 {
		return nil
	}
	r := &reader{b: b}
	if s.Scope.Reach == Session {
		st.session = r.varint()
	}
	switch s.shape() {
	case sums, paned:
		s.readPanes(r, st)
	case ring, stepped:
		st.grow(s.steps())
		for i := range s.steps() {
			st.times[i] = readTimes(r, st.times[i], max(s.Cap+1, MaxSteps))
		}
	case values:
		at := int64(0)
		for range r.size(MaxDistinct) {
			v := seenValue{hash: r.fixed()}
			at += r.varint()
			v.at = at
			r.bad = r.bad || len(st.values) > 0 && v.hash <= st.values[len(st.values)-1].hash
			st.values = append(st.values, v)
		}
	case point:
		st.known, st.at, st.id = true, r.varint(), r.fixed()
		switch st.value.Kind = ValueKind(r.octet()); st.value.Kind {
		case Number:
			st.value.Number = r.number()
		case Text:
			n := r.size(min(MaxText, len(r.b)))
			if n <= len(r.b) {
				st.value.Text, r.b = alias(r.b[:n]), r.b[n:]
			}
		case None:
		default:
			r.bad = true
		}
	case fading:
		st.faded = data.Decayed{S: r.number(), T: r.varint()}
	case latest:
		for i := range st.last {
			if r.octet() != 0 {
				st.last[i], st.has[i] = r.varint(), true
			}
		}
	}
	if r.bad || len(r.b) > 0 {
		st.Reset()
		return errMalformed
	}
	return nil
}

// alias is b as a text, without a copy.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func readTimes(r *reader, into []int64, most int) []int64 {
	into = into[:0]
	at := int64(0)
	for i := range r.size(most) {
		if i == 0 {
			at = r.varint()
		} else {
			step := int64(r.uvarint())
			r.bad = r.bad || step < 0 || at > math.MaxInt64-step
			at += step
		}
		into = append(into, at)
	}
	return into
}

func (s *Spec) readPanes(r *reader, st *State) {
	most, index := 1, int64(0)
	if s.shape() == paned {
		most = int(s.panes().N) + 1
	}
	for range r.size(most) {
		step := r.varint()
		r.bad = r.bad || len(st.panes) > 0 && step <= 0
		index += step
		p := pane{index: index, count: uint32(min(r.uvarint(), 1<<31))}
		switch s.Kind {
		case Sum, Avg:
			p.sum = r.number()
		case Min:
			p.min = r.number()
		case Max:
			p.max = r.number()
		}
		st.panes = append(st.panes, p)
	}
}
