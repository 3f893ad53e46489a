package segment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
	"go.yaml.in/yaml/v3"
)

// Rules are what one version of a rule set says.
type Rules struct {
	Segments []Rule  `yaml:"segments" json:"segments"`
	Scores   []Score `yaml:"scores,omitempty" json:"scores,omitempty"`
}

// Rule defines one segment.
type Rule struct {
	Segment string `yaml:"segment" json:"segment"` // its name: a lower-case letter, then letters, digits and _
	Title   string `yaml:"title,omitempty" json:"title,omitempty"`
	When    string `yaml:"when" json:"when"`                     // who belongs to it: a condition in CEL
	Exit    string `yaml:"exit,omitempty" json:"exit,omitempty"` // who leaves it; without one, who no longer fulfils When

	For      Duration `yaml:"for,omitempty" json:"for,omitempty"`           // how long When must hold before entry and, without Exit, fail before exit
	Cooldown Duration `yaml:"cooldown,omitempty" json:"cooldown,omitempty"` // after an exit nobody enters again for so long
	MinStay  Duration `yaml:"min_stay,omitempty" json:"min_stay,omitempty"` // who has entered stays so long, unless parent or consent goes
	TTL      Duration `yaml:"ttl,omitempty" json:"ttl,omitempty"`           // who has entered leaves after so long, and enters again only once When has failed

	Group    string  `yaml:"group,omitempty" json:"group,omitempty"`       // of its segments a person is in one at most
	Priority int     `yaml:"priority,omitempty" json:"priority,omitempty"` // within the group: the larger wins
	Score    string  `yaml:"score,omitempty" json:"score,omitempty"`       // within the group: the larger value of this score wins, before Priority
	Margin   float64 `yaml:"margin,omitempty" json:"margin,omitempty"`     // how much larger, for a person to change

	Parent  string   `yaml:"parent,omitempty" json:"parent,omitempty"`     // only who is in it can be in this one
	Consent string   `yaml:"consent,omitempty" json:"consent,omitempty"`   // only who has agreed to this purpose
	Notify  []string `yaml:"notify,omitempty" json:"notify,omitempty"`     // where changes go besides the stream: webhook:NAME
	MinSize int      `yaml:"min_size,omitempty" json:"min_size,omitempty"` // fewer members are a warning
}

// Score is a number that what a person does adds to and that fades.
type Score struct {
	Score    string   `yaml:"score" json:"score"`
	HalfLife Duration `yaml:"half_life" json:"half_life"`
	// Scale is τ of 100·(1 − e^(−S/τ)), which brings the sum S to 0 to 100; 0 gives S itself.
	Scale float64     `yaml:"scale,omitempty" json:"scale,omitempty"`
	Adds  []ScorePart `yaml:"adds" json:"adds"`
}

// ScorePart says what some events add to a score.
type ScorePart struct {
	Events string  `yaml:"events" json:"events"` // such as events("Clicked")
	Weight float64 `yaml:"weight" json:"weight"`
}

// maxRulesBytes bounds a rules file.
const maxRulesBytes = 4 << 20

// ParseRules reads a rules file in YAML or JSON. Unknown fields are refused; the error names the
// line. What the rules say is checked by Compile.
func ParseRules(b []byte) (Rules, error) {
	var r Rules
	if len(b) > maxRulesBytes {
		return r, fmt.Errorf("%d bytes; rules may have at most %d", len(b), maxRulesBytes)
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&r); err != nil && !errors.Is(err, io.EOF) {
		return Rules{}, fmt.Errorf("read rules: %w", err)
	}
	return r, nil
}

// Version names the rules in the catalog: a hash of all that they say, 16 hexadecimal digits. The same
// rules have the same one however they were written down.
func (r Rules) Version() (string, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("version of rules: %w", err)
	}
	return fmt.Sprintf("%016x", xxhash.Sum64(b)), nil
}

// Duration is a length of time as rules write it: "30s", "10m", "24h", "7d", "2w", or
// several such parts in a row. In JSON and YAML it is a text.
type Duration time.Duration

var units = map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}

var durationPart = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|w)`)

// ParseDuration reads such a length of time.
func ParseDuration(text string) (Duration, error) {
	rest, total := text, 0.
	for rest != "" {
		p := durationPart.FindStringSubmatch(rest)
		if p == nil {
			return 0, fmt.Errorf("%q is no length of time; write it like 30s, 10m, 24h or 7d", text)
		}
		n, err := strconv.ParseFloat(p[1], 64)
		if err != nil {
			return 0, fmt.Errorf("%q is no length of time: %w", text, err)
		}
		total += n * float64(units[p[2]])
		rest = rest[len(p[0]):]
	}
	if text == "" || total > float64(100*366*24*time.Hour) {
		return 0, fmt.Errorf("%q is no length of time up to 100 years", text)
	}
	return Duration(math.Round(total/1e6)) * Duration(time.Millisecond), nil // which String can write
}

// ms is the duration in milliseconds.
func (d Duration) ms() int64 { return time.Duration(d).Milliseconds() }

// String writes whole days as days.
func (d Duration) String() string {
	if day := 24 * time.Hour; d != 0 && time.Duration(d)%day == 0 {
		return fmt.Sprintf("%dd", time.Duration(d)/day)
	}
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// MarshalText writes the duration as String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads it as ParseDuration does.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDuration(string(text))
	return err
}

var goodName = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]{0,63}$`)

// Error says what is wrong with which rule.
type Error struct {
	Rule  string // the segment's or score's name, or its number where it has none
	Field string // the field of it, such as "when"
	Err   error  // an *expr.Error where the place inside the field is known
}

func (e *Error) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("%s: %v", e.Rule, e.Err)
	}
	return fmt.Sprintf("%s: %s: %v", e.Rule, e.Field, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// fault is an *Error.
func fault(rule, field, format string, args ...any) error {
	return &Error{rule, field, fmt.Errorf(format, args...)}
}

// check reports what is wrong with a rule by itself.
func (r *Rule) check(place int) error {
	name := r.Segment
	if name == "" {
		name = fmt.Sprintf("segment %d", place+1)
	}
	switch {
	case !goodName.MatchString(r.Segment):
		return fault(name, "segment", "%q is no name; use a lower-case letter, then letters, digits and _, 64 in all", r.Segment)
	case strings.TrimSpace(r.When) == "":
		return fault(name, "when", "the condition is missing")
	case r.For < 0 || r.Cooldown < 0 || r.MinStay < 0 || r.TTL < 0:
		return fault(name, "", "for, cooldown, min_stay and ttl cannot be negative")
	case r.TTL > 0 && r.MinStay > r.TTL:
		return fault(name, "min_stay", "%v is longer than the ttl of %v", r.MinStay, r.TTL)
	case r.Group == "" && (r.Margin != 0 || r.Score != ""):
		return fault(name, "group", "score and margin decide within a group; name one")
	case r.Margin < 0:
		return fault(name, "margin", "%v is negative", r.Margin)
	case r.MinSize < 0:
		return fault(name, "min_size", "%d is negative", r.MinSize)
	}
	return nil
}
