package hybrid

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"kindred/model"
)

// Scorer is a blend bound to its components. It is immutable and safe for
// concurrent use.
type Scorer struct {
	model   *Model
	scorers []model.Scorer // in the order of model.Components
	items   int
	scratch sync.Pool // *Blended

	index *Index   // nil: Top scores every item
	asked []source // by component, nil where one of them has to be scored densely
}

var (
	_ model.Scorer    = (*Scorer)(nil)
	_ model.Explainer = (*Scorer)(nil)
)

// Bind joins the weights with the components they are for; scorers may come in any
// order and may hold others too. The error names a component that is missing or
// whose number of items differs from the first one's.
func (m *Model) Bind(scorers []model.Scorer) (*Scorer, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	s := &Scorer{model: m}
	for _, name := range m.Components {
		at := slices.IndexFunc(scorers, func(c model.Scorer) bool { return c.Name() == name })
		if at < 0 {
			return nil, fmt.Errorf("bind the blend: component %q is missing", name)
		}
		s.scorers = append(s.scorers, scorers[at])
	}
	s.items = s.scorers[0].Items()
	for _, c := range s.scorers[1:] {
		if c.Items() != s.items {
			return nil, fmt.Errorf("bind the blend: %s knows %d items and %s %d", s.scorers[0].Name(), s.items, c.Name(), c.Items())
		}
	}
	return s, nil
}

// BindIndex is Bind with an index that x's scorers, padded or not, were built into,
// so that Top need not score every item.
func (m *Model) BindIndex(scorers []model.Scorer, x *Index) (*Scorer, error) {
	s, err := m.Bind(scorers)
	if err != nil {
		return nil, err
	}
	if s.items < x.items {
		return nil, fmt.Errorf("bind the blend: %d rows, its index has %d", s.items, x.items)
	}
	s.index = x
	if m.Normalization == ZScore {
		s.asked = x.sources(s.scorers)
	}
	return s, nil
}

// Name is "hybrid".
func (s *Scorer) Name() string { return "hybrid" }

// Items is the number of item rows.
func (s *Scorer) Items() int { return s.items }

// Model is the weights.
func (s *Scorer) Model() *Model { return s.model }

// Score blends the components' scores for h; false when no component has anything
// to say about this person. With an index it is what Top ranks by, to the bit, else what Blend does.
// Cost is the sum of the components' and O(items) each.
func (s *Scorer) Score(h model.History, dst []float32) bool {
	if s.asked != nil {
		l := s.ask(h)
		defer l.Release()
		if !l.Known() {
			clear(dst[:s.items])
			return false
		}
		l.scores(dst[:s.items])
		return true
	}
	b := s.Blend(h)
	defer b.Release()
	copy(dst, b.Scores)
	return b.Known()
}

// Blended is one person's blend and what it was made of. Release gives its memory
// back for the next request; nothing of it may be used after that.
type Blended struct {
	Scores  []float32 // the blend, one an item; all zero when nobody knows the person
	Weights []float64 // in component order, scaled to sum to 1; 0 where a component is cold

	scorer *Scorer
	warm   []bool
	mean   []float64   // of the raw scores, for z-scores
	scale  []float64   // 1/deviation of the raw scores, for z-scores
	parts  [][]float32 // normalised scores by component
}

// Part is one component's part in an item's score.
type Part struct {
	Component string
	Weight    float64 // of the component for this person, after leaving cold ones out
	Score     float64 // the item's normalised score
	Share     float64 // Weight · Score; the shares of all parts sum to the item's score
}

// Blend scores all items for h and keeps the components' parts. Call Release when
// done with it.
func (s *Scorer) Blend(h model.History) *Blended {
	b, _ := s.scratch.Get().(*Blended)
	if b == nil {
		b = &Blended{
			Scores: make([]float32, s.items),
			scorer: s,
			warm:   make([]bool, len(s.scorers)),
			mean:   make([]float64, len(s.scorers)),
			scale:  make([]float64, len(s.scorers)),
			parts:  make([][]float32, len(s.scorers)),
		}
		for c := range b.parts {
			b.parts[c] = make([]float32, s.items)
		}
	}
	for c, scorer := range s.scorers {
		b.mean[c], b.scale[c] = 0, 0
		if b.warm[c] = scorer.Score(h, b.parts[c]); b.warm[c] {
			b.mean[c], b.scale[c] = normalize(b.parts[c], s.model.Normalization)
		}
	}
	b.Weights = scaled(s.model.WeightsFor(len(h.Rows)), b.warm)
	b.mix()
	return b
}

// mix sums the weighted parts into Scores.
func (b *Blended) mix() {
	for i := range b.Scores {
		sum := 0.0
		for c, w := range b.Weights {
			if w != 0 {
				sum += w * float64(b.parts[c][i])
			}
		}
		b.Scores[i] = float32(sum)
	}
}

// Known reports whether any component had something to say about the person.
func (b *Blended) Known() bool { return slices.Contains(b.warm, true) }

// Parts says what each component that counts for this person contributed to the
// item's score, largest share first, equal ones in component order.
func (b *Blended) Parts(item int32) []Part {
	parts := make([]Part, 0, len(b.Weights))
	for c, w := range b.Weights {
		if b.warm[c] && w > 0 {
			score := float64(b.parts[c][item])
			parts = append(parts, Part{Component: b.scorer.model.Components[c], Weight: w, Score: score, Share: w * score})
		}
	}
	sortParts(parts)
	return parts
}

// sortParts puts the largest share first, equal ones in component order.
func sortParts(parts []Part) {
	slices.SortStableFunc(parts, func(x, y Part) int { return cmp.Compare(y.Share, x.Share) })
}

// Release returns the memory to the scorer.
func (b *Blended) Release() { b.scorer.scratch.Put(b) }
