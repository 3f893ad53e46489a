package hybrid

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Normalization says how a component's scores become comparable.
type Normalization string

// The normalizations.
const (
	ZScore Normalization = "zscore" // (s − mean)/deviation over all items
	Rank   Normalization = "rank"   // 1 for the best item, 0 for the worst, ties share
)

// Model is the weights of a blend. It is immutable; all slices are read-only.
type Model struct {
	Components    []string // names of the components, in blending order
	Normalization Normalization
	Weights       []float64 // one a component, ≥ 0, sum 1: for everybody without a bucket of their own
	Buckets       []Bucket  // by rising UpTo
	K             int       // the k of NDCG@k that was maximised; 0 when nothing was learned
	NDCG          float64   // on the validation cases, with these weights; 0 when nothing was learned
	Cases         int       // validation cases used
}

// Bucket is the weights for a range of history lengths: from one above the former
// bucket's UpTo (0 for the first) to UpTo.
type Bucket struct {
	UpTo    int
	Weights []float64
	Cases   int // validation cases it was learned from
}

// Equal returns a blend in which every component counts the same.
func Equal(components []string, n Normalization) *Model {
	w := make([]float64, len(components))
	for i := range w {
		w[i] = 1 / float64(len(w))
	}
	return &Model{Components: slices.Clone(components), Normalization: n, Weights: w}
}

// WeightsFor returns the weights for a person with the given number of history
// items: those of their bucket, or those for everybody. Do not change them.
func (m *Model) WeightsFor(history int) []float64 {
	for _, b := range m.Buckets {
		if history <= b.UpTo {
			if b.Weights == nil {
				break
			}
			return b.Weights
		}
	}
	return m.Weights
}

// Only returns the blend restricted to some of its components, in its own order,
// with weights scaled to sum to 1 (equal where none of them has weight). The error
// names a component that the blend does not have, or says that none was named.
func (m *Model) Only(components ...string) (*Model, error) {
	for _, name := range components {
		if !slices.Contains(m.Components, name) {
			return nil, fmt.Errorf("restrict the blend to %q: it has %s", name, strings.Join(m.Components, ", "))
		}
	}
	if len(components) == 0 {
		return nil, fmt.Errorf("restrict the blend: name at least one of %s", strings.Join(m.Components, ", "))
	}
	var keep []int
	only := &Model{Normalization: m.Normalization}
	for i, name := range m.Components {
		if slices.Contains(components, name) {
			keep = append(keep, i)
			only.Components = append(only.Components, name)
		}
	}
	pick := func(w []float64) []float64 {
		if w == nil {
			return nil
		}
		out := make([]float64, len(keep))
		for i, c := range keep {
			out[i] = w[c]
		}
		return scaled(out, nil)
	}
	only.Weights = pick(m.Weights)
	for _, b := range m.Buckets {
		only.Buckets = append(only.Buckets, Bucket{UpTo: b.UpTo, Weights: pick(b.Weights)})
	}
	return only, nil
}

// scaled returns w with the entries that are not in warm (nil: all are) set to 0
// and the rest scaled to sum to 1, or made equal if their sum is 0. All zero when
// nothing is warm.
func scaled(w []float64, warm []bool) []float64 {
	out := make([]float64, len(w))
	sum, count := 0.0, 0
	for i, x := range w {
		if warm == nil || warm[i] {
			out[i] = x
			sum += x
			count++
		}
	}
	for i := range out {
		switch {
		case warm != nil && !warm[i]:
		case sum > 0:
			out[i] /= sum
		default:
			out[i] = 1 / float64(count)
		}
	}
	return out
}

// Validate checks that the weights are a blend; the error names what is not.
func (m *Model) Validate() error {
	if len(m.Components) == 0 {
		return fmt.Errorf("hybrid: no components")
	}
	for i, name := range m.Components {
		if name == "" || slices.Contains(m.Components[:i], name) {
			return fmt.Errorf("hybrid: component %d: name %q is empty or occurs twice", i, name)
		}
	}
	if m.Normalization != ZScore && m.Normalization != Rank {
		return fmt.Errorf("hybrid: normalization %q: use %s or %s", m.Normalization, ZScore, Rank)
	}
	if err := checkWeights(m.Weights, len(m.Components)); err != nil {
		return fmt.Errorf("hybrid: weights: %w", err)
	}
	last := -1
	for i, b := range m.Buckets {
		if b.UpTo <= last {
			return fmt.Errorf("hybrid: bucket %d: up to %d does not rise above %d", i, b.UpTo, last)
		}
		last = b.UpTo
		if b.Weights == nil {
			continue
		}
		if err := checkWeights(b.Weights, len(m.Components)); err != nil {
			return fmt.Errorf("hybrid: bucket up to %d: %w", b.UpTo, err)
		}
	}
	return nil
}

// checkWeights checks one set of weights.
func checkWeights(w []float64, components int) error {
	if len(w) != components {
		return fmt.Errorf("%d weights for %d components", len(w), components)
	}
	sum := 0.0
	for i, x := range w {
		if !(x >= 0) || math.IsInf(x, 0) {
			return fmt.Errorf("weight %d is %v: must be a number, 0 or more", i, x)
		}
		sum += x
	}
	if math.Abs(sum-1) > 1e-9 {
		return fmt.Errorf("the weights sum to %v: must sum to 1", sum)
	}
	return nil
}
