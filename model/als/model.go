package als

import (
	"errors"
	"fmt"
	"math"
	"sync"

	"kindred/model"
	"kindred/model/kernel"
)

// Model is the factors of one fit. It implements model.Scorer, model.Explainer,
// model.SimilarScorer and model.Linear. Fit, UnmarshalBinary and Remap make one.
type Model struct {
	loss  objective
	f     int
	items []float32 // n × f
	users []float32 // m × f; nil in a decoded or remapped model

	// Derived from the above.
	n       int
	gram    []float64 // a0·HᵀH, f × f
	gram32  []float32 // the same
	inverse []float32 // 1/|h_i|, 0 for an item without factors

	scratch *sync.Pool // of *equations; the collector bounds it
}

var (
	_ model.Scorer        = (*Model)(nil)
	_ model.Explainer     = (*Model)(nil)
	_ model.SimilarScorer = (*Model)(nil)
	_ model.Linear        = (*Model)(nil)
)

// ErrSingular: the normal equations have no unique solution, because the
// regularization is zero and the history too short, or because weights overflow.
var ErrSingular = errors.New("the normal equations are singular; raise als.regularization")

// newModel derives what scoring needs; it takes ownership of the factors.
func newModel(loss objective, f int, items, users []float32) *Model {
	m := &Model{loss: loss, f: f, items: items, users: users, n: len(items) / f}
	m.scratch = &sync.Pool{New: func() any { return newEquations(m) }}
	m.gram = make([]float64, f*f)
	m.gram32 = make([]float32, f*f)
	kernel.Syrk(m.gram, items, nil, f, make([]float64, 4*f)) // float64: what FoldIn is exact to
	for j := range f {
		for k := range j + 1 {
			v := m.gram[j*f+k] * loss.unobserved
			m.gram[j*f+k], m.gram[k*f+j] = v, v
			m.gram32[j*f+k], m.gram32[k*f+j] = float32(v), float32(v)
		}
	}
	m.inverse = make([]float32, m.n)
	for i := range m.n {
		if norm := length(m.ItemFactors(int32(i))); norm > 0 {
			m.inverse[i] = float32(1 / norm)
		}
	}
	return m
}

// length is the Euclidean norm, added in float64.
func length(v []float32) float64 {
	s := 0.0
	for _, x := range v {
		s += float64(x) * float64(x)
	}
	return math.Sqrt(s)
}

// Name is "als".
func (m *Model) Name() string { return "als" }

// Items is the number of item rows.
func (m *Model) Items() int { return m.n }

// Users is the number of people whose factors the model holds: those of the
// training matrix after Fit, none after decoding.
func (m *Model) Users() int { return len(m.users) / max(m.f, 1) }

// Factors is f.
func (m *Model) Factors() int { return m.f }

// Scale is s in c = s·r.
func (m *Model) Scale() float64 { return m.loss.scale }

// ItemFactors is the vector of one item; the caller must not change it.
func (m *Model) ItemFactors(row int32) []float32 {
	return m.items[int(row)*m.f : (int(row)+1)*m.f]
}

// UserFactors is the vector of one person of the training matrix, row in [0, Users);
// the caller must not change it.
func (m *Model) UserFactors(row int) []float32 {
	return m.users[row*m.f : (row+1)*m.f]
}

// Score folds the history in and writes w·h_i for every item into dst. It reports
// false for an empty history, and for one that cannot be folded in. Cost is that of FoldIn and n·f.
func (m *Model) Score(h model.History, dst []float32) bool {
	dst = dst[:m.n]
	eq := m.scratch.Get().(*equations)
	defer m.scratch.Put(eq)
	q := eq.rhs
	if err := eq.foldIn(q, h.Rows, h.Weights); err != nil || len(h.Rows) == 0 {
		clear(dst)
		return false
	}
	m.ScoreVector(q, dst)
	return true
}

// Query writes the person's factors, by FoldIn, into q, of length Factors. It reports
// false, and q is zero, for an empty history, and for one that cannot be folded in.
func (m *Model) Query(h model.History, q []float32) bool {
	return m.FoldInInto(q, h.Rows, h.Weights) == nil && len(h.Rows) > 0
}

// Vectors are the factors of all items, row-major, and their length; the caller must
// not change them.
func (m *Model) Vectors() (v []float32, f int) { return m.items, m.f }

// ScoreVector writes w·h_i for every item into dst, of length Items; w has length Factors.
func (m *Model) ScoreVector(w, dst []float32) {
	kernel.Gemv(dst[:m.n], m.items, w[:m.f])
}

// Similar writes the cosine between the item's factors and every item's into dst,
// and reports false for an item without factors (nobody used it).
func (m *Model) Similar(item int32, dst []float32) bool {
	dst = dst[:m.n]
	if m.inverse[item] == 0 {
		clear(dst)
		return false
	}
	kernel.Gemv(dst, m.items, m.ItemFactors(item))
	for i := range dst {
		dst[i] *= m.inverse[i] * m.inverse[item]
	}
	return true
}

// Remap carries a model over to another vocab, to warm-start its next fit: row i of
// the result has the factors of old row oldRow[i], and none where oldRow[i] is negative.
// People are dropped. An old row outside [0, old.Items) panics.
func Remap(old *Model, oldRow []int32) *Model {
	items := make([]float32, len(oldRow)*old.f)
	for i, row := range oldRow {
		if row >= 0 {
			copy(items[i*old.f:(i+1)*old.f], old.ItemFactors(row))
		}
	}
	return newModel(old.loss, old.f, items, nil)
}

// String describes the model's shape.
func (m *Model) String() string {
	return fmt.Sprintf("als: %d items × %d factors", m.n, m.f)
}
