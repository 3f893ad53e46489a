package clean

import (
	"kindred/data"
	"kindred/serving/ingest/stage"
)

var (
	Date       = date
	MinorUnits = minorUnits
	ParseRules = parseRules
)

// ApplyRules is what a cleaner with these rules alone does.
func ApplyRules(r *rules, e *data.Event) stage.Verdict {
	c := &Cleaner{counts: counts{n: map[Count]uint64{}}}
	return applyRules(r, e, &c.counts)
}

// AgentFinder finds user agents of programs in the vendored list.
func AgentFinder() (func(string) string, error) {
	l, err := newAgentList(nil)
	return l.find, err
}
