package plan

import "github.com/santhosh-tekuri/jsonschema/v6"

// known are the names that a schema gives to an object's fields.
type known struct {
	names    map[string]bool
	patterns []jsonschema.Regexp
}

// knownNames collects the names of a schema and of those that apply with it. nil means that
// the schema names nothing, so that nothing is unknown.
func knownNames(s *jsonschema.Schema) *known {
	k := &known{names: map[string]bool{}}
	seen := map[*jsonschema.Schema]bool{}
	var visit func(*jsonschema.Schema)
	visit = func(s *jsonschema.Schema) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		for name := range s.Properties {
			k.names[name] = true
		}
		for re := range s.PatternProperties {
			k.patterns = append(k.patterns, re)
		}
		for _, t := range inPlace(s) {
			visit(t)
		}
	}
	visit(s)
	if len(k.names)+len(k.patterns) == 0 {
		return nil
	}
	return k
}

func (k *known) has(name string) bool {
	if k == nil || k.names[name] {
		return true
	}
	for _, re := range k.patterns {
		if re.MatchString(name) {
			return true
		}
	}
	return false
}

// inPlace are the schemas that s applies to the same value, as often as it does.
func inPlace(s *jsonschema.Schema) []*jsonschema.Schema {
	out := []*jsonschema.Schema{s.Ref, s.RecursiveRef, s.Not, s.If, s.Then, s.Else}
	if s.DynamicRef != nil {
		out = append(out, s.DynamicRef.Ref)
	}
	out = append(append(append(out, s.AllOf...), s.AnyOf...), s.OneOf...)
	for _, d := range s.DependentSchemas {
		out = append(out, d)
	}
	for _, d := range s.Dependencies {
		if d, ok := d.(*jsonschema.Schema); ok {
			out = append(out, d)
		}
	}
	n := 0
	for _, t := range out {
		if t != nil {
			out[n] = t
			n++
		}
	}
	return out[:n]
}
