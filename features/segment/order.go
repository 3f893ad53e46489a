package segment

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"kindred/features/expr"
)

// resolve finds the segments that rules name.
func (s *Set) resolve(names map[string]int) error {
	known := make([]string, 0, len(names))
	for name := range names {
		known = append(known, name)
	}
	slices.Sort(known)
	missing := func(name string) string {
		if near := expr.Nearest(name, known); near != "" {
			return fmt.Sprintf("there is no segment %q; did you mean %s?", name, near)
		}
		return fmt.Sprintf("there is no segment %q", name)
	}
	var errs []error
	for i := range s.rules {
		r := &s.rules[i]
		if r.Parent != "" {
			at, ok := names[r.Parent]
			if !ok {
				errs = append(errs, fault(r.Segment, "parent", "%s", missing(r.Parent)))
				continue
			}
			r.parent = at
			r.reads.segments[at] = true
		}
		for _, ref := range r.reads.unresolved {
			at, ok := names[ref.name]
			if !ok {
				errs = append(errs, &Error{r.Segment, "when", ref.from.Refuse(r.When, "%s", missing(ref.name))})
				continue
			}
			ref.at.slot = at
			r.reads.segments[at] = true
		}
	}
	return errors.Join(errs...)
}

// order sorts the rules into units, each after those it reads.
func (s *Set) order() error {
	unitOf, units := make([]int, len(s.rules)), [][]int(nil)
	groups := map[string]int{}
	for i := range s.rules {
		r := &s.rules[i]
		at, ok := groups[r.Group]
		if r.Group == "" || !ok {
			at = len(units)
			units = append(units, nil)
			if r.Group != "" {
				groups[r.Group] = at
			}
		}
		if r.Group != "" {
			r.group = at
		}
		unitOf[i] = at
		units[at] = append(units[at], i)
	}
	state := make([]uint8, len(units)) // 1: being visited, 2: done
	var path []string
	var visit func(u int) error
	visit = func(u int) error {
		if state[u] == 2 {
			return nil
		}
		name := s.rules[units[u][0]].Segment
		if state[u] == 1 {
			return fault(name, "", "it depends on itself: %s", strings.Join(append(path, name), " → "))
		}
		state[u] = 1
		path = append(path, name)
		for _, i := range units[u] {
			for _, on := range sortedKeys(s.rules[i].reads.segments) {
				if unitOf[on] == u && on != i {
					return fault(s.rules[i].Segment, "", "it depends on %s, of the same group", s.rules[on].Segment)
				}
				if err := visit(unitOf[on]); err != nil {
					return err
				}
			}
		}
		path = path[:len(path)-1]
		state[u] = 2
		s.units = append(s.units, units[u])
		return nil
	}
	for u := range units {
		if err := visit(u); err != nil {
			return err
		}
	}
	return nil
}
