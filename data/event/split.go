package event

import (
	"encoding/json"
	"strings"
)

// Parts are the parts of a tracker's body that Split found: the call or calls, and
// what a batch says about all of them. Everything aliases the body.
type Parts struct {
	Calls    []json.RawMessage // the values of batch, or the body itself
	Context  json.RawMessage   // any value, or nil
	SentAt   string            // "" where it is no string
	WriteKey string            // "" where it is no string
}

// Split takes a body apart in one pass: a batch, {"batch":[…], …}, or with single
// one call. ok is false where encoding/json would have to say what the body means,
// or that it means nothing: mistakes, names in another case, names that occur
// twice, escapes, a batch that is no list. What Split accepts is valid JSON without
// anything that encoding/json repairs, and the parts are the ones that it finds.
func Split(b []byte, single bool) (parts Parts, ok bool) {
	s := scan{b: b, lax: true}
	if s.at() != '{' {
		return parts, false
	}
	start := s.i
	s.i++
	if s.at() == '}' {
		return parts, false
	}
	for seen := 0; ; {
		from, to, ok := s.name()
		if !ok {
			return parts, false
		}
		s.at()
		at, bit := s.i, 0
		switch name := alias(b[from:to]); name {
		case "batch":
			if bit = 1; single {
				return parts, false
			}
			ok = s.list(&parts)
		case "context":
			bit = 2
			ok = s.value(2)
			parts.Context = b[at:s.i:s.i]
		case "sentAt":
			bit = 4
			parts.SentAt, ok = s.stringIf()
		case "writeKey":
			bit = 8
			parts.WriteKey, ok = s.stringIf()
		default:
			ok = s.value(2) && !isEnvelopeName(name)
		}
		if !ok || seen&bit != 0 {
			return parts, false
		}
		seen |= bit
		again, ok := s.more('}')
		if again {
			continue
		}
		end := s.i
		if !ok || s.at() != 0 || s.i != len(b) || !single && seen&1 == 0 {
			return parts, false
		}
		if single {
			parts.Calls = []json.RawMessage{b[start:end:end]}
		}
		return parts, true
	}
}

// list reads the calls of a batch.
func (s *scan) list(parts *Parts) bool {
	if s.at() != '[' {
		return false
	}
	s.i++
	parts.Calls = make([]json.RawMessage, 0, 1+len(s.b)/400) // a call of 400 bytes is a small one
	if s.at() == ']' {
		s.i++
		return true
	}
	for {
		s.at()
		from := s.i
		if !s.value(3) {
			return false
		}
		parts.Calls = append(parts.Calls, s.b[from:s.i:s.i])
		again, ok := s.more(']')
		if !again {
			return ok
		}
	}
}

// stringIf reads a string without escapes, and passes any other value.
func (s *scan) stringIf() (string, bool) {
	if s.at() == '"' {
		return s.string()
	}
	return "", s.value(2)
}

// isEnvelopeName reports whether encoding/json takes name for one of the envelope's.
func isEnvelopeName(name string) bool {
	return strings.EqualFold(name, "batch") || strings.EqualFold(name, "context") ||
		strings.EqualFold(name, "sentAt") || strings.EqualFold(name, "writeKey")
}
