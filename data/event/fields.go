package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// The functions of this file read JSON that check has accepted.

// eachField calls fn with every field of the object raw, in order.
func eachField(raw []byte, fn func(name string, value []byte) error) error {
	i := skipSpace(raw, 0) + 1
	for {
		i = skipSpace(raw, i)
		if raw[i] == '}' {
			return nil
		}
		end := skipValue(raw, i)
		name := unquote(raw[i:end])
		i = skipSpace(raw, skipSpace(raw, end)+1)
		end = skipValue(raw, i)
		if err := fn(name, raw[i:end]); err != nil {
			return inside(name, err)
		}
		if i = skipSpace(raw, end); raw[i] == ',' {
			i++
		}
	}
}

// eachElement calls fn with every element of the array raw, in order.
func eachElement(raw []byte, fn func(value []byte) error) error {
	i := skipSpace(raw, 0) + 1
	for n := 0; ; n++ {
		i = skipSpace(raw, i)
		if raw[i] == ']' {
			return nil
		}
		end := skipValue(raw, i)
		if err := fn(raw[i:end]); err != nil {
			return inside(fmt.Sprintf("[%d]", n), err)
		}
		if i = skipSpace(raw, end); raw[i] == ',' {
			i++
		}
	}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// skipValue is the index behind the value that begins at i.
func skipValue(b []byte, i int) int {
	depth := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // behind a number or a word
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\n', '\r', ':':
			if depth == 0 {
				return i
			}
		}
	}
	return i
}

// kindOf names the JSON type of a value with its article, for error texts.
func kindOf(raw []byte) string {
	if len(raw) == 0 {
		return "nothing"
	}
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

func isNull(raw []byte) bool { return len(raw) == 0 || raw[0] == 'n' }

// wrongType is the refusal of a value of another type than wanted.
func wrongType(raw []byte, want string) error {
	return refuse("", "must be %s, not %s", want, kindOf(raw))
}

func getString(raw []byte) (string, error) {
	if raw[0] != '"' {
		return "", wrongType(raw, "a string")
	}
	return unquote(raw), nil
}

func getBool(raw []byte) (bool, error) {
	if raw[0] != 't' && raw[0] != 'f' {
		return false, wrongType(raw, "a boolean")
	}
	return raw[0] == 't', nil
}

func getFloat(raw []byte) (float64, error) {
	if kindOf(raw) != "a number" {
		return 0, wrongType(raw, "a number")
	}
	return strconv.ParseFloat(string(raw), 64)
}

func getInt(raw []byte) (int64, error) {
	if kindOf(raw) != "a number" {
		return 0, wrongType(raw, "a whole number")
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return 0, refuse("", "%s is not a whole number of 64 bits", clip(string(raw)))
	}
	return n, nil
}

// getTime reads RFC 3339 and cuts it to milliseconds, in UTC.
func getTime(raw []byte) (time.Time, error) {
	if raw[0] != '"' {
		return time.Time{}, wrongType(raw, "a string with an RFC 3339 time")
	}
	text := unquote(raw)
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, refuse("", "%q is not an RFC 3339 time such as 2026-11-20T23:30:38.503Z", clip(text))
	}
	return inRange(t)
}

// inRange is t in UTC, cut to milliseconds, or the refusal of a time before 1970
// (zero means never) or so late that differences overflow a time.Duration.
func inRange(t time.Time) (time.Time, error) {
	t = t.UTC().Truncate(time.Millisecond)
	if y := t.Year(); y < 1970 || y > 2261 {
		return time.Time{}, refuse("", "the year %d is outside 1970 to 2261", y)
	}
	return t, nil
}

// getObject is a compacted copy of an object.
func getObject(raw []byte) (json.RawMessage, error) {
	if raw[0] != '{' {
		return nil, wrongType(raw, "an object")
	}
	return compact(nil, raw), nil
}

// compact appends raw without the white space between its tokens.
func compact(dst, raw []byte) []byte {
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case ' ', '\t', '\n', '\r':
			continue
		case '"':
			end := i + 1
			for end < len(raw) && raw[end] != '"' {
				if raw[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end+1, len(raw))
			dst = append(dst, raw[i:end]...)
			i = end - 1
		default:
			dst = append(dst, raw[i])
		}
	}
	return dst
}

// MaxIDBytes is the length of the longest identifier of a person, an item or a message.
const MaxIDBytes = 256

// checkID reports why s cannot be an identifier, or nil. Identifiers become
// parts of keys and file lines, hence no control characters.
func checkID(s string) error {
	if len(s) > MaxIDBytes {
		return refuse("", "is %d bytes long; at most %d are allowed", len(s), MaxIDBytes)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return refuse("", "%q holds the control character %U", clip(s), r)
		}
	}
	return nil
}

// clip shortens text from outside for an error message.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	cut := bytes.TrimRightFunc([]byte(s[:most]), func(r rune) bool { return r == utf8.RuneError })
	return string(cut) + "…"
}
