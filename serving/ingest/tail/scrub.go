package tail

import (
	"encoding/json"
	"hash/maphash"
	"unicode/utf8"
)

// Scrubber makes JSON presentable. It is for one goroutine at a time.
type Scrubber struct {
	names *names
	seed  maphash.Seed

	in       []byte // what is read
	limit    int    // length that dst may have, closing brackets aside
	cut      bool   // the limit was met
	plain    []byte // a string as text
	between  []byte // of it, what masking is at
	maskable []byte // the string, masked
}

// NewScrubber hides what cfg says. seed is the key of the ids' hashes.
func NewScrubber(cfg Config, seed maphash.Seed) *Scrubber {
	return &Scrubber{names: newNames(cfg), seed: seed}
}

const (
	maxDepth = 16  // of brackets; what is deeper is hidden
	maxText  = 256 // bytes of one string that are shown
)

// Append appends the document in, scrubbed, in at most limit bytes, and reports
// whether something was cut. What is no JSON is appended as a string that says so.
// limit is at least 2·maxDepth + 64.
func (s *Scrubber) Append(dst, in []byte, limit int) (out []byte, cut bool) {
	start := len(dst)
	if !json.Valid(in) {
		return s.text(dst, []byte("[not JSON]"), mask), false
	}
	return s.appendValid(dst, start, in, limit)
}

// appendValid is Append for a document that is known to be JSON.
func (s *Scrubber) appendValid(dst []byte, start int, in []byte, limit int) (out []byte, cut bool) {
	s.in, s.cut, s.limit = in, false, start+limit-2*maxDepth
	dst, _ = s.value(dst, 0, mask, 0)
	s.in = nil
	if len(dst) > start+limit { // a lone string
		return append(dst[:start], `"[cut]"`...), true
	}
	return dst, s.cut
}

// value appends the value at or behind i, and returns where it ends.
func (s *Scrubber) value(dst []byte, i int, t treatment, depth int) ([]byte, int) {
	i = s.space(i)
	switch c := s.in[i]; {
	case (c == '{' || c == '[') && (t == hide || t == hash || depth == maxDepth):
		return append(dst, `"`+hiddenMark+`"`...), s.skip(i)
	case c == '{' || c == '[':
		return s.list(dst, i, t, depth)
	case c == '"':
		end := s.skip(i)
		s.plain = unquote(s.plain[:0], s.in[i+1:end-1])
		return s.text(dst, s.plain, t), end
	default: // a number, true, false, null
		end := s.skip(i)
		literal := s.in[i:end]
		isNumber := c == '-' || c >= '0' && c <= '9'
		switch {
		case t == hash && isNumber:
			return s.hashed(dst, literal), end
		case t == hide && c != 'n', isNumber && t == mask && wholeDigits(literal) >= minNumberLiteral:
			return append(dst, `"`+hiddenMark+`"`...), end
		}
		return append(dst, literal...), end
	}
}

// list appends the object or array at i, as far as it fits.
func (s *Scrubber) list(dst []byte, i int, t treatment, depth int) ([]byte, int) {
	closing := s.in[i] + 2 // { is 2 before }, and [ before ]
	dst = append(dst, s.in[i])
	for i = s.space(i + 1); s.in[i] != closing; i = s.space(i) {
		before, inner := len(dst), t
		if s.in[i] == ',' {
			dst = append(dst, ',')
			i = s.space(i + 1)
		}
		if closing == '}' {
			end := s.skip(i)
			s.plain = unquote(s.plain[:0], s.in[i+1:end-1])
			inner = s.names.of(s.plain)
			dst = append(s.text(dst, s.plain, mask), ':')
			i = s.space(end) + 1
		}
		dst, i = s.value(dst, i, inner, depth+1)
		if len(dst) > s.limit+maxDepth-depth { // outer lists have room for the inner ones' brackets
			dst, s.cut = dst[:before], true
		}
		if s.cut {
			break // nobody reads on: all brackets close
		}
	}
	return append(dst, closing), i + 1
}

// text appends a text as a string, treated.
func (s *Scrubber) text(dst, text []byte, t treatment) []byte {
	switch {
	case len(text) == 0:
		return append(dst, `""`...)
	case t == hide:
		return append(dst, `"`+hiddenMark+`"`...)
	case t == hash:
		return s.hashed(dst, text)
	}
	s.maskable, s.between = appendMasked(s.maskable[:0], text, s.between, t == maskMail)
	return appendQuoted(dst, s.maskable)
}

// hashed appends an id's hash as a string.
func (s *Scrubber) hashed(dst, id []byte) []byte {
	return appendHash(dst, maphash.Bytes(s.seed, id))
}

func appendHash(dst []byte, h uint64) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, `"id:`...)
	for shift := 60; shift >= 16; shift -= 4 {
		dst = append(dst, digits[h>>shift&15])
	}
	return append(dst, '"')
}

// minNumberLiteral is the digits before the point of a JSON number that is hidden: a
// phone number's, more than a price's.
const minNumberLiteral = 9

func wholeDigits(literal []byte) (n int) {
	for _, c := range literal {
		switch {
		case c >= '0' && c <= '9':
			n++
		case c == 'e' || c == 'E':
			return n + minNumberLiteral
		case c == '.':
			return n
		}
	}
	return n
}

// appendQuoted appends text as a JSON string of one line, cut to maxText bytes.
func appendQuoted(dst, text []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(text); {
		if i >= maxText {
			dst = append(dst, "…"...)
			break
		}
		c := text[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(text[i:])
			dst = utf8.AppendRune(dst, r) // � for what is none
			i += size
			continue
		}
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ' || c == 0x7f || c == '<' || c == '>' || c == '&':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
		i++
	}
	return append(dst, '"')
}
