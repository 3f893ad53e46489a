package als

import (
	"math"

	"kindred/model/kernel"
	"kindred/model/sparse"
)

// objective is the loss as the solvers see it: everything that turns a strength
// r into a weight and a target, and a row's length into its regularization.
type objective struct {
	hkv            bool
	regularization float64 // λ
	unobserved     float64 // a0
	exponent       float64 // ν
	scale          float64 // s in c = s·r
}

// objectiveOf resolves the configuration for a training matrix: s = 1/mean(r), or 1 for hkv.
func objectiveOf(cfg Config, x *sparse.CSR) objective {
	o := objective{
		hkv: cfg.Objective == ObjectiveHKV, regularization: cfg.Regularization,
		unobserved: cfg.UnobservedWeight, exponent: cfg.FrequencyExponent, scale: 1,
	}
	if !o.hkv && x.NNZ() > 0 {
		sum := 0.0
		for _, v := range x.Val {
			sum += float64(v)
		}
		o.scale = float64(x.NNZ()) / sum
	}
	return o
}

// terms is (w, b) of an observed pair of strength r: the loss of the pair is
// w·s² − 2b·s + b for a score s, beside a0·s², which every pair has.
func (o objective) terms(r float32) (w, b float64) {
	c := o.scale * float64(r)
	if o.hkv {
		return c - 1, c
	}
	return c, c
}

// termsOf is the terms of many strengths, in float32. They are in wRoom and bRoom, which are long
// enough, or in strengths itself.
func (o objective) termsOf(strengths, wRoom, bRoom []float32) (w, b []float32) {
	w, b = wRoom[:len(strengths)], strengths
	if o.hkv { // whose scale is 1
		kernel.Affine(w, strengths, 1, -1)
		return w, b
	}
	if o.scale != 1 {
		b = bRoom[:len(strengths)]
		kernel.Affine(b, strengths, float32(o.scale), 0)
	}
	return b, b
}

// ridge is λ(|S| + a0·others)^ν, the regularization of a row with observed entries
// when the other side has others rows.
func (o objective) ridge(observed, others int) float64 {
	return o.regularization * math.Pow(float64(observed)+o.unobserved*float64(others), o.exponent)
}

// Loss is the objective's value on x, the training matrix, added in float64, with
// the people's factors that Fit left in the model. It panics when the shapes of
// x and the model differ. Cost is O(nnz·f + (m+n)f²).
//
// The library implicit reports the loss of objective hkv divided by the weight of all pairs,
// which for m people and n items is Σ c − nnz + m·n.
func (m *Model) Loss(x *sparse.CSR) float64 {
	if x.Rows != m.Users() || x.Cols != m.n {
		panic("als: Loss of a matrix of another shape")
	}
	return lossOf(m.loss, m.f, x, m.items, m.users)
}

// lossOf is the objective of the package comment, added in float64.
func lossOf(o objective, f int, x *sparse.CSR, items, users []float32) float64 {
	total := 0.0
	perItem := make([]int, x.Cols)
	for u := range x.Rows {
		cols, vals := x.Row(u)
		wu := users[u*f : (u+1)*f]
		for i, c := range cols {
			s := 0.0
			for k, v := range items[int(c)*f : (int(c)+1)*f] {
				s += float64(v) * float64(wu[k])
			}
			w, b := o.terms(vals[i])
			total += w*s*s - 2*b*s + b
			perItem[c]++
		}
		norm := length(wu)
		total += o.ridge(len(cols), x.Cols) * norm * norm
	}
	for i, observed := range perItem {
		norm := length(items[i*f : (i+1)*f])
		total += o.ridge(observed, x.Rows) * norm * norm
	}
	// Σ_u Σ_i (w_u·h_i)² = ⟨WᵀW, HᵀH⟩.
	people, things, wide := make([]float64, f*f), make([]float64, f*f), make([]float64, 4*f)
	kernel.Syrk(people, users, nil, f, wide)
	kernel.Syrk(things, items, nil, f, wide)
	product := 0.0
	for j := range f {
		for k := range j {
			product += 2 * people[j*f+k] * things[j*f+k]
		}
		product += people[j*f+j] * things[j*f+j]
	}
	return total + o.unobserved*product
}
