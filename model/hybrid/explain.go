package hybrid

import (
	"math"

	"kindred/model"
)

// explanation is a person's blend with the explanations of its components.
type explanation struct {
	b      *Blended
	own    bool // whether Release also releases the blend
	parts  []model.Explanation
	sums   map[int32]float64
	most   int // causes that a component can have
	causes []model.Cause
}

// Explain says which past items led to the blended scores; see Blended.Explain.
func (s *Scorer) Explain(h model.History) model.Explanation {
	e := s.Blend(h).explain(h)
	e.own = true
	return e
}

// Explain is for the history that b was made of, and must be released before b. A
// past item's share is summed over the components that can explain themselves. For
// z-scores their shares are in the score's unit exactly (share · weight / deviation);
// for ranks a component's part is divided among its causes in proportion.
func (b *Blended) Explain(h model.History) model.Explanation { return b.explain(h) }

func (b *Blended) explain(h model.History) *explanation {
	e := &explanation{b: b, parts: make([]model.Explanation, len(b.Weights)), sums: map[int32]float64{}, most: len(h.Rows)}
	for c, w := range b.Weights {
		if explainer, ok := b.scorer.scorers[c].(model.Explainer); ok && b.warm[c] && w != 0 {
			e.parts[c] = explainer.Explain(h)
		}
	}
	return e
}

// Causes are the past items' shares in item's blended score.
func (e *explanation) Causes(item int32, k int) []model.Cause {
	clear(e.sums)
	for c, part := range e.parts {
		if part == nil {
			continue
		}
		causes := part.Causes(item, e.most)
		scale := e.b.Weights[c] * e.b.scale[c]
		if e.b.scorer.model.Normalization == Rank {
			total := 0.0
			for _, cause := range causes {
				total += math.Abs(cause.Share)
			}
			if total == 0 {
				continue
			}
			scale = e.b.Weights[c] * float64(e.b.parts[c][item]) / total
		}
		for _, cause := range causes {
			e.sums[cause.Row] += scale * cause.Share
		}
	}
	e.causes = e.causes[:0]
	for row, share := range e.sums {
		e.causes = append(e.causes, model.Cause{Row: row, Share: share})
	}
	return model.Largest(e.causes, k)
}

// Release releases the components' explanations.
func (e *explanation) Release() {
	for _, part := range e.parts {
		if part != nil {
			part.Release()
		}
	}
	if e.own {
		e.b.Release()
	}
}
