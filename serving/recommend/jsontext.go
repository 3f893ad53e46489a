package recommend

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// text appends a string: at once where nothing in it has to be escaped.
func (w *jsonWriter) text(name, s string) {
	w.b = append(w.b, name...)
	if !plain(s) && !unescaped(s) {
		w.escaped(s)
		return
	}
	w.b = append(append(append(w.b, '"'), s...), '"')
}

// plain reports whether s is ASCII of which every byte is itself in JSON, eight at a time; the
// last eight may be looked at twice.
func plain(s string) bool {
	n := len(s)
	switch {
	case n >= 8:
		for i := 0; i+8 <= n; i += 8 {
			if special(word(s[i : i+8])) {
				return false
			}
		}
		return !special(word(s[n-8:]))
	case n >= 4:
		return !special(half(s[:4]) | half(s[n-4:])<<32)
	case n > 0:
		return !special(uint64(s[0]) | uint64(s[n/2])<<8 | uint64(s[n-1])<<16 | 0x2020202020<<24)
	}
	return true
}

// word is eight bytes.
func word(s string) uint64 { return half(s) | half(s[4:8])<<32 }

// half is four bytes.
func half(s string) uint64 {
	s = s[:4]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}

// special reports whether a byte of x is a control, a quote, a backslash or none of
// ASCII's: a byte is 0 somewhere exactly if (word − 0x01…) &^ word has a high bit, and is
// below ' ' exactly if (word − 0x20…) &^ word has one.
func special(x uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, slash := x^ones*'"', x^ones*'\\'
	return (x|(x-ones*' ')&^x|(quote-ones)&^quote|(slash-ones)&^slash)&highs != 0
}

// unescaped reports whether s is UTF-8 of which encoding/json escapes nothing: it does
// escape the line separators U+2028 and U+2029, which JavaScript once did not take.
func unescaped(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			return false
		}
	}
	return utf8.ValidString(s) && !strings.Contains(s, "\u2028") && !strings.Contains(s, "\u2029")
}

// escaped leaves a string to encoding/json.
func (w *jsonWriter) escaped(s string) {
	var quoted quotedText
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		w.err = err
		return
	}
	w.b = append(w.b, quoted[:len(quoted)-1]...) // without the newline
}

type quotedText []byte

func (q *quotedText) Write(p []byte) (int, error) {
	*q = append(*q, p...)
	return len(p), nil
}
