package live

import (
	"fmt"
	"slices"
	"strings"

	"kindred/model"
	"kindred/model/hybrid"
)

// blends are the model's blend and its restrictions to every subset of its
// components, indexed by the subset's bits in blending order.
type blends struct {
	model *hybrid.Model
	by    []*hybrid.Scorer // by[0] is nil: no component, no blend
}

// maxComponents bounds the number of subsets that are bound at load.
const maxComponents = 8

// bind joins the weights with scorers that all have the same number of rows and were,
// before they got more than the model has, built into the index.
func bind(m *hybrid.Model, scorers []model.Scorer, index *hybrid.Index) (*blends, error) {
	if len(m.Components) > maxComponents {
		return nil, fmt.Errorf("bind the blend: %d components, at most %d are served", len(m.Components), maxComponents)
	}
	b := &blends{model: m, by: make([]*hybrid.Scorer, 1<<len(m.Components))}
	for mask := 1; mask < len(b.by); mask++ {
		var names []string
		for i, name := range m.Components {
			if mask>>i&1 == 1 {
				names = append(names, name)
			}
		}
		only := m
		if len(names) < len(m.Components) {
			var err error
			if only, err = m.Only(names...); err != nil {
				return nil, err
			}
		}
		var err error
		if b.by[mask], err = only.BindIndex(scorers, index); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// UnknownComponentError names a component that the model does not have.
type UnknownComponentError struct {
	Name string
	Have []string
}

func (e *UnknownComponentError) Error() string {
	return fmt.Sprintf("unknown component %q; this model has %s", e.Name, strings.Join(e.Have, ", "))
}

// of is the blend of the named components; of all when none is named.
func (b *blends) of(names []string) (*hybrid.Scorer, error) {
	mask := 0
	for _, name := range names {
		i := slices.Index(b.model.Components, name)
		if i < 0 {
			return nil, &UnknownComponentError{Name: name, Have: b.model.Components}
		}
		mask |= 1 << i
	}
	if mask == 0 {
		mask = len(b.by) - 1
	}
	return b.by[mask], nil
}
