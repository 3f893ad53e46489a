package tail

import (
	"unicode/utf16"
	"unicode/utf8"
)

// space is the first place from i on that is no space. The document is valid.
func (s *Scrubber) space(i int) int {
	for s.in[i] == ' ' || s.in[i] == '\n' || s.in[i] == '\t' || s.in[i] == '\r' {
		i++
	}
	return i
}

// skip is where the value at i ends.
func (s *Scrubber) skip(i int) int {
	switch s.in[i] {
	case '"':
		for i++; s.in[i] != '"'; i++ {
			if s.in[i] == '\\' {
				i++
			}
		}
		return i + 1
	case '{', '[':
		for depth := 0; ; i++ {
			switch s.in[i] {
			case '"':
				i = s.skip(i) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
	}
	for i < len(s.in) {
		switch s.in[i] {
		case ',', ']', '}', ' ', '\n', '\t', '\r':
			return i
		}
		i++
	}
	return i
}

// unquote appends what stands between the quotes of a valid JSON string, as text.
func unquote(dst, quoted []byte) []byte {
	for i := 0; i < len(quoted); i++ {
		c := quoted[i]
		if c != '\\' {
			dst = append(dst, c)
			continue
		}
		i++
		switch c = quoted[i]; c {
		case 'n':
			dst = append(dst, '\n')
		case 't':
			dst = append(dst, '\t')
		case 'r':
			dst = append(dst, '\r')
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'u':
			r := hex4(quoted[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				if i+6 < len(quoted) && quoted[i+1] == '\\' && quoted[i+2] == 'u' {
					if pair := utf16.DecodeRune(r, hex4(quoted[i+3:])); pair != utf8.RuneError {
						r, i = pair, i+6
					}
				}
			}
			dst = utf8.AppendRune(dst, r)
		default: // " \ /
			dst = append(dst, c)
		}
	}
	return dst
}

func hex4(b []byte) (r rune) {
	for _, c := range b[:4] {
		switch {
		case c <= '9':
			r = r<<4 | rune(c-'0')
		default:
			r = r<<4 | rune(c|0x20-'a'+10)
		}
	}
	return r
}
