package cluster

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// ctx is for rapid, whose T has none that outlives a draw.
var ctx = context.Background()

// cigars draws n rows around each of k stretched groups.
func cigars(seed uint64, n, k, dims int) []float64 {
	random := rand.New(rand.NewPCG(seed, 9))
	var x []float64
	for range n {
		for c := range k {
			long := random.NormFloat64()
			for d := range dims {
				x = append(x, float64(6*c*(d%2))+3*long*float64(1-2*(d%2))+.3*random.NormFloat64())
			}
		}
	}
	return x
}

func mixtureConfig(k int) Config {
	cfg := Default()
	cfg.K, cfg.Starts = k, 3
	return cfg
}

func TestTheLikelihoodOfAMixtureNeverFalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dims, k := rapid.IntRange(1, 4).Draw(t, "dims"), rapid.IntRange(1, 4).Draw(t, "k")
		r := newRows(cigars(rapid.Uint64().Draw(t, "seed"), 40, 2, dims), dims, 1)
		cfg := mixtureConfig(k)
		cfg.Regularization = 1e-12 // which is no part of the likelihood
		e, err := r.startMixture(ctx, cfg, 1)
		if err != nil {
			t.Fatal(err)
		}
		last := math.Inf(-1)
		for i := range 25 {
			l, err := e.expect(ctx, false)
			if err != nil {
				t.Fatal(err)
			}
			if l < last-1e-9*math.Abs(last) {
				t.Fatalf("iteration %d: the likelihood fell from %v to %v", i, last, l)
			}
			last = l
			e.maximise()
			for at, pivot := range e.factors {
				if at%(dims*dims)%(dims+1) == 0 && pivot < 1e-3 {
					return // collapsed onto few rows: regularisation decides from here on
				}
			}
		}
	})
}

// normal is the density of N(mean, covariance) by the formula.
func normal(x, mean []float64, covariance *mat.SymDense) float64 {
	var inverse mat.Dense
	if err := inverse.Inverse(covariance); err != nil {
		panic(err)
	}
	d := mat.NewVecDense(len(x), nil)
	d.SubVec(mat.NewVecDense(len(x), x), mat.NewVecDense(len(x), mean))
	return math.Exp(-mat.Inner(d, &inverse, d)/2) / math.Sqrt(math.Pow(2*math.Pi, float64(len(x)))*mat.Det(covariance))
}

// textbookStep is one step of expectation maximisation as textbooks have it (Bishop, 2006, 9.23 to 9.27).
func textbookStep(x *mat.Dense, weights []float64, means [][]float64, covariances []*mat.SymDense, regularization float64) (likelihood float64) {
	n, d := x.Dims()
	k := len(weights)
	gamma := mat.NewDense(n, k, nil)
	for i := range n {
		p := make([]float64, k)
		sum := 0.0
		for c := range k {
			p[c] = weights[c] * normal(x.RawRowView(i), means[c], covariances[c])
			sum += p[c]
		}
		likelihood += math.Log(sum) / float64(n)
		for c := range k {
			gamma.Set(i, c, p[c]/sum)
		}
	}
	for c := range k {
		held := mat.Sum(gamma.ColView(c))
		weights[c] = held / float64(n)
		mean, covariance := make([]float64, d), mat.NewSymDense(d, nil)
		for i := range n {
			for a := range d {
				mean[a] += gamma.At(i, c) * x.At(i, a) / held
			}
		}
		for i := range n {
			for a := range d {
				for b := range a + 1 {
					covariance.SetSym(a, b, covariance.At(a, b)+gamma.At(i, c)*(x.At(i, a)-mean[a])*(x.At(i, b)-mean[b])/held)
				}
			}
		}
		for a := range d {
			covariance.SetSym(a, a, covariance.At(a, a)+regularization)
		}
		means[c], covariances[c] = mean, covariance
	}
	return likelihood
}

func TestAMixtureGoesTheWayOfTheTextbook(t *testing.T) {
	const dims, k = 3, 3
	x := cigars(3, 500, k, dims)
	r := newRows(x, dims, 2)
	cfg := mixtureConfig(k)
	e, err := r.startMixture(t.Context(), cfg, 0)
	if err != nil {
		t.Fatal(err)
	}
	weights := slices.Clone(e.weights)
	var means [][]float64
	var covariances []*mat.SymDense
	for c := range k {
		means = append(means, slices.Clone(e.means[c*dims:(c+1)*dims]))
		var cov mat.SymDense
		cov.SymOuterK(1, mat.NewDense(dims, dims, slices.Clone(e.factors[c*dims*dims:(c+1)*dims*dims])))
		covariances = append(covariances, &cov)
	}
	for i := range 12 {
		want := textbookStep(mat.NewDense(len(x)/dims, dims, x), weights, means, covariances, cfg.Regularization)
		got, err := e.expect(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		e.maximise()
		if math.Abs(got-want) > 1e-9 {
			t.Fatalf("iteration %d: likelihood %v; want %v", i, got, want)
		}
		for c := range k {
			if math.Abs(e.weights[c]-weights[c]) > 1e-9 {
				t.Errorf("iteration %d: weight %d is %v; want %v", i, c, e.weights[c], weights[c])
			}
			for d := range dims {
				if math.Abs(e.means[c*dims+d]-means[c][d]) > 1e-8 {
					t.Errorf("iteration %d: mean %d, %d is %v; want %v", i, c, d, e.means[c*dims+d], means[c][d])
				}
			}
		}
	}
}

func TestRefiningTheBestStartOnlyHelps(t *testing.T) {
	x := cigars(8, 400, 2, 3)
	for i := range x {
		x[i] += float64(i % 11)
	}
	loose, tight := mixtureConfig(6), mixtureConfig(6)
	loose.LikelihoodTolerance, tight.LikelihoodTolerance = shortTolerance, 1e-7
	a, err := FitMixture(t.Context(), x, 3, loose, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := FitMixture(t.Context(), x, 3, tight, nil)
	if err != nil {
		t.Fatal(err)
	}
	if b.LogLikelihood < a.LogLikelihood || b.Iterations <= a.Iterations {
		t.Errorf("refined: %v after %d iterations; before: %v after %d", b.LogLikelihood, b.Iterations, a.LogLikelihood, a.Iterations)
	}
}

func TestAMixtureFindsStretchedGroupsAndBICTheirNumber(t *testing.T) {
	cfg := mixtureConfig(0)
	cfg.Method, cfg.MinK, cfg.MaxK = MixtureMethod, 2, 5
	r, choice, err := Find(t.Context(), cigars(4, 300, 3, 2), 2, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	if choice.Best != 3 || choice.K[choice.At] != 3 || r.K != 3 {
		t.Fatalf("chose %d of %v by BIC %v; want 3", choice.Best, choice.K, choice.BIC)
	}
	for i, label := range r.Labels {
		if label != r.Labels[i%3] {
			t.Fatalf("row %d of group %d is in component %d; its group is %d", i, i%3, label, r.Labels[i%3])
		}
	}
}

func TestAMixtureSurvivesDegenerateRows(t *testing.T) {
	for name, x := range map[string][]float64{
		"one value":  slices.Repeat([]float64{3, 3}, 50),
		"two values": append(slices.Repeat([]float64{3, 3}, 50), slices.Repeat([]float64{9, 1}, 50)...),
		"a constant column": func() []float64 {
			x := cigars(1, 60, 2, 2)
			for i := 0; i < len(x); i += 2 {
				x[i] = 7
			}
			return x
		}(),
		"columns alike": func() []float64 {
			x := cigars(1, 60, 2, 2)
			for i := 0; i < len(x); i += 2 {
				x[i] = x[i+1]
			}
			return x
		}(),
	} {
		r, err := FitMixture(t.Context(), x, 2, mixtureConfig(4), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		all := 0.0
		for _, w := range r.Weights {
			all += w
		}
		if r.K < 1 || math.IsNaN(r.LogLikelihood) || math.IsInf(r.LogLikelihood, 0) || math.Abs(all-1) > 1e-9 {
			t.Errorf("%s: %d components of weight %v, likelihood %v", name, r.K, all, r.LogLikelihood)
		}
	}
}
