package event

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// scan walks one JSON text once. It accepts only what check accepts, and of that
// all but the unusual; what it gives up at is left to the general reader, which
// then says what is wrong, if anything is. Every method that can give up returns
// ok, and after a false one the position means nothing.
//
// Strings are searched eight bytes at a time for the first byte that needs thought:
// a quote, a backslash, a control character, or a byte outside ASCII (the word-wise
// zero-byte test, Warren, "Hacker's Delight", 6-1). Names that occur twice are found
// by a 64-bit sketch for each object, with a comparison only where two names share a bit.
type scan struct {
	b      []byte
	i      int    // the next byte
	spaced bool   // white space was passed
	lax    bool   // names may occur twice in an object
	odd    bool   // of the last value, if that was a string: see text
	keys   []span // names of the objects around i, innermost last
}

// span is b[from:to].
type span struct{ from, to int }

// maxFastNames is how many names of one object are compared with each other; an
// object with more is left to the general reader, which hashes.
const maxFastNames = 64

// reset begins with b, keeping s's memory.
func (s *scan) reset(b []byte) { s.b, s.i, s.spaced, s.keys = b, 0, false, s.keys[:0] }

// Repeated bytes for words of eight.
const (
	ones        = 0x0101010101010101
	highs       = 0x8080808080808080
	quotes      = '"' * ones
	backslashes = '\\' * ones
	blanks      = ' ' * ones
)

// text passes the string whose opening quote is the next byte and returns what is
// between its quotes. odd says that this is not the text as it stands, or no
// identifier: it holds an escape or the control character U+007F.
func (s *scan) text() (from, to int, odd, ok bool) {
	b, i := s.b, s.i+1
	from = i
	for {
		for i+8 <= len(b) {
			x := binary.LittleEndian.Uint64(b[i:])
			// The lowest bit set is exact; borrows and carries only reach bits above it.
			m := (((x ^ quotes) - ones) | ((x ^ backslashes) - ones) | (x - blanks) | (x + ones) | x) & highs
			if m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		if i >= len(b) {
			return from, i, odd, false
		}
		switch c := b[i]; {
		case c == '"':
			s.i = i + 1
			return from, i, odd, true
		case c == '\\':
			n := escapeLen(b[i:])
			if n == 0 {
				return from, i, odd, false
			}
			odd = true
			i += n
		case c < ' ':
			return from, i, odd, false
		case c == 0x7f:
			odd = true
			i++
		case c < utf8.RuneSelf: // one of the last bytes
			i++
		default:
			for i < len(b) && b[i] >= utf8.RuneSelf {
				r, n := utf8.DecodeRune(b[i:])
				if r == utf8.RuneError && n == 1 {
					return from, i, odd, false
				}
				i += n
			}
		}
	}
}

// escapeLen is the length of the escape at the start of b, of both halves where it
// is a surrogate pair, or 0 where it is none.
func escapeLen(b []byte) int {
	c := checker{b: b}
	if c.escape() != nil {
		return 0
	}
	return c.i
}

// at is the next byte that is not white space, or 0 at the end.
func (s *scan) at() byte {
	if s.i < len(s.b) && s.b[s.i] > ' ' {
		return s.b[s.i]
	}
	return s.atSlow()
}

func (s *scan) atSlow() byte {
	i := skipSpace(s.b, s.i)
	s.spaced = s.spaced || i > s.i
	if s.i = i; i < len(s.b) {
		return s.b[i]
	}
	return 0
}

// name passes a field's name and the colon behind it, up to the value. A name with
// an escape is given up on.
func (s *scan) name() (from, to int, ok bool) {
	if (s.i >= len(s.b) || s.b[s.i] != '"') && s.at() != '"' {
		return 0, 0, false
	}
	from, to, odd, ok := s.text()
	if !ok || odd && hasBackslash(s.b[from:to]) {
		return from, to, false
	}
	return from, to, s.comes(':') || s.at() == ':' && s.comes(':')
}

func hasBackslash(b []byte) bool { return bytes.IndexByte(b, '\\') >= 0 }

// more passes what stands between two fields or elements, or the bracket that ends
// them: again is false behind the bracket.
func (s *scan) more(end byte) (again, ok bool) {
	if s.comes(',') {
		return true, true
	}
	switch s.at() {
	case ',':
		s.i++
		return true, true
	case end:
		s.i++
		return false, true
	}
	return false, false
}

// comes passes the byte c if it comes next.
func (s *scan) comes(c byte) bool {
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

// value passes any value. depth is the nesting level that an object or array here has.
func (s *scan) value(depth int) bool {
	if s.i < len(s.b) && s.b[s.i] == '"' {
		_, _, odd, ok := s.text()
		s.odd = odd
		return ok
	}
	switch c := s.at(); c {
	case '"':
		_, _, odd, ok := s.text()
		s.odd = odd
		return ok
	case '{':
		return s.object(depth)
	case '[':
		return s.array(depth)
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		_, _, ok := s.number()
		return ok
	}
}

// literal passes the bytes of w if they come next.
func (s *scan) literal(w string) bool {
	if len(s.b)-s.i >= len(w) && string(s.b[s.i:s.i+len(w)]) == w {
		s.i += len(w)
		return true
	}
	return false
}

func (s *scan) object(depth int) bool {
	if depth > MaxDepth {
		return false
	}
	s.i++
	if s.at() == '}' {
		s.i++
		return true
	}
	first, sketch := len(s.keys), uint64(0)
	for {
		from, to, ok := s.name()
		if !ok || !s.unique(first, &sketch, from, to) || !s.value(depth+1) {
			return false
		}
		again, ok := s.more('}')
		if !again {
			s.keys = s.keys[:first]
			return ok
		}
	}
}

func (s *scan) array(depth int) bool {
	if depth > MaxDepth {
		return false
	}
	s.i++
	if s.at() == ']' {
		s.i++
		return true
	}
	for {
		if !s.value(depth + 1) {
			return false
		}
		again, ok := s.more(']')
		if !again {
			return ok
		}
	}
}

// unique notes the name b[from:to] of the object whose names begin at s.keys[first]
// and reports that it is new there. sketch holds a bit for each name so far.
func (s *scan) unique(first int, sketch *uint64, from, to int) bool {
	if s.lax {
		return true
	}
	name := s.b[from:to]
	hash := uint(len(name)) // by the length and two bytes: names of one object differ there
	if len(name) > 0 {
		hash = 5*hash + 3*uint(name[len(name)/2]) + uint(name[len(name)-1])
	}
	bit := uint64(1) << (hash & 63)
	if *sketch&bit != 0 {
		for _, k := range s.keys[first:] {
			if k.to-k.from == len(name) && string(s.b[k.from:k.to]) == string(name) {
				return false
			}
		}
	}
	*sketch |= bit
	s.keys = append(s.keys, span{from, to})
	return len(s.keys)-first <= maxFastNames
}

// number passes a number; its value may be of any size that check accepts.
func (s *scan) number() (from, to int, ok bool) {
	b, i := s.b, s.i
	from = i
	if i < len(b) && b[i] == '-' {
		i++
	}
	if i >= len(b) || b[i]-'0' > 9 {
		return from, i, false
	}
	if b[i] == '0' {
		i++
	} else {
		i = digits(b, i)
	}
	if i < len(b) && b[i] == '.' {
		end := digits(b, i+1)
		if end == i+1 {
			return from, end, false
		}
		i = end
	}
	exponent := i < len(b) && b[i]|0x20 == 'e'
	if exponent {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		end := digits(b, i)
		if end == i {
			return from, end, false
		}
		i = end
	}
	s.i = i
	if exponent || i-from > 300 {
		_, err := strconv.ParseFloat(alias(b[from:i]), 64)
		return from, i, err == nil
	}
	return from, i, true
}

// digits is the index behind the digits at b[i:].
func digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// whole reads a whole number of at most 18 digits.
func (s *scan) whole() (n int64, ok bool) {
	s.at()
	from, to, ok := s.number()
	if !ok {
		return 0, false
	}
	return wholeOf(s.b[from:to])
}

// wholeOf is the value of a checked number of at most 18 digits without fraction or exponent.
func wholeOf(b []byte) (n int64, ok bool) {
	minus := b[0] == '-'
	if minus {
		b = b[1:]
	}
	if len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c -= '0'; c > 9 {
			return 0, false
		} else {
			n = n*10 + int64(c)
		}
	}
	if minus {
		n = -n
	}
	return n, true
}

// float reads a number.
func (s *scan) float() (float64, bool) {
	s.at()
	from, to, ok := s.number()
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(alias(s.b[from:to]), 64)
	return f, err == nil
}

// alias is b as a string without a copy: it changes when b does.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
