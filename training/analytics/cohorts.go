package analytics

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kindred/features/expr"
)

// Period is the length of a cohort's time and of its steps.
type Period string

// The periods; weeks begin on Monday.
const (
	Day   Period = "day"
	Week  Period = "week"
	Month Period = "month"
)

// start is the beginning of the period that t lies in.
func (p Period) start(t time.Time) time.Time {
	t = t.UTC()
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	switch p {
	case Week:
		return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	case Month:
		return day.AddDate(0, 0, 1-day.Day())
	}
	return day
}

// after is how many periods lie between the starts of two periods.
func (p Period) after(from, to time.Time) int {
	switch p {
	case Week:
		return int(to.Sub(from) / (7 * 24 * time.Hour))
	case Month:
		return 12*(to.Year()-from.Year()) + int(to.Month()) - int(from.Month())
	}
	return int(to.Sub(from) / (24 * time.Hour))
}

// CohortOptions say who is in which cohort, and what counts as coming back.
type CohortOptions struct {
	First    string // the event that puts somebody into a cohort; "" for the first of any
	Return   string // the event that counts as coming back; "" for any
	Campaign bool   // cohorts by the campaign that brought people, instead of by time
	Period   Period // "" is Week
	Periods  int    // how many; 0 is 12
	// Entries put people into cohorts by another time than that of an event, such as their
	// entry into a segment, Unix ms by profile id; nil: by First.
	Entries map[string]int64
}

// Cohort is some people, and how many of them came back in each period: Returned[0] in that of
// their first time, after it. Of a period that is not over Returned says what there is, and Complete how many are over.
type Cohort struct {
	Cohort   string `json:"cohort"`
	People   int    `json:"people"`
	Returned []int  `json:"returned"`
	Complete int    `json:"complete"`
}

// Cohorts are those of the history, by their names. The error names the option that cannot be.
func (h *History) Cohorts(o CohortOptions) ([]Cohort, error) {
	if o.Period == "" {
		o.Period = Week
	}
	if o.Periods == 0 {
		o.Periods = 12
	}
	switch {
	case o.Period != Day && o.Period != Week && o.Period != Month:
		return nil, fmt.Errorf("period %q; use day, week or month", o.Period)
	case o.Periods < 1 || o.Periods > 1000:
		return nil, fmt.Errorf("%d periods; 1 to 1,000 are possible", o.Periods)
	}
	first, err := h.event("first", o.First)
	if err != nil {
		return nil, err
	}
	back, err := h.event("return", o.Return)
	if err != nil {
		return nil, err
	}
	found := map[string]*Cohort{}
	for i := range h.People {
		p := &h.People[i]
		at, ok := entry(p, first, o)
		if !ok {
			continue
		}
		begin := o.Period.start(time.UnixMilli(at))
		name := begin.Format(time.DateOnly)
		if o.Campaign {
			name = p.Campaign
		}
		c := found[name]
		if c == nil {
			c = &Cohort{Cohort: name, Returned: make([]int, o.Periods), Complete: o.Periods}
			found[name] = c
		}
		c.People++
		c.Complete = min(c.Complete, max(0, o.Period.after(begin, o.Period.start(h.Until))))
		seen := -1
		for _, a := range p.Acts {
			if a.At <= at || !back(a) {
				continue
			}
			if k := o.Period.after(begin, o.Period.start(time.UnixMilli(a.At))); k > seen && k < o.Periods {
				c.Returned[k]++
				seen = k
			}
		}
	}
	out := make([]Cohort, 0, len(found))
	for _, c := range found {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Cohort) int { return strings.Compare(a.Cohort, b.Cohort) })
	return out, nil
}

// entry is when somebody came into their cohort.
func entry(p *Person, first func(Act) bool, o CohortOptions) (int64, bool) {
	if o.Entries != nil {
		at, ok := o.Entries[string(p.ID)]
		return at, ok
	}
	for _, a := range p.Acts {
		if first(a) {
			return a.At, true
		}
	}
	return 0, false
}

// event tells acts of the name; an empty name is any.
func (h *History) event(option, name string) (func(Act) bool, error) {
	if name == "" {
		return func(Act) bool { return true }, nil
	}
	n, ok := h.named(name)
	if !ok {
		hint := ""
		if near := expr.Nearest(name, h.Names); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		return nil, fmt.Errorf("%s: nobody did %q%s", option, name, hint)
	}
	return func(a Act) bool { return a.Name == n }, nil
}
