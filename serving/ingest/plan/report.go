package plan

import (
	"sort"
	"strings"
	"sync"
	"time"

	"kindred/data"
	"kindred/features/expr/rawjson"
)

// report counts what arrives. Each event has a lock of its own.
type report struct {
	cfg    Config
	mu     sync.RWMutex
	events map[key]*seenEvent
	beyond uint64 // events that found no room
}

type seenEvent struct {
	mu          sync.Mutex
	first, last time.Time
	statuses    map[string]uint64
	refused     map[Mode]uint64
	fields      map[string]*seenField
	rules       map[ruleKey]uint64
	beyond      uint64 // fields that found no room
}

type seenField struct {
	count       uint64
	first, last time.Time
	types       map[string]*seenType
	unknown     uint64
}

type seenType struct {
	count       uint64
	first, last time.Time
}

// ruleKey is one field and the rule that it broke.
type ruleKey struct{ path, rule string }

// maxRuleKeys bounds the pairs of field and rule that one event's report tells apart.
const maxRuleKeys = 200

func newReport(cfg Config) *report { return &report{cfg: cfg, events: map[key]*seenEvent{}} }

func (r *report) find(e *data.Event) *seenEvent {
	name := e.Name
	if len(name) > maxNameLength {
		name = name[:maxNameLength]
	}
	r.mu.RLock()
	s := r.events[key{e.Type, name}]
	r.mu.RUnlock()
	if s != nil {
		return s
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	k := key{data.EventType(strings.Clone(string(e.Type))), strings.Clone(name)}
	if s = r.events[k]; s == nil {
		if len(r.events) >= r.cfg.ReportEvents {
			r.beyond++
			return nil
		}
		s = &seenEvent{statuses: map[string]uint64{}, refused: map[Mode]uint64{}, fields: map[string]*seenField{}, rules: map[ruleKey]uint64{}}
		r.events[k] = s
	}
	return s
}

// note counts one event and what the plan said of it.
func (r *report) note(e *data.Event, res *result) {
	s := r.find(e)
	if s == nil {
		return
	}
	at := e.Times.Received
	s.mu.Lock()
	defer s.mu.Unlock()
	spread(&s.first, &s.last, at)
	s.statuses[res.Status]++
	if res.Mode == Quarantine || res.Mode == Reject {
		s.refused[res.Mode]++
	}
	room := e.Props
	if e.Type == data.Identify || e.Type == data.Group {
		room = e.Traits
	}
	for o := rawjson.Fields(room); o.Next(); {
		f := s.fields[string(o.Name)]
		if f == nil {
			if len(s.fields) >= r.cfg.ReportFields || len(o.Name) > maxNameLength {
				s.beyond++
				continue
			}
			f = &seenField{types: map[string]*seenType{}}
			s.fields[string(o.Name)] = f
		}
		f.count++
		spread(&f.first, &f.last, at)
		kind := rawjson.Kind(o.Value)
		t := f.types[kind]
		if t == nil {
			t = &seenType{}
			f.types[kind] = t
		}
		t.count++
		spread(&t.first, &t.last, at)
	}
	for _, name := range res.Unknown {
		if f := s.fields[name]; f != nil {
			f.unknown++
		}
	}
	for _, v := range res.Violations {
		k := ruleKey{v.Path, v.Rule}
		if _, ok := s.rules[k]; !ok && len(s.rules) >= maxRuleKeys {
			k = ruleKey{"", "others"}
		}
		s.rules[k]++
	}
}

func spread(first, last *time.Time, at time.Time) {
	if first.IsZero() || at.Before(*first) {
		*first = at
	}
	if at.After(*last) {
		*last = at
	}
}

// Report is what arrived since the start, beside what was planned.
type Report struct {
	Events  []EventReport `json:"events"`  // by type and name
	Missing []string      `json:"missing"` // planned and never seen, as refs
	Beyond  uint64        `json:"beyond"`  // events of further names, which found no room here
}

// EventReport is about one event.
type EventReport struct {
	Type       data.EventType    `json:"type"`
	Name       string            `json:"name"`
	Planned    bool              `json:"planned"`
	Count      uint64            `json:"count"`
	First      time.Time         `json:"first_seen"`
	Last       time.Time         `json:"last_seen"`
	Statuses   map[string]uint64 `json:"statuses"`
	Refused    map[Mode]uint64   `json:"refused,omitempty"`
	Fields     []FieldReport     `json:"fields"`
	Violations []ViolationReport `json:"violations,omitempty"` // the most frequent first
	Beyond     uint64            `json:"beyond"`               // values of further fields, which found no room here
}

// FieldReport is about one property, or trait of identify and group calls.
type FieldReport struct {
	Name     string                `json:"name"`
	Coverage float64               `json:"coverage"` // the share of events that have it
	Unknown  bool                  `json:"unknown"`  // the plan does not name it
	PII      bool                  `json:"pii"`      // the plan says that it is personal
	First    time.Time             `json:"first_seen"`
	Last     time.Time             `json:"last_seen"`
	Types    map[string]TypeReport `json:"types"`
	Drift    bool                  `json:"drift"` // it came as more than one type, null aside
}

// TypeReport is about one JSON type of a field's values.
type TypeReport struct {
	Count uint64    `json:"count"`
	First time.Time `json:"first_seen"`
	Last  time.Time `json:"last_seen"`
}

// ViolationReport is one rule that events broke at one place.
type ViolationReport struct {
	Path  string `json:"path"`
	Rule  string `json:"rule"`
	Count uint64 `json:"count"`
}

// Report is what arrived since the start, beside the plan in force.
func (s *Stage) Report() Report {
	out := Report{Events: []EventReport{}, Missing: []string{}}
	p := s.Plan()
	r := s.report
	r.mu.RLock()
	defer r.mu.RUnlock()
	out.Beyond = r.beyond
	for k, e := range r.events {
		out.Events = append(out.Events, e.report(k, p))
	}
	sort.Slice(out.Events, func(i, j int) bool {
		a, b := out.Events[i], out.Events[j]
		return a.Type < b.Type || a.Type == b.Type && a.Name < b.Name
	})
	if p != nil {
		for k, e := range p.entries {
			if r.events[k] == nil {
				out.Missing = append(out.Missing, e.versions[len(e.versions)-1].ref)
			}
		}
		sort.Strings(out.Missing)
	}
	return out
}

func (s *seenEvent) report(k key, p *Plan) EventReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := EventReport{Type: k.typ, Name: k.name, First: s.first, Last: s.last, Statuses: map[string]uint64{}, Refused: map[Mode]uint64{}, Fields: []FieldReport{}, Beyond: s.beyond}
	out.Planned = p != nil && p.entries[k] != nil
	for status, n := range s.statuses {
		out.Statuses[status] = n
		out.Count += n
	}
	for m, n := range s.refused {
		out.Refused[m] = n
	}
	for _, name := range sorted(s.fields) {
		f := s.fields[name]
		fr := FieldReport{Name: rawjson.NameOf([]byte(name)), Coverage: float64(f.count) / float64(max(1, out.Count)), Unknown: f.unknown > 0, First: f.first, Last: f.last, Types: map[string]TypeReport{}}
		fr.PII = out.Planned && p.entries[k].personal(fr.Name)
		kinds := 0
		for kind, t := range f.types {
			fr.Types[kind] = TypeReport{t.count, t.first, t.last}
			if kind != "null" {
				kinds++
			}
		}
		fr.Drift = kinds > 1
		out.Fields = append(out.Fields, fr)
	}
	for k, n := range s.rules {
		out.Violations = append(out.Violations, ViolationReport{k.path, k.rule, n})
	}
	sort.Slice(out.Violations, func(i, j int) bool {
		a, b := out.Violations[i], out.Violations[j]
		return a.Count > b.Count || a.Count == b.Count && (a.Path < b.Path || a.Path == b.Path && a.Rule < b.Rule)
	})
	return out
}
