package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// The bounds of any message.
const (
	// MaxBytes is the largest canonical event, in bytes.
	MaxBytes = 1 << 20
	// MaxDepth is how deep objects and arrays may nest; the message itself is level 1.
	MaxDepth = 64
)

// check reports the first thing wrong with b as one strict JSON value: grammar,
// UTF-8, surrogates, duplicate names, depth, and numbers beyond float64. What it
// accepts, the functions of fields.go may read without looking again. level is the
// nesting level that b itself has: 1, or more where it will be put inside something.
func check(b []byte, level int) error {
	c := checker{b: b}
	c.space()
	if err := c.value(level); err != nil {
		return err
	}
	if c.space(); c.i < len(b) {
		return refuse("", "byte %d: more after the end of the JSON value", c.i)
	}
	return nil
}

// checker walks b; i is the next byte. Recursion is bounded by MaxDepth.
type checker struct {
	b []byte
	i int
}

func (c *checker) space() {
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case ' ', '\t', '\n', '\r':
			c.i++
		default:
			return
		}
	}
}

// peek is the next byte, or 0 at the end.
func (c *checker) peek() byte {
	if c.i < len(c.b) {
		return c.b[c.i]
	}
	return 0
}

// unexpected describes the byte where something else was wanted.
func (c *checker) unexpected(want string) error {
	if c.i >= len(c.b) {
		return refuse("", "not JSON: ends at byte %d where %s was expected", c.i, want)
	}
	return refuse("", "not JSON: byte %d is %q where %s was expected", c.i, c.b[c.i], want)
}

func (c *checker) value(depth int) error {
	switch b := c.peek(); {
	case b == '{' || b == '[':
		if depth > MaxDepth {
			return refuse("", "nests deeper than %d levels", MaxDepth)
		}
		if b == '{' {
			return c.object(depth)
		}
		return c.array(depth)
	case b == '"':
		_, err := c.str()
		return err
	case b == '-' || b >= '0' && b <= '9':
		return c.number()
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if bytes.HasPrefix(c.b[c.i:], []byte(word)) {
			c.i += len(word)
			return nil
		}
	}
	return c.unexpected("a value")
}

func (c *checker) object(depth int) error {
	c.i++ // {
	var names nameSet
	c.space()
	if c.peek() == '}' {
		c.i++
		return nil
	}
	for {
		c.space()
		if c.peek() != '"' {
			return c.unexpected("a name in double quotes")
		}
		raw, err := c.str()
		if err != nil {
			return err
		}
		name := raw[1 : len(raw)-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			name = []byte(unquote(raw))
		}
		if !names.add(name) {
			return refuse(string(name), "occurs twice in one object")
		}
		if c.space(); c.peek() != ':' {
			return c.unexpected("':'")
		}
		c.i++
		c.space()
		if err := c.value(depth + 1); err != nil {
			return inside(string(name), err)
		}
		switch c.space(); c.peek() {
		case ',':
			c.i++
		case '}':
			c.i++
			return nil
		default:
			return c.unexpected("',' or '}'")
		}
	}
}

func (c *checker) array(depth int) error {
	c.i++ // [
	c.space()
	if c.peek() == ']' {
		c.i++
		return nil
	}
	for n := 0; ; n++ {
		c.space()
		if err := c.value(depth + 1); err != nil {
			return inside(fmt.Sprintf("[%d]", n), err)
		}
		switch c.space(); c.peek() {
		case ',':
			c.i++
		case ']':
			c.i++
			return nil
		default:
			return c.unexpected("',' or ']'")
		}
	}
}

// str passes a string and returns it with its quotes.
func (c *checker) str() ([]byte, error) {
	start := c.i
	c.i++
	for c.i < len(c.b) {
		switch b := c.b[c.i]; {
		case b == '"':
			c.i++
			return c.b[start:c.i], nil
		case b == '\\':
			if err := c.escape(); err != nil {
				return nil, err
			}
		case b < ' ':
			return nil, refuse("", "not JSON: byte %d is the control character %q inside a string; escape it", c.i, b)
		case b < utf8.RuneSelf:
			c.i++
		default:
			r, n := utf8.DecodeRune(c.b[c.i:])
			if r == utf8.RuneError && n == 1 {
				return nil, refuse("", "byte %d is not valid UTF-8", c.i)
			}
			c.i += n
		}
	}
	return nil, refuse("", "not JSON: ends inside a string")
}

// escape passes one backslash escape, or two that make a surrogate pair.
func (c *checker) escape() error {
	if c.i+1 >= len(c.b) {
		return refuse("", "not JSON: ends inside a string")
	}
	switch c.b[c.i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		c.i += 2
		return nil
	case 'u':
	default:
		return refuse("", "not JSON: byte %d begins an unknown escape", c.i)
	}
	high, ok := hex4(c.b[c.i:])
	switch {
	case !ok:
		return refuse("", "not JSON: byte %d begins a \\u escape without four hexadecimal digits", c.i)
	case high < 0xd800 || high > 0xdfff:
		c.i += 6
		return nil
	case high < 0xdc00:
		if low, ok := hex4(c.b[c.i+6:]); ok && low >= 0xdc00 && low <= 0xdfff {
			c.i += 12
			return nil
		}
	}
	return refuse("", "byte %d is half of a surrogate pair; no character is written so", c.i)
}

// hex4 reads \uXXXX at the start of b.
func hex4(b []byte) (uint64, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var v uint64
	for _, d := range b[2:6] {
		switch {
		case d >= '0' && d <= '9':
			v = v<<4 | uint64(d-'0')
		case d >= 'a' && d <= 'f':
			v = v<<4 | uint64(d-'a'+10)
		case d >= 'A' && d <= 'F':
			v = v<<4 | uint64(d-'A'+10)
		default:
			return 0, false
		}
	}
	return v, true
}

func (c *checker) number() error {
	start := c.i
	digits := func() bool {
		from := c.i
		for c.peek() >= '0' && c.peek() <= '9' {
			c.i++
		}
		return c.i > from
	}
	if c.peek() == '-' {
		c.i++
	}
	if c.peek() == '0' {
		c.i++
	} else if !digits() {
		return c.unexpected("a digit")
	}
	if c.peek() == '.' {
		if c.i++; !digits() {
			return c.unexpected("a digit")
		}
	}
	exponent := c.peek() == 'e' || c.peek() == 'E'
	if exponent {
		if c.i++; c.peek() == '+' || c.peek() == '-' {
			c.i++
		}
		if !digits() {
			return c.unexpected("a digit")
		}
	}
	if text := c.b[start:c.i]; exponent || len(text) > 300 { // else it cannot exceed float64
		if _, err := strconv.ParseFloat(string(text), 64); errors.Is(err, strconv.ErrRange) {
			return refuse("", "byte %d: the number is beyond the range of a 64-bit float", start)
		}
	}
	return nil
}

// nameSet finds the second of two equal names: by looking at each while there
// are few, by hashing once there are many.
type nameSet struct {
	few  [][]byte
	many map[string]struct{}
}

func (s *nameSet) add(name []byte) bool {
	if s.many != nil {
		if _, dup := s.many[string(name)]; dup {
			return false
		}
		s.many[string(name)] = struct{}{}
		return true
	}
	for _, other := range s.few {
		if bytes.Equal(other, name) {
			return false
		}
	}
	if s.few = append(s.few, name); len(s.few) > 24 {
		s.many = make(map[string]struct{}, 2*len(s.few))
		for _, other := range s.few {
			s.many[string(other)] = struct{}{}
		}
	}
	return true
}

// unquote is the text of a checked JSON string, given with its quotes.
func unquote(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil { // cannot be: check accepted it
		return string(raw[1 : len(raw)-1])
	}
	return s
}
