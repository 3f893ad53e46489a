package clean

import (
	"fmt"

	"kindred/data"
	"kindred/features/expr"
	"kindred/features/expr/rawjson"
)

// mapping is one compiled rule of a source.
type mapping struct {
	label   string
	when    *expr.Program // nil: always
	set     []assignment
	rename  [][2]field
	drop    []field
	discard bool
}

// assignment puts an expression's value into a field; the room "name" is the event's name.
type assignment struct {
	field
	value *expr.Program
}

// mappingEnv is what mappings may use.
func mappingEnv(aliases map[string]map[string]string) (*expr.Env, error) {
	return expr.New(expr.DefaultLimits(), []expr.Var{
		{Name: "event.type", Type: expr.String}, {Name: "event.name", Type: expr.String}, {Name: "event.source", Type: expr.String},
		{Name: "event.time", Type: expr.Timestamp}, {Name: "event.received", Type: expr.Timestamp},
		{Name: "event.user", Type: expr.String}, {Name: "event.anonymous", Type: expr.String},
		{Name: "event.properties", Type: expr.Map}, {Name: "event.traits", Type: expr.Map}, {Name: "event.context", Type: expr.Map},
		{Name: "properties", Type: expr.Map}, {Name: "traits", Type: expr.Map}, {Name: "context", Type: expr.Map},
	}, functions(aliases))
}

func compileMapping(env *expr.Env, f ruleFile) (m mapping, err error) {
	m.discard = f.Discard
	if f.When != "" {
		if m.when, err = env.Compile(f.When, expr.Bool); err != nil {
			return m, fmt.Errorf("when: %w", err)
		}
	}
	if f.Discard && (len(f.Set) > 0 || len(f.Rename) > 0 || len(f.Drop) > 0) {
		return m, fmt.Errorf("discard: the whole event goes, so set, rename and drop do nothing; leave them out")
	}
	if f.Discard && m.when == nil {
		return m, fmt.Errorf("discard: without when, every event of the source would go; write when: \"true\" if that is meant")
	}
	for _, path := range sortedKeys(f.Set) {
		a, want := assignment{field: field{room: "name"}}, expr.String
		if path != "name" {
			want = expr.Dyn
			if a.field, err = plainField(path); err != nil {
				return m, fmt.Errorf("set: %w", err)
			}
		}
		if a.value, err = env.Compile(f.Set[path], want); err != nil {
			return m, fmt.Errorf("set: %s: %w", path, err)
		}
		m.set = append(m.set, a)
	}
	for _, from := range sortedKeys(f.Rename) {
		var pair [2]field
		for i, path := range []string{from, f.Rename[from]} {
			if pair[i], err = plainField(path); err != nil {
				return m, fmt.Errorf("rename: %w", err)
			}
		}
		m.rename = append(m.rename, pair)
	}
	for _, path := range f.Drop {
		at, err := plainField(path)
		if err != nil {
			return m, fmt.Errorf("drop: %w", err)
		}
		m.drop = append(m.drop, at)
	}
	if len(m.set)+len(m.rename)+len(m.drop) == 0 && !m.discard {
		return m, fmt.Errorf("does nothing; give it set, rename, drop or discard")
	}
	return m, nil
}

// plainField is a path without [].
func plainField(dotted string) (field, error) {
	at, err := inRoom(dotted)
	for _, name := range at.path {
		if name == "[]" {
			return at, fmt.Errorf("%q: a mapping names one field; use map() in set for the elements of a list", dotted)
		}
	}
	return at, err
}

// room is the object that a field is in.
func room(e *data.Event, name string) *[]byte {
	switch name {
	case "properties":
		return (*[]byte)(&e.Props)
	case "traits":
		return (*[]byte)(&e.Traits)
	}
	return (*[]byte)(&e.Ctx)
}

// variables gives expressions the parts of an event that they ask for. expr.JSON is not
// called before: an event of which a rule reads only the name is not looked into.
type variables struct{ e *data.Event }

func (variables) Parent() expr.Activation { return nil }

func (v variables) ResolveName(name string) (any, bool) {
	switch name {
	case "event.type":
		return string(v.e.Type), true
	case "event.name":
		return v.e.Name, true
	case "event.source":
		return v.e.Source, true
	case "event.time":
		return expr.TimeValue(v.e.Times.Event), true
	case "event.received":
		return expr.TimeValue(v.e.Times.Received), true
	case "event.user":
		return string(v.e.IDs.User), true
	case "event.anonymous":
		return string(v.e.IDs.Anonymous), true
	case "properties", "event.properties":
		return objectOr(v.e.Props), true
	case "traits", "event.traits":
		return objectOr(v.e.Traits), true
	case "context", "event.context":
		return objectOr(v.e.Ctx), true
	}
	return nil, false
}

// objectOr is the object, or the empty one: an event without properties has no field, but is no error.
func objectOr(raw []byte) expr.Value {
	if len(raw) == 0 {
		return expr.JSON([]byte("{}"))
	}
	return expr.JSON(raw)
}

// apply does what the rule says to an event that it is about. All expressions read the
// event as it was before the rule; then fields are renamed, set and dropped. An expression
// that fails, for example because a field is missing, leaves its field as it was.
func (m *mapping) apply(e *data.Event, counts *counts) (changed, discarded bool) {
	vars := variables{e}
	if m.when != nil {
		is, err := m.when.Bool(vars)
		if err != nil {
			counts.add("mapping.unknown", m.label)
			return false, false
		}
		if !is {
			return false, false
		}
	}
	if m.discard {
		return false, true
	}
	counts.add("mapping.applied", m.label)
	values := make([][]byte, len(m.set))
	name, named := "", false
	for i, a := range m.set {
		v, err := a.value.Eval(vars)
		if err == nil && a.room == "name" {
			if name, named = expr.TextOf(v); !named || name == "" {
				named = false
				counts.add("mapping.failed", m.label+".name")
			}
			continue
		}
		if err == nil {
			var present bool
			if values[i], present, err = expr.AppendJSON(nil, v); err == nil && !present {
				values[i] = nil
			}
		}
		if err != nil {
			counts.add("mapping.failed", m.label)
		}
	}
	for _, r := range m.rename {
		from := room(e, r[0].room)
		v := rawjson.Get(*from, r[0].path...)
		if v == nil {
			continue
		}
		v = append([]byte(nil), v...)
		*from = rawjson.PutPath(*from, r[0].path, nil)
		to := room(e, r[1].room)
		*to = rawjson.PutPath(*to, r[1].path, v)
		changed = true
	}
	for i, a := range m.set {
		if values[i] == nil {
			continue
		}
		at := room(e, a.room)
		*at = rawjson.PutPath(*at, a.path, values[i])
		changed = true
	}
	for _, d := range m.drop {
		if at := room(e, d.room); rawjson.Get(*at, d.path...) != nil {
			*at = rawjson.PutPath(*at, d.path, nil)
			changed = true
		}
	}
	if named {
		e.Name, changed = name, true
	}
	return changed, false
}
