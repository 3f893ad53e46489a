package cluster

import (
	"context"
	"math"
	"slices"
)

// Mixture is a weighted sum of normal distributions, in scaled space.
type Mixture struct {
	Weights []float64 // by component, of sum 1
	Means   []float64 // K × dims
	Factors []float64 // K × dims × dims: the lower Cholesky factor L of each covariance LLᵀ, zero above the diagonal
}

// MixtureResult is one mixture fitted to rows.
type MixtureResult struct {
	Mixture
	K             int     // components found: fewer than asked where some emptied
	Labels        []int32 // by row: the component of the greatest posterior, the lower of equal ones
	Sizes         []int64 // rows by label; 0 for a component that others cover everywhere
	LogLikelihood float64 // mean over the rows
	BIC           float64 // −2·ln L + parameters·ln n (Schwarz, 1978): lower is better
	Iterations    int     // of the best start, its refinement included
}

// FitMixture fits a mixture of cfg.K normal distributions with full covariances to the rows
// of x, row-major with dims finite values each and usually scaled, by expectation maximisation
// (Dempster, Laird & Rubin, 1977). Every one of cfg.Starts begins at the clusters of Lloyd's
// iteration from k-means++ seeds and ends when the mean log-likelihood rises by less than
// shortTolerance; the best goes on to cfg.LikelihoodTolerance (Biernacki, Celeux & Govaert,
// 2003). cfg.Regularization is added to every variance. progress, where not nil, counts starts.
// x is not changed. Cost is O(starts · iterations · rows · K · dims²). Errors are as for KMeans.
func FitMixture(ctx context.Context, x []float64, dims int, cfg Config, progress func(done, total int)) (*MixtureResult, error) {
	r, err := checkedRows(x, dims, cfg)
	if err != nil {
		return nil, err
	}
	var best *em
	for start := range cfg.Starts {
		e, err := r.startMixture(ctx, cfg, uint64(start))
		if err != nil {
			return nil, err
		}
		if err := e.run(ctx, cfg.MaxIterations, max(shortTolerance, cfg.LikelihoodTolerance)); err != nil {
			return nil, err
		}
		if best == nil || e.likelihood > best.likelihood {
			best = e
		}
		if progress != nil {
			progress(start+1, cfg.Starts)
		}
	}
	if err := best.run(ctx, cfg.MaxIterations, cfg.LikelihoodTolerance); err != nil {
		return nil, err
	}
	return best.result(ctx)
}

// shortTolerance ends a start that only has to show whether it is worth going on.
const shortTolerance = 1e-3

// em is the state of one start of expectation maximisation.
type em struct {
	rows
	k              int
	regularization float64
	parameters

	labels     []int32
	sums       []float64 // by block: k × (1 + dims + dims·(dims+1)/2) of Σr, Σr·y, Σr·yyᵀ with y = x − mean
	likelihood float64   // mean over the rows
	iterations int
}

// parameters are a mixture's, with what its density takes.
type parameters struct {
	weights, means, factors []float64
	inverses                []float64 // of the factors
	offsets                 []float64 // ln weight − ½·dims·ln 2π − ln|L|, by component
}

func (p parameters) copied() parameters {
	return parameters{slices.Clone(p.weights), slices.Clone(p.means), slices.Clone(p.factors), slices.Clone(p.inverses), slices.Clone(p.offsets)}
}

// startMixture is the M-step of the labels that a short k-means finds.
func (r rows) startMixture(ctx context.Context, cfg Config, start uint64) (*em, error) {
	seeds, err := r.seeds(ctx, cfg.K, cfg.Seed, start)
	if err != nil {
		return nil, err
	}
	short := cfg
	short.MaxIterations, short.Tolerance = min(cfg.MaxIterations, 30), max(cfg.Tolerance, 1e-4)
	found, err := r.lloyd(ctx, seeds, short)
	if err != nil {
		return nil, err
	}
	k, d := found.K, r.dims
	e := &em{
		rows: r, k: k, regularization: cfg.Regularization,
		parameters: parameters{make([]float64, k), slices.Clone(found.Centroids), make([]float64, k*d*d), make([]float64, k*d*d), make([]float64, k)},
		labels:     found.Labels, sums: make([]float64, r.blocks()*k*moments(d)), likelihood: math.Inf(-1),
	}
	err = r.each(ctx, func(b, from, to int) {
		sums, y := e.block(b), make([]float64, d)
		for i := from; i < to; i++ {
			c := int(e.labels[i])
			for j, v := range r.row(i) {
				y[j] = v - e.means[c*d+j]
			}
			addMoments(sums[c*moments(d):(c+1)*moments(d)], y, 1)
		}
	})
	if err != nil {
		return nil, err
	}
	e.maximise()
	return e, nil
}

// moments is how many sums a component has.
func moments(dims int) int { return 1 + dims + dims*(dims+1)/2 }

// block is the cleared sums of block b.
func (e *em) block(b int) []float64 {
	n := e.k * moments(e.dims)
	s := e.sums[b*n : (b+1)*n]
	clear(s)
	return s
}

// addMoments adds a row y, relative to a component's mean, with responsibility p.
func addMoments(sums, y []float64, p float64) {
	sums[0] += p
	first, second := sums[1:1+len(y)], sums[1+len(y):]
	at := 0
	for i, v := range y {
		pv := p * v
		first[i] += pv
		for _, w := range y[:i+1] {
			second[at] += pv * w
			at++
		}
	}
}

// run iterates until the mean log-likelihood rises by no more than tolerance, or cfg's bound
// on iterations is met. Should it fall, as regularisation and rounding may make it, the
// parameters before stay. Afterwards likelihood is that of the parameters.
func (e *em) run(ctx context.Context, iterations int, tolerance float64) error {
	former := e.copied()
	for last := math.Inf(-1); ; {
		likelihood, err := e.expect(ctx, false)
		if err != nil {
			return err
		}
		if likelihood < e.likelihood {
			e.parameters = former
			return nil
		}
		e.likelihood = likelihood
		if likelihood-last <= tolerance || e.iterations >= iterations {
			return nil
		}
		last, former = likelihood, e.copied()
		e.maximise()
		e.iterations++
	}
}

// expect makes the sums of the M-step, and the labels if asked to, from the parameters as
// they are, and returns their mean log-likelihood.
func (e *em) expect(ctx context.Context, label bool) (float64, error) {
	likelihoods := make([]float64, e.blocks())
	d, n := e.dims, moments(e.dims)
	err := e.each(ctx, func(b, from, to int) {
		sums, y, p := e.block(b), make([]float64, e.k*d), make([]float64, e.k)
		for i := from; i < to; i++ {
			x, most, at := e.row(i), math.Inf(-1), 0
			for c := range p {
				p[c] = e.density(c, x, y[c*d:(c+1)*d])
				if p[c] > most {
					most, at = p[c], c
				}
			}
			all := 0.0
			for c, l := range p {
				p[c] = 0
				if l -= most; l > negligible {
					p[c] = math.Exp(l)
					all += p[c]
				}
			}
			likelihoods[b] += most + math.Log(all)
			for c, l := range p {
				if l > 0 {
					addMoments(sums[c*n:(c+1)*n], y[c*d:(c+1)*d], l/all)
				}
			}
			if label {
				e.labels[i] = int32(at)
			}
		}
	})
	return total(likelihoods) / float64(e.n), err
}

// negligible is the logarithm of a share that changes no sum of float64.
const negligible = -46

// density is ln(weight·N(x)) of component c; y becomes x less its mean.
func (e *em) density(c int, x, y []float64) float64 {
	d := len(x)
	mean, inverse := e.means[c*d:(c+1)*d], e.inverses[c*d*d:(c+1)*d*d]
	for i, v := range x {
		y[i] = v - mean[i]
	}
	sum := 0.0
	for i := range d {
		z, row := 0.0, inverse[i*d:i*d+i+1]
		for j, w := range row {
			z += w * y[j]
		}
		sum += z * z
	}
	return e.offsets[c] - sum/2
}

// maximise moves the parameters to those of the sums, which it adds to the first block's, in order. A
// component that holds next to nothing of any row keeps its shape, and loses its weight.
func (e *em) maximise() {
	d, n := e.dims, moments(e.dims)
	sums := e.sums[:e.k*n]
	for b := 1; b < e.blocks(); b++ {
		for i, v := range e.sums[b*e.k*n : (b+1)*e.k*n] {
			sums[i] += v
		}
	}
	for c := range e.k {
		s := sums[c*n : (c+1)*n]
		held := s[0]
		e.weights[c] = held / float64(e.n)
		if held < emptied {
			e.offsets[c] = math.Inf(-1)
			continue
		}
		first, second := s[1:1+d], s[1+d:]
		mean, factor := e.means[c*d:(c+1)*d], e.factors[c*d*d:(c+1)*d*d]
		at := 0
		for i := range d {
			for j := range i + 1 {
				factor[i*d+j] = second[at]/held - first[i]/held*(first[j]/held)
				at++
			}
			factor[i*d+i] += e.regularization
		}
		for i, v := range first {
			mean[i] += v / held
		}
		cholesky(factor, d, e.regularization)
		invertLower(e.inverses[c*d*d:(c+1)*d*d], factor, d)
		e.offsets[c] = offset(e.weights[c], factor, d)
	}
}

// emptied is how many rows a component must hold to have a shape.
const emptied = 1e-6

// result drops components that emptied, and labels the rows.
func (e *em) result(ctx context.Context) (*MixtureResult, error) {
	kept, d := e.copied(), e.dims
	e.k, e.weights, e.means, e.factors, e.inverses, e.offsets = 0, nil, nil, nil, nil, nil
	for c, w := range kept.weights {
		if w*float64(e.n) < emptied {
			continue
		}
		e.k++
		e.weights = append(e.weights, w)
		e.means = append(e.means, kept.means[c*d:(c+1)*d]...)
		e.factors = append(e.factors, kept.factors[c*d*d:(c+1)*d*d]...)
		e.inverses = append(e.inverses, kept.inverses[c*d*d:(c+1)*d*d]...)
		e.offsets = append(e.offsets, kept.offsets[c])
	}
	likelihood, err := e.expect(ctx, true)
	if err != nil {
		return nil, err
	}
	r := &MixtureResult{
		Mixture: Mixture{e.weights, e.means, e.factors}, K: e.k, Labels: e.labels, Sizes: make([]int64, e.k),
		LogLikelihood: likelihood, Iterations: e.iterations,
	}
	for _, c := range e.labels {
		r.Sizes[c]++
	}
	free := float64(e.k*moments(d) - 1) // weights, means and covariances
	r.BIC = -2*likelihood*float64(e.n) + free*math.Log(float64(e.n))
	return r, nil
}
