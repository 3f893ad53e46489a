package plan

import (
	"bytes"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"kindred/data"
)

// Mode is what becomes of events that do not fit.
type Mode string

// The modes. Quarantine and reject both keep the event out of the log and in the dead letters;
// quarantined ones are waiting for a better plan, rejected ones for a better client.
const (
	Off        Mode = "off"
	Warn       Mode = "warn"
	Quarantine Mode = "quarantine"
	Reject     Mode = "reject"
)

func (m Mode) valid() bool {
	switch m {
	case "", Off, Warn, Quarantine, Reject:
		return true
	}
	return false
}

// File is a plan as it is written, in YAML or JSON.
type File struct {
	Plan string `yaml:"plan" json:"plan,omitempty"` // its name
	// Mode is for events that do not fit their schema and say none of their own; "" is warn.
	Mode Mode `yaml:"mode" json:"mode,omitempty"`
	// UnknownEvents is for events that the plan does not name; "" is warn.
	UnknownEvents Mode `yaml:"unknown_events" json:"unknown_events,omitempty"`
	// UnknownProperties is for properties that an event's schema does not name; "" is warn.
	UnknownProperties Mode    `yaml:"unknown_properties" json:"unknown_properties,omitempty"`
	Events            []Entry `yaml:"events" json:"events"`
}

// Entry is one version of one event.
type Entry struct {
	// Type is track where it is "".
	Type data.EventType `yaml:"type" json:"type,omitempty"`
	// Name is the event's; page, screen, identify, group and alias calls have none.
	Name              string `yaml:"name" json:"name,omitempty"`
	Version           int    `yaml:"version" json:"version,omitempty"` // 0 is 1
	Description       string `yaml:"description" json:"description,omitempty"`
	Mode              Mode   `yaml:"mode" json:"mode,omitempty"`
	UnknownProperties Mode   `yaml:"unknown_properties" json:"unknown_properties,omitempty"`
	// Properties, Traits and Context are schemas: objects of JSON Schema 2020-12, or true or false.
	Properties any `yaml:"properties" json:"properties,omitempty"`
	Traits     any `yaml:"traits" json:"traits,omitempty"`
	Context    any `yaml:"context" json:"context,omitempty"`
}

// The bounds of a plan.
const (
	MaxFileBytes  = 4 << 20
	maxEntries    = 5000
	maxNodes      = 200_000 // of a file's YAML
	maxYAMLDepth  = 100
	maxNameLength = 200
)

// ParseFile reads one plan file. The error names the line where it can.
func ParseFile(b []byte) (f File, err error) {
	defer func() { // a parser of other people's bytes
		if r := recover(); r != nil {
			err = fmt.Errorf("not a plan: %v", r)
		}
	}()
	if len(b) > MaxFileBytes {
		return f, fmt.Errorf("%d bytes; a plan file may have at most %d", len(b), MaxFileBytes)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(b, &root); err != nil {
		return f, fmt.Errorf("not a plan: %w", err)
	}
	nodes := 0
	if err := bounded(&root, 0, &nodes); err != nil {
		return f, err
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil && err != io.EOF {
		return File{}, fmt.Errorf("not a plan: %w", err)
	}
	return f, nil
}

// bounded refuses YAML that nests too deeply, is too large, or repeats itself by aliases, which multiply.
func bounded(n *yaml.Node, depth int, nodes *int) error {
	if *nodes++; *nodes > maxNodes {
		return fmt.Errorf("line %d: a plan file may have at most %d values", n.Line, maxNodes)
	}
	if depth > maxYAMLDepth {
		return fmt.Errorf("line %d: nests deeper than %d levels", n.Line, maxYAMLDepth)
	}
	if n.Kind == yaml.AliasNode {
		return fmt.Errorf("line %d: a plan has no YAML aliases; use $defs and $ref inside a schema", n.Line)
	}
	for _, c := range n.Content {
		if err := bounded(c, depth+1, nodes); err != nil {
			return err
		}
	}
	return nil
}
