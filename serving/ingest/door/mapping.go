package door

import (
	"encoding/json"
	"fmt"
	"strings"

	"kindred/features/expr"
)

// Rule makes calls of a webhook's document, in CEL over body (the document) and headers.
type Rule struct {
	When  string `yaml:"when"`  // whether the rule applies; "" is always
	Calls string `yaml:"calls"` // one call, a list of calls, or null for none
}

// MaxMappedBytes bounds a document that rules read.
const MaxMappedBytes = 256 << 10

// rule is a compiled Rule.
type rule struct{ when, calls *expr.Program }

// compileRules is the mapping that applies every rule whose condition holds; without rules AsCall. The
// error says which rule, and where in it.
func compileRules(rules []Rule, names []string) (Mapping, error) {
	if len(rules) == 0 {
		return AsCall, nil
	}
	limits := expr.DefaultLimits()
	limits.MaxInputBytes, limits.MaxCost = MaxMappedBytes, 20_000_000
	env, err := expr.New(limits, []expr.Var{{Name: "body", Type: expr.Dyn}, {Name: "headers", Type: expr.Map}}, nil)
	if err != nil {
		return nil, err
	}
	compiled := make([]rule, len(rules))
	for i, r := range rules {
		if r.When != "" {
			if compiled[i].when, err = env.Compile(r.When, expr.Bool); err != nil {
				return nil, fmt.Errorf("rules[%d].when: %w", i, err)
			}
		}
		if compiled[i].calls, err = env.Compile(r.Calls, expr.Dyn); err != nil {
			return nil, fmt.Errorf("rules[%d].calls: %w", i, err)
		}
	}
	return func(document json.RawMessage, header Header) ([]json.RawMessage, error) {
		if len(document) > MaxMappedBytes {
			return nil, fmt.Errorf("the document has %d bytes; rules read at most %d", len(document), MaxMappedBytes)
		}
		given := newObject()
		for _, name := range names {
			given.setText(strings.ToLower(name), strings.ToValidUTF8(header(name), "\ufffd"))
		}
		vars := expr.Vars(map[string]any{"body": expr.JSON(compact(document)), "headers": expr.JSON(given.bytes())})
		var calls []json.RawMessage
		for i, r := range compiled {
			made, err := r.apply(vars)
			if err != nil {
				return nil, fmt.Errorf("rules[%d]%w", i, err)
			}
			calls = append(calls, made...)
		}
		return calls, nil
	}, nil
}

// apply are the calls that the rule makes.
func (r rule) apply(vars expr.Activation) ([]json.RawMessage, error) {
	if r.when != nil {
		if is, err := r.when.Bool(vars); err != nil {
			return nil, fmt.Errorf(".when: %w", err)
		} else if !is {
			return nil, nil
		}
	}
	v, err := r.calls.Eval(vars)
	if err != nil {
		return nil, fmt.Errorf(".calls: %w", err)
	}
	out, present, err := expr.AppendJSON(nil, v)
	switch {
	case err != nil:
		return nil, fmt.Errorf(".calls: %w", err)
	case !present || string(out) == "null":
		return nil, nil
	}
	made := []json.RawMessage{out}
	if out[0] == '[' {
		made = listOf(out)
	}
	calls := made[:0]
	for _, raw := range made {
		if string(raw) == "null" {
			continue
		}
		o, err := fieldsOf(raw)
		if err != nil {
			return nil, fmt.Errorf(".calls: a call %w", err)
		}
		for _, name := range idFields { // ids that the sender keeps as numbers
			o.setText(name, o.text(name))
		}
		calls = append(calls, o.bytes())
	}
	return calls, nil
}

// idFields are the fields of a call that are texts even where the sender writes numbers.
var idFields = [...]string{"userId", "anonymousId", "previousId", "groupId", "messageId"}

// compact is a document without space around it, as rules read it.
func compact(document json.RawMessage) json.RawMessage {
	return json.RawMessage(strings.TrimSpace(string(document)))
}
