package als

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kindred/model/sparse"
)

// people is a small matrix with taste in it: two groups, items of two kinds, noise,
// one person and one item without any entry, strengths of 1 to 4.
func people(rows, cols int, seed uint64) *sparse.CSR {
	random := rand.New(rand.NewPCG(seed, 1))
	var t []sparse.Triple
	for u := range rows - 1 {
		for i := range cols - 1 {
			chance := 0.1
			if u%2 == i%2 {
				chance = 0.5
			}
			if random.Float64() < chance {
				t = append(t, sparse.Triple{Row: int32(u), Col: int32(i), Val: float32(1 + random.IntN(4))})
			}
		}
	}
	return sparse.FromTriples(rows, cols, t)
}

// configs are both objectives, and frequency scaling on and off.
func configs() map[string]Config {
	plain := Default()
	plain.Factors, plain.Iterations = 6, 8
	flat := plain
	flat.FrequencyExponent, flat.Regularization = 0, 0.5
	hkv := Implicit()
	hkv.Factors, hkv.Iterations, hkv.Regularization = 6, 8, 0.5
	return map[string]Config{"ials": plain, "flat": flat, "hkv": hkv}
}

// lossByDefinition adds up models.md 1, pair by pair.
func lossByDefinition(m *Model, x *sparse.CSR) float64 {
	o := m.loss
	total := 0.0
	perItem := make([]float64, x.Cols)
	for u := range x.Rows {
		strength := make([]float64, x.Cols)
		cols, vals := x.Row(u)
		for i, c := range cols {
			strength[c] = float64(vals[i])
			perItem[c]++
		}
		for i := range x.Cols {
			s := 0.0
			for k, v := range m.ItemFactors(int32(i)) {
				s += float64(v) * float64(m.UserFactors(u)[k])
			}
			c := o.scale * strength[i]
			switch {
			case strength[i] == 0:
				total += o.unobserved * s * s
			case o.hkv:
				total += c * (1 - s) * (1 - s)
			default:
				total += c*(1-s)*(1-s) + o.unobserved*s*s
			}
		}
		n := float64(len(cols)) + o.unobserved*float64(x.Cols)
		total += o.regularization * math.Pow(n, o.exponent) * math.Pow(length(m.UserFactors(u)), 2)
	}
	for i, observed := range perItem {
		n := observed + o.unobserved*float64(x.Rows)
		total += o.regularization * math.Pow(n, o.exponent) * math.Pow(length(m.ItemFactors(int32(i))), 2)
	}
	return total
}

// textbookRow solves the row's weighted ridge regression over every item, observed or not.
func textbookRow(o objective, items []float32, f int, cols []int32, vals []float32, others int) []float64 {
	n := len(items) / f
	w, b := make([]float64, n), make([]float64, n)
	for i := range n {
		w[i] = o.unobserved
	}
	for i, c := range cols {
		conf := o.scale * float64(vals[i])
		if b[c] = conf; o.hkv {
			w[c] = conf
		} else {
			w[c] += conf
		}
	}
	left, right := mat.NewDense(f, f, nil), mat.NewVecDense(f, nil)
	for i := range n {
		h := mat.NewVecDense(f, nil)
		for k := range f {
			h.SetVec(k, float64(items[i*f+k]))
		}
		left.RankOne(left, w[i], h, h)
		right.AddScaledVec(right, b[i], h)
	}
	ridge := o.regularization * math.Pow(float64(len(cols))+o.unobserved*float64(others), o.exponent)
	for k := range f {
		left.Set(k, k, left.At(k, k)+ridge)
	}
	var x mat.VecDense
	if err := x.SolveVec(left, right); err != nil {
		panic(err)
	}
	return x.RawVector().Data
}

func TestLossIsTheSumOverAllPairs(t *testing.T) {
	x := people(14, 11, 3)
	for name, cfg := range configs() {
		t.Run(name, func(t *testing.T) {
			m := mustFit(t, x, cfg)
			if got, want := m.Loss(x), lossByDefinition(m, x); math.Abs(got-want) > 1e-6*want {
				t.Errorf("Loss = %v, want %v", got, want)
			}
		})
	}
}

func TestTheLossNeverRisesWithCholesky(t *testing.T) {
	x := people(40, 30, 5)
	for name, cfg := range configs() {
		t.Run(name, func(t *testing.T) {
			cfg.Solver = SolverCholesky
			before := math.Inf(1)
			for n := 1; n <= 12; n++ {
				cfg.Iterations = n
				loss := mustFit(t, x, cfg).Loss(x)
				if loss > before*(1+1e-6) { // float32 factors
					t.Fatalf("loss after %d iterations is %v, before it %v", n, loss, before)
				}
				before = loss
			}
		})
	}
}

func TestConjugateGradientReachesTheLossOfCholesky(t *testing.T) {
	x := people(60, 45, 7)
	for name, cfg := range configs() {
		t.Run(name, func(t *testing.T) {
			cfg.Iterations = 25
			cfg.CGSteps = 3
			cg := mustFit(t, x, cfg)
			cfg.Solver = SolverCholesky
			exact := mustFit(t, x, cfg)
			got, want := cg.Loss(x), exact.Loss(x)
			if math.Abs(got-want) > 2e-3*want {
				t.Errorf("loss %v by cg, %v by cholesky", got, want)
			}
		})
	}
}

func TestManyStepsOfConjugateGradientGiveTheScoresOfCholesky(t *testing.T) {
	x := people(30, 24, 11)
	for name, cfg := range configs() {
		t.Run(name, func(t *testing.T) {
			cfg.CGSteps, cfg.Iterations = 40, 3
			cg := mustFit(t, x, cfg)
			cfg.Solver = SolverCholesky
			exact := mustFit(t, x, cfg)
			got, want := make([]float32, x.Cols), make([]float32, x.Cols)
			for u := range x.Rows {
				cg.ScoreVector(cg.UserFactors(u), got)
				exact.ScoreVector(exact.UserFactors(u), want)
				for i := range want {
					if math.Abs(float64(got[i]-want[i])) > 2e-3 {
						t.Fatalf("score of person %d, item %d = %v by cg, %v by cholesky", u, i, got[i], want[i])
					}
				}
			}
		})
	}
}

func TestFoldInIsTheTextbookRegressionAndReproducesTrainingRows(t *testing.T) {
	x := people(25, 20, 13)
	for name, cfg := range configs() {
		t.Run(name, func(t *testing.T) {
			cfg.Solver = SolverCholesky
			m := mustFit(t, x, cfg)
			for u := range x.Rows {
				cols, vals := x.Row(u)
				got, err := m.FoldIn(cols, vals)
				if err != nil {
					t.Fatal(err)
				}
				want := textbookRow(m.loss, m.items, m.f, cols, vals, x.Cols)
				for k := range got {
					if math.Abs(float64(got[k])-want[k]) > 1e-5 {
						t.Fatalf("factor %d of person %d = %v, by the textbook %v", k, u, got[k], want[k])
					}
					if math.Abs(float64(got[k]-m.UserFactors(u)[k])) > 1e-5 {
						t.Fatalf("factor %d of person %d = %v, trained %v", k, u, got[k], m.UserFactors(u)[k])
					}
				}
			}
		})
	}
}

// mustFit fails the test when the fit does.
func mustFit(t *testing.T, x *sparse.CSR, cfg Config) *Model {
	t.Helper()
	m, err := Fit(t.Context(), x, cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
