package clean

import (
	"bytes"
	"fmt"
	"io"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"

	"kindred/features/expr"
	"kindred/features/expr/rawjson"
)

// The bounds of a rules file.
const (
	maxRulesBytes = 4 << 20
	maxRules      = 10_000 // mappings of all sources
	maxFields     = 200    // dates, money, units and aliased fields, each
)

// rulesFile is the rules as they are written.
type rulesFile struct {
	Mappings map[string][]ruleFile          `yaml:"mappings"` // by source; "*" is every source, before its own
	Dates    []string                       `yaml:"dates"`
	Aliases  map[string]map[string][]string `yaml:"aliases"` // field: {canonical: [others]}
	Units    []unitFile                     `yaml:"units"`
	Money    struct {
		Fields   []string `yaml:"fields"`
		Currency string   `yaml:"currency"`
	} `yaml:"money"`
}

type ruleFile struct {
	When    string            `yaml:"when"`
	Set     map[string]string `yaml:"set"`    // path: CEL
	Rename  map[string]string `yaml:"rename"` // from: to
	Drop    []string          `yaml:"drop"`
	Discard bool              `yaml:"discard"`
}

type unitFile struct {
	Field     string `yaml:"field"`
	From      string `yaml:"from"`
	UnitField string `yaml:"unit_field"` // beside the value, holds its unit
	To        string `yaml:"to"`
}

// rules are what a rules file means; immutable.
type rules struct {
	mappings map[string][]mapping
	every    []mapping // of the source "*"
	dates    []field
	aliases  []aliased
	units    []conversion
	money    []string // names of fields, in properties and its products
	currency string
}

// field is a place in an event: its room, which is properties, traits or context, and the way inside.
type field struct {
	room string
	path []string
}

type aliased struct {
	field
	to map[string]string
}

type conversion struct {
	field
	from, to unit
	fromName string
	toName   string
	unitName string // the field beside it that names the unit
}

// parseRules reads a rules file. The error names the place and what would be right.
func parseRules(b []byte) (*rules, error) {
	if len(b) > maxRulesBytes {
		return nil, fmt.Errorf("%d bytes; a rules file may have at most %d", len(b), maxRulesBytes)
	}
	var f rulesFile
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil && err != io.EOF {
		return nil, fmt.Errorf("not a rules file: %w", err)
	}
	r := &rules{mappings: map[string][]mapping{}, currency: f.Money.Currency, money: f.Money.Fields}
	tables := map[string]map[string]string{}
	for _, path := range sortedKeys(f.Aliases) {
		at, err := inRoom(path)
		if err != nil {
			return nil, fmt.Errorf("aliases: %w", err)
		}
		to := map[string]string{}
		for _, canonical := range sortedKeys(f.Aliases[path]) {
			for _, other := range append(f.Aliases[path][canonical], canonical) {
				if known, ok := to[fold(other)]; ok && known != canonical {
					return nil, fmt.Errorf("aliases: %s: %q stands for %q and for %q; let it stand for one", path, other, known, canonical)
				}
				to[fold(other)] = canonical
			}
		}
		tables[path] = to
		r.aliases = append(r.aliases, aliased{at, to})
	}
	if err := r.fields(&f); err != nil {
		return nil, err
	}
	env, err := mappingEnv(tables)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, source := range sortedKeys(f.Mappings) {
		for i, rule := range f.Mappings[source] {
			if n++; n > maxRules {
				return nil, fmt.Errorf("mappings: more than %d rules", maxRules)
			}
			m, err := compileMapping(env, rule)
			if err != nil {
				return nil, fmt.Errorf("mappings: %s: rule %d: %w", source, i+1, err)
			}
			if m.label = fmt.Sprintf("%s[%d]", source, i+1); source == "*" {
				r.every = append(r.every, m)
			} else {
				r.mappings[source] = append(r.mappings[source], m)
			}
		}
	}
	return r, nil
}

// fields reads what is said about single fields.
func (r *rules) fields(f *rulesFile) error {
	if max(len(f.Dates), len(f.Units), len(f.Aliases), len(f.Money.Fields)) > maxFields {
		return fmt.Errorf("more than %d fields of one sort", maxFields)
	}
	for _, path := range f.Dates {
		at, err := inRoom(path)
		if err != nil {
			return fmt.Errorf("dates: %w", err)
		}
		r.dates = append(r.dates, at)
	}
	for _, name := range f.Money.Fields {
		if name == "" || strings.ContainsAny(name, ".[]") {
			return fmt.Errorf("money: fields: %q; write the bare name of a field of properties and its products, such as price", name)
		}
	}
	if _, ok := exponent(r.currency); r.currency != "" && !ok {
		return fmt.Errorf("money: currency is %q; use a code of ISO 4217 such as EUR", r.currency)
	}
	for _, u := range f.Units {
		at, err := inRoom(u.Field)
		if err != nil {
			return fmt.Errorf("units: %w", err)
		}
		c := conversion{field: at, toName: u.To, fromName: u.From, unitName: u.UnitField}
		var ok bool
		if c.to, ok = unitOf(u.To); !ok {
			return fmt.Errorf("units: %s: to is %q, which is no known unit; use one such as kg, cm, l, s, c or share", u.Field, u.To)
		}
		if c.from, ok = unitOf(u.From); u.From != "" && (!ok || c.from.kind != c.to.kind) {
			return fmt.Errorf("units: %s: from is %q; use a unit of %s, as %s is", u.Field, u.From, c.to.kind, u.To)
		}
		if strings.ContainsAny(u.UnitField, ".[]") {
			return fmt.Errorf("units: %s: unit_field is %q; write the bare name of the field beside it", u.Field, u.UnitField)
		}
		r.units = append(r.units, c)
	}
	return nil
}

// inRoom takes a dotted path apart and says where it must begin.
func inRoom(dotted string) (field, error) {
	path := rawjson.Path(dotted)
	for _, name := range path {
		if name == "" {
			return field{}, fmt.Errorf("%q: a name in the path is empty", dotted)
		}
	}
	switch path[0] {
	case "properties", "traits", "context":
		if len(path) == 1 || path[1] == "[]" || len(path) > 16 {
			return field{}, fmt.Errorf("%q: name a field inside of it, such as %s.color", dotted, path[0])
		}
		return field{path[0], path[1:]}, nil
	}
	suggestion := expr.Nearest(path[0], []string{"properties", "traits", "context"})
	if suggestion == "" {
		return field{}, fmt.Errorf("%q: a path begins with properties, traits or context", dotted)
	}
	return field{}, fmt.Errorf("%q: a path begins with properties, traits or context; did you mean %s?", dotted, suggestion)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
