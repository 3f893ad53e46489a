package segment

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"kindred/features/segment/slot"
)

// index finds for each filter its slots, for each slot its rules.
func (s *Set) index() {
	s.usedBy = make([][]use, len(s.filters))
	for i := range s.slots {
		for step, f := range s.slots[i].Sources {
			s.usedBy[f] = append(s.usedBy[f], use{i, step})
		}
	}
	s.byName = map[string][]int{}
	for i, f := range s.filters {
		switch {
		case len(s.usedBy[i]) == 0:
		case f.name == "":
			s.others = append(s.others, i)
		default:
			s.byName[f.name] = append(s.byName[f.name], i)
		}
	}
	s.unitOf = make([]int, len(s.rules))
	for u, unit := range s.units {
		for _, i := range unit {
			s.unitOf[i] = u
		}
	}
	var all strings.Builder
	s.dependents = make([][]int, len(s.rules))
	for i := range s.rules {
		r := &s.rules[i]
		if r.itself[0] = i; r.reads.clock {
			s.always = append(s.always, i)
		}
		for on := range r.reads.segments {
			s.dependents[on] = append(s.dependents[on], i)
		}
		for x := range r.reads.slots {
			s.slots[x].rules = append(s.slots[x].rules, i)
		}
		for what, reads := range [...]bool{r.reads.traits, r.reads.consent, r.reads.session, r.reads.behaviour} {
			if reads {
				s.reading[what] = append(s.reading[what], i)
			}
		}
		fmt.Fprintf(&all, "%+v\n", r.Rule)
	}
	s.list()
	for i := range s.slots {
		slices.Sort(s.slots[i].rules)
		s.slots[i].moves = movesOf(&s.slots[i].Spec)
	}
	for i := range s.scores {
		fmt.Fprintf(&all, "%+v\n", s.scores[i])
	}
	s.version = uint32(xxhash.Sum64String(all.String())) | 1
}

// list makes rules and slots findable by the ids that a person's bytes have.
func (s *Set) list() {
	s.ruleAt = newPlaces(len(s.rules), func(i int) uint32 { return s.rules[i].id })
	s.slotAt = newPlaces(len(s.slots), func(i int) uint32 { return s.slots[i].id })
}

// source is the number of a filter.
func (s *Set) source(f filter, key string) uint32 {
	if key == "" {
		key = canonical(f)
	}
	i, ok := s.filterAt[key]
	if !ok {
		i = uint32(len(s.filters))
		s.filters = append(s.filters, f)
		s.filterAt[key] = i
	}
	return i
}

// path is the number of a field.
func (s *Set) path(parts ...string) uint32 {
	key := strings.Join(parts, "\x00")
	i, ok := s.pathAt[key]
	if !ok {
		i = uint32(len(s.paths))
		s.paths = append(s.paths, slices.Clone(parts))
		s.pathAt[key] = i
	}
	return i
}

// slot is the place of the slot with this meaning.
func (s *Set) slot(spec slot.Spec) int {
	meaning := s.meaning(&spec)
	id := uint32(xxhash.Sum64String(meaning))
	if i, ok := s.slotsBy[id]; ok && s.slots[i].meaning == meaning {
		return i
	} else if ok {
		s.clash = fmt.Errorf("%s and %s have the same hash; change one a little", s.Describe(i), meaning)
	}
	i := len(s.slots)
	s.slots = append(s.slots, compiledSlot{Spec: spec, id: id, meaning: meaning})
	s.slotsBy[id] = i
	return i
}

// meaning is what a slot computes, by names and texts, not numbers.
func (s *Set) meaning(spec *slot.Spec) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %+v %d %d %v %d|", spec.Kind, spec.Scope, spec.Cap, spec.HalfLife, spec.Weights, spec.Horizon)
	for _, f := range spec.Sources {
		b.WriteString(canonical(s.filters[f]))
		b.WriteByte('|')
	}
	b.WriteString(strings.Join(s.paths[spec.Field], "\x00"))
	return b.String()
}
