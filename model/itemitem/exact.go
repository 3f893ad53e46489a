package itemitem

import (
	"context"
	"fmt"
	"math"

	"kindred/model/kernel"
)

// The matrix of EASE, A = VᵀV + Λ, is applied here without being formed, in float64,
// to say how exact the weights are that were computed otherwise.

// apply writes A·w into out; people is memory for one number a person. Cost is O(NNZ).
func (e *ease) apply(out, w, people []float64) {
	for u := range people {
		cols, vals := e.byUser.Row(u)
		s := 0.0
		for k, i := range cols {
			s += float64(vals[k]) * w[i]
		}
		people[u] = s
	}
	for i := range out {
		users, vals := e.byItem.Row(i)
		s := e.ridge[i] * w[i]
		for k, u := range users {
			s += float64(vals[k]) * people[u]
		}
		out[i] = s
	}
}

// norm is the largest eigenvalue of A by power iteration: the matrix has no negative
// entry, so the vector of ones is never orthogonal to its eigenvector. When ctx ends, it is what
// was found by then.
func (e *ease) norm(ctx context.Context) float64 {
	const steps = 20
	w, next, people := make([]float64, e.n), make([]float64, e.n), make([]float64, e.byUser.Rows)
	for i := range w {
		w[i] = 1
	}
	value := 0.0
	for range steps {
		if ctx.Err() != nil {
			break
		}
		e.apply(next, w, people)
		sum := 0.0
		for _, x := range next {
			sum += x * x
		}
		size := math.Sqrt(sum)
		if size == 0 {
			return 0
		}
		for i := range w {
			w[i] = next[i] / size
		}
		value = size
	}
	return value
}

// tolerated is the residual from which an inverse is of no use. What is usual is below a thousandth.
const tolerated = .1

// verify takes the largest entry of A·p − e for some columns p of the inverse.
func (e *ease) verify(p *kernel.Symmetric) error {
	const columns = 4
	row := make([]float32, e.n)
	w, out, people := make([]float64, e.n), make([]float64, e.n), make([]float64, e.byUser.Rows)
	for c := range min(columns, e.n) {
		j := c * (e.n - 1) / max(1, min(columns, e.n)-1)
		p.Rows(j, 1, row)
		for i, v := range row {
			w[i] = float64(v)
		}
		e.apply(out, w, people)
		out[j]--
		for _, v := range out {
			if !(math.Abs(v) <= e.report.Residual) { // NaN, too
				e.report.Residual = math.Abs(v)
			}
		}
	}
	if !(e.report.Residual < tolerated) {
		return fmt.Errorf("%w: |A·P − I| is %.2g", ErrInexact, e.report.Residual)
	}
	return nil
}

// explained is how much less than |v_j|² the least of |v_j − Vw|² + Σ Λ_ii w_i² is over all w
// with w_j = 0: what the other items say about item j. It is found by conjugate
// gradients, preconditioned by the diagonal. When ctx ends, it is what was found by then.
func (e *ease) explained(ctx context.Context, j int) float64 {
	const steps, enough = 300, 1e-5
	n := e.n
	w, r, z, p, ap := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	people := make([]float64, e.byUser.Rows)
	p[j] = 1
	e.apply(r, p, people)
	r[j], p[j] = 0, 0
	target := append([]float64(nil), r...)
	dot := func(a, b []float64) (s float64) {
		for i, x := range a {
			s += x * b[i]
		}
		return s
	}
	precondition := func() {
		for i, x := range r {
			z[i] = x / (e.squares[i] + e.ridge[i])
		}
	}
	precondition()
	copy(p, z)
	rz := dot(r, z)
	first := rz
	for range steps {
		if rz <= enough*enough*first || ctx.Err() != nil {
			break
		}
		e.apply(ap, p, people)
		ap[j] = 0
		step := rz / dot(p, ap)
		for i := range w {
			w[i] += step * p[i]
			r[i] -= step * ap[i]
		}
		precondition()
		next := dot(r, z)
		for i := range p {
			p[i] = z[i] + next/rz*p[i]
		}
		rz = next
	}
	return dot(target, w)
}
