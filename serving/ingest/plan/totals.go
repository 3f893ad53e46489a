package plan

import "sort"

// MaxTotals is how many events Totals tells apart for a monitoring system.
const MaxTotals = 200

// Other is the event of all that Totals does not tell apart.
const Other = "(other)"

// Total is what was counted of one event since the start.
type Total struct {
	Event    string // as the plan names it
	Statuses map[string]uint64
	Refused  map[Mode]uint64
	Rules    map[string]uint64 // by keyword
}

// Totals are the counts of the plan's events, the first most by name; those of others, which
// clients can name as they like, are together in Other.
func (s *Stage) Totals(most int) []Total {
	p := s.Plan()
	named := map[string]bool{}
	if p != nil {
		names := map[string]bool{}
		for k := range p.entries {
			names[label(k.typ, k.name)] = true
		}
		for _, name := range sorted(names)[:min(len(names), most)] {
			named[name] = true
		}
	}
	by := map[string]*Total{}
	s.report.mu.RLock()
	defer s.report.mu.RUnlock()
	for k, e := range s.report.events {
		name := label(k.typ, k.name)
		if !named[name] || p.entries[k] == nil {
			name = Other
		}
		t := by[name]
		if t == nil {
			t = &Total{Event: name, Statuses: map[string]uint64{}, Refused: map[Mode]uint64{}, Rules: map[string]uint64{}}
			by[name] = t
		}
		e.mu.Lock()
		for status, n := range e.statuses {
			t.Statuses[status] += n
		}
		for mode, n := range e.refused {
			t.Refused[mode] += n
		}
		for rule, n := range e.rules {
			t.Rules[rule.rule] += n
		}
		e.mu.Unlock()
	}
	out := make([]Total, 0, len(by))
	for _, t := range by {
		out = append(out, *t)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Event < out[j].Event })
	return out
}
