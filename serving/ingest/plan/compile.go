package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"kindred/data"
)

// Plan is a compiled plan, immutable and safe for concurrent use.
type Plan struct {
	entries       map[key]*named
	unknownEvents Mode
	size          int // versions of events
}

type key struct {
	typ  data.EventType
	name string
}

// named is what the plan says of one event.
type named struct {
	versions []*version // in order
}

// version is one compiled entry.
type version struct {
	ref     string
	number  int
	mode    Mode
	unknown Mode
	parts   []part
	known   *known          // the names in properties; nil where the plan says nothing of them
	pii     map[string]bool // properties, or traits of identify and group calls, that say who somebody is
	status  [2]json.RawMessage
}

// part is the schema of one room of an event.
type part struct {
	room   string // properties, traits or context
	schema *jsonschema.Schema
}

// Compile makes a plan of files. The error names the event and what is wrong with it.
func Compile(files ...File) (*Plan, error) {
	p := &Plan{entries: map[key]*named{}, unknownEvents: Off}
	for i, f := range files {
		for name, m := range map[string]*Mode{"mode": &f.Mode, "unknown_events": &f.UnknownEvents, "unknown_properties": &f.UnknownProperties} {
			if !m.valid() {
				return nil, fmt.Errorf("plan %q: %s is %.40q; use off, warn, quarantine or reject", f.Plan, name, string(*m))
			}
			if *m == "" {
				*m = Warn
			}
		}
		if i == 0 || strictness(f.UnknownEvents) > strictness(p.unknownEvents) {
			p.unknownEvents = f.UnknownEvents
		}
		for n, e := range f.Events {
			if err := p.add(f, e); err != nil {
				return nil, fmt.Errorf("plan %q: event %d (%.60q): %w", f.Plan, n+1, e.Name, err)
			}
		}
	}
	return p, nil
}

// strictness orders the modes; of several files the strictest counts.
func strictness(m Mode) int { return strings.Index("off warn quarantine reject", string(m)) }

func (p *Plan) add(f File, e Entry) error {
	if e.Type == "" {
		e.Type = data.Track
	}
	if e.Version == 0 {
		e.Version = 1
	}
	switch {
	case e.Type == data.Track && strings.TrimSpace(e.Name) == "":
		return errors.New("name is empty; a track event needs the name that clients send")
	case len(e.Name) > maxNameLength:
		return fmt.Errorf("the name is longer than %d bytes", maxNameLength)
	case e.Version < 1 || e.Version > 1_000_000:
		return fmt.Errorf("version is %d; use 1, 2, 3…", e.Version)
	case !e.Mode.valid() || !e.UnknownProperties.valid():
		return errors.New("mode and unknown_properties are off, warn, quarantine or reject")
	case p.size == maxEntries:
		return fmt.Errorf("a plan may have at most %d events", maxEntries)
	}
	switch e.Type {
	case data.Page:
		e.Name = "Page Viewed"
	case data.Screen:
		e.Name = "Screen Viewed"
	case data.Track:
	case data.Identify, data.Group, data.Alias:
		if e.Name != "" {
			return fmt.Errorf("%s calls have no name; leave it out", e.Type)
		}
	default:
		return fmt.Errorf("type is %.40q; use track, identify, page, screen, group or alias", string(e.Type))
	}
	v := &version{number: e.Version, mode: e.Mode, unknown: e.UnknownProperties, ref: fmt.Sprintf("%s@%d", label(e.Type, e.Name), e.Version)}
	if v.mode == "" {
		v.mode = f.Mode
	}
	if v.unknown == "" {
		v.unknown = f.UnknownProperties
	}
	for _, room := range [...]struct {
		name   string
		schema any
	}{{"properties", e.Properties}, {"traits", e.Traits}, {"context", e.Context}} {
		if room.schema == nil {
			continue
		}
		s, err := compileSchema(room.schema)
		if err != nil {
			return fmt.Errorf("%s: %w", room.name, err)
		}
		v.parts = append(v.parts, part{room.name, s})
		if (room.name == "traits") == (e.Type == data.Identify || e.Type == data.Group) && room.name != "context" {
			if v.pii, err = personal(room.schema); err != nil {
				return fmt.Errorf("%s: %w", room.name, err)
			}
		}
		if room.name == "properties" {
			v.known = knownNames(s)
		}
	}
	for i, status := range [...]string{"valid", "invalid"} {
		v.status[i] = statusJSON(v.ref, status)
	}
	k := key{e.Type, e.Name}
	if p.entries[k] == nil {
		p.entries[k] = &named{}
	}
	all := &p.entries[k].versions
	for _, other := range *all {
		if other.number == v.number {
			return fmt.Errorf("version %d is there twice", v.number)
		}
	}
	*all = append(*all, v)
	sort.Slice(*all, func(i, j int) bool { return (*all)[i].number < (*all)[j].number })
	p.size++
	return nil
}

// personal are the fields of a room's schema with pii: true beside their type.
func personal(schema any) (map[string]bool, error) {
	object, _ := schema.(map[string]any)
	fields, _ := object["properties"].(map[string]any)
	tagged := map[string]bool{}
	for name, field := range fields {
		of, _ := field.(map[string]any)
		tag, there := of["pii"]
		is, isBool := tag.(bool)
		if there && !isBool {
			return nil, fmt.Errorf("%.60s: pii is %v; use true or false", name, tag)
		}
		if is {
			tagged[name] = true
		}
	}
	return tagged, nil
}

// personal reports whether a version of the event says that the field is personal.
func (n *named) personal(field string) bool {
	for _, v := range n.versions {
		if v.pii[field] {
			return true
		}
	}
	return false
}

// label is the event's name, or its type where it has none.
func label(typ data.EventType, name string) string {
	if name == "" {
		return string(typ)
	}
	return name
}

func statusJSON(ref, status string) json.RawMessage {
	quoted, _ := json.Marshal(ref) // a string always marshals
	return json.RawMessage(`{"ref":` + string(quoted) + `,"status":"` + status + `"}`)
}

// nowhere refuses to load schemas that a schema refers to: a plan is complete in itself.
type nowhere struct{}

func (nowhere) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s is another document; put it under $defs of this schema", url)
}

func compileSchema(doc any) (s *jsonschema.Schema, err error) {
	defer func() {
		if r := recover(); r != nil {
			s, err = nil, fmt.Errorf("not a schema: %v", r)
		}
	}()
	// By way of JSON: maps with names only, and every number a float64.
	b, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("not a schema: %w", err)
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("not a schema: %w", err)
	}
	switch doc.(type) {
	case bool, map[string]any:
	default:
		return nil, errors.New("not a schema; write an object such as {type: object, properties: {…}}, or true or false")
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(nowhere{})
	c.AssertFormat()
	const url = "plan:///schema"
	if err := c.AddResource(url, doc); err != nil {
		return nil, plainError(err)
	}
	if s, err = c.Compile(url); err != nil {
		return nil, plainError(err)
	}
	if s.DraftVersion != 2020 {
		return nil, fmt.Errorf("$schema is of draft %d; leave it out or use https://json-schema.org/draft/2020-12/schema", s.DraftVersion)
	}
	if err := bearable(s); err != nil {
		return nil, err
	}
	return s, nil
}

// plainError is what the library objects to, in one line.
func plainError(err error) error {
	var invalid *jsonschema.SchemaValidationError
	if errors.As(err, &invalid) {
		var v *jsonschema.ValidationError
		if errors.As(invalid.Err, &v) {
			if list := violations("", v); len(list) > 0 {
				return fmt.Errorf("not JSON Schema 2020-12: %s", list[0])
			}
		}
	}
	return fmt.Errorf("not JSON Schema 2020-12: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
}
