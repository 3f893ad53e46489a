package plan

import (
	"encoding/json"
	"strings"
	"time"

	"kindred/data"
	"kindred/features/expr/rawjson"
)

// The bounds of an Inferrer.
const (
	maxInferred    = 1000 // events
	maxInferFields = 200  // of one object
	maxInferDepth  = 6
	maxEnum        = 8  // distinct values that still look like a fixed choice
	minEnumCount   = 20 // times each of them was seen, on average
)

// Inferrer drafts a plan from events: feed it those of a day or a week, and read what it
// drafts before putting it into git. It is not safe for concurrent use.
type Inferrer struct {
	events map[key]*inferred
}

type inferred struct {
	properties, traits shape
}

// shape is what the values of one place have in common.
type shape struct {
	count  int
	types  map[string]int
	whole  bool // all numbers are
	dates  bool // all texts are
	texts  map[string]int
	fields map[string]*shape // of objects
	beyond bool              // objects have more fields than are told apart
	items  *shape            // of arrays
}

// NewInferrer has seen nothing.
func NewInferrer() *Inferrer { return &Inferrer{events: map[key]*inferred{}} }

// Add looks at one event.
func (f *Inferrer) Add(e *data.Event) {
	if e.Type == data.System || len(e.Name) > maxNameLength || e.Type == data.Track && strings.TrimSpace(e.Name) == "" {
		return
	}
	k := key{e.Type, e.Name}
	s := f.events[k]
	if s == nil {
		if len(f.events) == maxInferred {
			return
		}
		k.name = strings.Clone(k.name)
		s = &inferred{}
		f.events[k] = s
	}
	for _, part := range []struct {
		shape *shape
		raw   []byte
	}{{&s.properties, e.Props}, {&s.traits, e.Traits}} {
		if len(part.raw) == 0 {
			part.raw = []byte("{}")
		}
		part.shape.add(part.raw, 0)
	}
}

func (s *shape) add(v []byte, depth int) {
	if s.count++; s.types == nil {
		s.types, s.texts, s.whole, s.dates = map[string]int{}, map[string]int{}, true, true
	}
	kind := rawjson.Kind(v)
	s.types[kind]++
	switch kind {
	case "number":
		f, _ := rawjson.Number(v)
		s.whole = s.whole && f == float64(int64(f))
	case "string":
		text, _ := rawjson.Text(v)
		if s.dates {
			_, err := time.Parse(time.RFC3339, text)
			s.dates = err == nil
		}
		if _, known := s.texts[text]; known || len(s.texts) <= maxEnum && len(text) <= 100 {
			s.texts[strings.Clone(text)]++
		}
		if len(text) > 100 { // no choice has such names
			for i := 0; len(s.texts) <= maxEnum; i++ {
				s.texts[strings.Repeat("-", i)]++
			}
		}
	case "object":
		if s.fields == nil {
			s.fields = map[string]*shape{}
		}
		for o := rawjson.Fields(v); o.Next() && depth < maxInferDepth; {
			name := rawjson.NameOf(o.Name)
			f := s.fields[name]
			if f == nil {
				if len(s.fields) >= maxInferFields {
					s.beyond = true
					continue
				}
				f = &shape{}
				s.fields[strings.Clone(name)] = f
			}
			f.add(o.Value, depth+1)
		}
	case "array":
		if s.items == nil {
			s.items = &shape{}
		}
		for a := rawjson.Elements(v); a.Next() && depth < maxInferDepth; {
			s.items.add(a.Value, depth+1)
		}
	}
}

// schema is a schema that every value seen fits.
func (s *shape) schema() map[string]any {
	out := map[string]any{}
	var types []any
	for _, kind := range sorted(s.types) {
		if kind == "number" && s.whole {
			kind = "integer"
		}
		types = append(types, kind)
	}
	switch len(types) {
	case 0:
		return out // an array that was always empty
	case 1:
		out["type"] = types[0]
	default:
		out["type"] = types
	}
	if texts := s.types["string"]; texts > 0 && len(types) == 1 {
		switch {
		case s.dates:
			out["format"] = "date-time"
		case len(s.texts) <= maxEnum && texts >= minEnumCount*len(s.texts):
			var enum []any
			for _, text := range sorted(s.texts) {
				enum = append(enum, text)
			}
			out["enum"] = enum
		}
	}
	if objects := s.types["object"]; objects > 0 && len(s.fields) > 0 {
		properties, required := map[string]any{}, []any{}
		for _, name := range sorted(s.fields) {
			properties[name] = s.fields[name].schema()
			if s.fields[name].count == objects {
				required = append(required, name)
			}
		}
		out["properties"] = properties
		if len(required) > 0 {
			out["required"] = required
		}
	}
	if s.items != nil && s.items.count > 0 {
		out["items"] = s.items.schema()
	}
	return out
}

// Draft is a plan that every event seen fits, in mode warn.
func (f *Inferrer) Draft(name string) File {
	out := File{Plan: name, Mode: Warn, UnknownEvents: Warn, UnknownProperties: Warn, Events: []Entry{}}
	order := map[string]key{}
	for k := range f.events {
		order[string(k.typ)+"\x00"+k.name] = k
	}
	for _, id := range sorted(order) {
		k := order[id]
		e := Entry{Type: k.typ, Name: k.name, Version: 1}
		switch k.typ {
		case data.Page, data.Screen:
			e.Name = ""
		}
		if s := f.events[k]; k.typ == data.Identify || k.typ == data.Group {
			e.Traits = s.traits.schema()
		} else {
			e.Properties = s.properties.schema()
		}
		out.Events = append(out.Events, e)
	}
	return out
}

// JSON is the file as a JSON document, which ParseFile reads again.
func (f File) JSON() ([]byte, error) { return json.MarshalIndent(f, "", "  ") }
