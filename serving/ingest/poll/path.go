package poll

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// path leads to a value inside a JSON document: names, and places in lists.
type path []step

type step struct {
	name  string
	index int // of a list, when name is ""; negative counts from the end
}

// parsePath reads a.b[0].c, with $. in front if one likes; "" is the document.
func parsePath(s string) (path, error) {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "$"), ".")
	var p path
	for part := range strings.SplitSeq(s, ".") {
		if s == "" {
			break
		}
		name, rest, _ := strings.Cut(part, "[")
		if name == "" && (rest == "" || len(p) > 0) {
			return nil, errors.New("use a path such as data.items[0].id")
		}
		if name != "" {
			p = append(p, step{name: name})
		}
		for rest != "" {
			number, after, ok := strings.Cut(rest, "]")
			i, err := strconv.Atoi(number)
			if !ok || err != nil || after != "" && (after[0] != '[' || len(after) == 1) {
				return nil, errors.New("use a path such as data.items[0].id")
			}
			p = append(p, step{index: i})
			rest = strings.TrimPrefix(after, "[")
		}
	}
	return p, nil
}

func mustPath(s string) path {
	p, err := parsePath(s)
	if err != nil {
		panic(err) // Validate has refused it
	}
	return p
}

// in is the value at p in doc, nil for none.
func (p path) in(doc json.RawMessage) json.RawMessage {
	for _, s := range p {
		if s.name != "" {
			var object map[string]json.RawMessage
			if json.Unmarshal(doc, &object) != nil {
				return nil
			}
			doc = object[s.name]
			continue
		}
		var list []json.RawMessage
		if json.Unmarshal(doc, &list) != nil {
			return nil
		}
		i := s.index
		if i < 0 {
			i += len(list)
		}
		if i < 0 || i >= len(list) {
			return nil
		}
		doc = list[i]
	}
	return doc
}

// text is the string or number at p in doc, "" for anything else.
func (p path) text(doc json.RawMessage) string {
	v := p.in(doc)
	if len(v) == 0 {
		return ""
	}
	var s string
	if json.Unmarshal(v, &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(v, &n) == nil {
		return n.String()
	}
	return ""
}
