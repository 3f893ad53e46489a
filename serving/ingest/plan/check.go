package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"kindred/data"
	"kindred/data/event"
	"kindred/features/expr"
	"kindred/features/expr/rawjson"
)

// The statuses of an event.
const (
	Valid   = "valid"
	Invalid = "invalid"
	Unknown = "unknown" // the plan does not know the event, or the version that it says
	// Unchecked events are those whose mode is off; nothing is written into them.
	Unchecked = "unchecked"
)

// maxViolations is how many violations of one event are told.
const maxViolations = 8

// Violation is one thing about an event that does not fit.
type Violation struct {
	Path    string `json:"path"`    // a JSON pointer into the event: /properties/price
	Rule    string `json:"rule"`    // the keyword of the schema, or unknown_property
	Message string `json:"message"` // what is there and what would be right
}

func (v Violation) String() string { return v.Path + ": " + v.Message }

// Result is what a plan says of an event.
type Result struct {
	Ref        string      `json:"ref"` // the event's name and version: Product Viewed@3
	Status     string      `json:"status"`
	Mode       Mode        `json:"mode"` // what becomes of it
	Violations []Violation `json:"violations,omitempty"`
	// Unknown are the properties that the schema does not name.
	Unknown []string `json:"unknown_properties,omitempty"`
}

// result is a Result with the event's status as it is written into it.
type result struct {
	Result
	json json.RawMessage
	bare string // the event without its version
}

// Size is the number of events in the plan, each version counted.
func (p *Plan) Size() int { return p.size }

// Check tries a tracking call as a client would send it: nothing is counted or kept. The error
// is package event's refusal.
func (p *Plan) Check(call []byte) (Result, error) { return p.CheckAs(call, "") }

// CheckAs is Check for a call whose type its route implied.
func (p *Plan) CheckAs(call []byte, typ data.EventType) (Result, error) {
	c, err := event.ParseCall(call, typ)
	if err != nil {
		return Result{}, err
	}
	e, err := c.Canonical(event.Intake{Received: time.Unix(0, 0), NewID: func() string { return "check" }})
	if err != nil {
		return Result{}, err
	}
	return p.judge(&e).Result, nil
}

// judge holds the event against the plan.
func (p *Plan) judge(e *data.Event) result {
	name := label(e.Type, e.Name)
	if len(name) > maxNameLength {
		name = strings.ToValidUTF8(name[:maxNameLength], "")
	}
	all := p.entries[key{e.Type, e.Name}]
	if all == nil {
		r := result{Result: Result{Ref: name, Status: Unknown, Mode: p.unknownEvents}, bare: name}
		names := make([]string, 0, len(p.entries))
		if p.unknownEvents == Quarantine || p.unknownEvents == Reject { // looking for the nearest takes time
			for k := range p.entries {
				names = append(names, label(k.typ, k.name))
			}
			sort.Strings(names)
		}
		r.Violations = []Violation{{Rule: "unknown_event", Message: "the plan has no event " + strconv.Quote(name) + meant(expr.Nearest(name, names))}}
		r.json = statusJSON(name, Unknown)
		return r
	}
	v := all.versions[len(all.versions)-1]
	if raw := rawjson.Get(e.Ctx, "protocols", "event_version"); raw != nil { // where Segment's clients say it
		f, ok := rawjson.Number(raw)
		if text, isText := rawjson.Text(raw); isText {
			n, err := strconv.Atoi(text)
			f, ok = float64(n), err == nil
		}
		var said *version
		for _, w := range all.versions {
			if ok && float64(w.number) == f {
				said = w
			}
		}
		if said == nil {
			r := result{Result: Result{Ref: name, Status: Unknown, Mode: p.unknownEvents}, bare: name, json: statusJSON(name, Unknown)}
			r.Violations = []Violation{{"/context/protocols/event_version", "unknown_version", fmt.Sprintf("the plan has no version %.20s of it; the newest is %d", raw, v.number)}}
			return r
		}
		v = said
	}
	return v.judge(e, name)
}

func meant(name string) string {
	if name == "" {
		return ""
	}
	return "; did you mean " + strconv.Quote(name) + "?"
}

func (v *version) judge(e *data.Event, bare string) result {
	r := result{Result: Result{Ref: v.ref, Status: Valid, Mode: Off}, bare: bare, json: v.status[0]}
	if v.mode != Off {
		for _, part := range v.parts {
			if err := part.validate(e); err != nil {
				r.Violations = append(r.Violations, violations("/"+part.room, err)...)
			}
		}
	}
	if len(r.Violations) > 0 {
		r.Mode = v.mode
	}
	if v.known != nil && v.unknown != Off {
		for o := rawjson.Fields(e.Props); o.Next() && len(r.Unknown) < maxViolations; {
			name := rawjson.NameOf(o.Name)
			if !v.known.has(name) {
				r.Unknown = append(r.Unknown, strings.Clone(name))
			}
		}
	}
	if len(r.Unknown) > 0 && v.unknown != Warn {
		if strictness(v.unknown) > strictness(r.Mode) {
			r.Mode = v.unknown
		}
		names := sorted(v.known.names)
		for _, name := range r.Unknown {
			r.Violations = append(r.Violations, Violation{"/properties/" + pointer(name), "unknown_property", "the plan has no such property" + meant(expr.Nearest(name, names))})
		}
	}
	if len(r.Violations) > maxViolations {
		r.Violations = r.Violations[:maxViolations]
	}
	switch {
	case len(r.Violations) > 0:
		r.Status, r.json = Invalid, v.status[1]
	case v.mode == Off:
		r.Status, r.json = Unchecked, nil
	}
	return r
}

// validate decodes the part's room and holds it against the schema.
func (p part) validate(e *data.Event) *jsonschema.ValidationError {
	raw := []byte(e.Props)
	switch p.room {
	case "traits":
		raw = e.Traits
	case "context":
		raw = e.Ctx
	}
	var v any = map[string]any{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &v); err != nil { // package event has checked it
			return &jsonschema.ValidationError{ErrorKind: &kind.Schema{}}
		}
	}
	err := p.schema.Validate(v)
	if err == nil {
		return nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) { // an instance of a type that JSON has not
		return &jsonschema.ValidationError{ErrorKind: &kind.Schema{}}
	}
	return invalid
}

// violations are the innermost reasons of a validation's error, the first ones.
func violations(prefix string, err *jsonschema.ValidationError) (out []Violation) {
	english := message.NewPrinter(language.English)
	var visit func(*jsonschema.ValidationError)
	visit = func(v *jsonschema.ValidationError) {
		if len(out) >= maxViolations {
			return
		}
		if len(v.Causes) > 0 {
			for _, c := range v.Causes {
				visit(c)
			}
			return
		}
		path := prefix
		for _, step := range v.InstanceLocation {
			path += "/" + pointer(step)
		}
		rule := "schema"
		if words := v.ErrorKind.KeywordPath(); len(words) > 0 {
			rule = words[0]
		}
		text := v.ErrorKind.LocalizedString(english)
		if len(text) > 300 {
			text = strings.ToValidUTF8(text[:300], "") + "…"
		}
		if d, ok := v.ErrorKind.(*kind.Required); ok { // named where it is missing
			for _, name := range d.Missing {
				out = append(out, Violation{path + "/" + pointer(name), rule, "is missing; the plan requires it"})
			}
			return
		}
		out = append(out, Violation{clipped(path), rule, text})
	}
	visit(err)
	sort.SliceStable(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out[:min(len(out), maxViolations)]
}

// pointer escapes a name for a JSON pointer (RFC 6901).
func pointer(name string) string {
	return clipped(strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1"))
}

func clipped(s string) string {
	if len(s) > maxNameLength {
		return strings.ToValidUTF8(s[:maxNameLength], "") + "…"
	}
	return s
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
