package itemitem_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kindred/model"
	"kindred/model/itemitem"
	"kindred/model/modeltest"
	"kindred/model/sparse"
)

func TestEASEKeepsTheScorersPromises(t *testing.T) {
	modeltest.Run(t, func(t *testing.T, x *sparse.CSR, _ uint64) model.Scorer {
		return fit(t, x, itemitem.EASE(1))
	}, modeltest.Options{Decode: decode})
}

func TestTheApproximationOfEASEKeepsTheScorersPromises(t *testing.T) {
	modeltest.Run(t, func(t *testing.T, x *sparse.CSR, _ uint64) model.Scorer {
		cfg := itemitem.EASE(1)
		cfg.PartItems = 15
		return fitParts(t, x, cfg)
	}, modeltest.Options{Decode: decode})
}

// fitParts fails the test when the fit does.
func fitParts(t *testing.T, x *sparse.CSR, cfg itemitem.Config) *itemitem.Model {
	t.Helper()
	m, err := itemitem.FitParts(t.Context(), x, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// easeConfigs are small configurations of EASE.
func easeConfigs() map[string]itemitem.Config {
	all := itemitem.EASE(5)
	few := itemitem.EASE(2)
	few.Neighbours, few.PersonExponent, few.Dropout = 4, .25, .3
	past := itemitem.EASE(20)
	past.Neighbours, past.Cut, past.Binary = 5, itemitem.CutPast, false
	return map[string]itemitem.Config{"all": all, "few": few, "past": past}
}

// strengthsOf is V of the package comment.
func strengthsOf(x *sparse.CSR, cfg itemitem.Config) *mat.Dense {
	v := mat.NewDense(x.Rows, x.Cols, nil)
	for u := range x.Rows {
		cols, vals := x.Row(u)
		for i, c := range cols {
			r := float64(vals[i])
			if cfg.Binary {
				r = 1
			}
			v.Set(u, int(c), r/math.Pow(float64(len(cols)), cfg.PersonExponent))
		}
	}
	return v
}

// inverse is (VᵀV + Λ)⁻¹ on some columns of V.
func inverse(t *testing.T, v *mat.Dense, columns []int, cfg itemitem.Config) *mat.Dense {
	t.Helper()
	people, _ := v.Dims()
	lambda, dropout := cfg.Regularization, cfg.Dropout
	part := mat.NewDense(people, len(columns), nil)
	for k, c := range columns {
		part.SetCol(k, mat.Col(nil, c, v))
	}
	var a, p mat.Dense
	a.Mul(part.T(), part)
	for i := range columns {
		a.Set(i, i, a.At(i, i)*(1+dropout/(1-dropout))+lambda)
	}
	if err := p.Inverse(&a); err != nil {
		t.Fatal(err)
	}
	return &p
}

// upTo is 0 to n−1.
func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestTheWeightsOfEASEAreThoseOfItsClosedForm(t *testing.T) {
	x := random(60, 18, 1)
	for name, cfg := range easeConfigs() {
		t.Run(name, func(t *testing.T) {
			p := inverse(t, strengthsOf(x, cfg), upTo(x.Cols), cfg)
			want := make([][]float64, x.Cols)
			for i := range want {
				want[i] = make([]float64, x.Cols)
				for j := range want[i] {
					if i != j {
						want[i][j] = -p.At(i, j) / p.At(i, i)
					}
				}
			}
			cutBySize(want, cfg)
			m := fit(t, x, cfg)
			got, negative := make([]float32, x.Cols), false
			for i := range want {
				m.Similar(int32(i), got)
				for j, w := range got {
					if math.Abs(float64(w)-want[i][j]) > 1e-6 {
						t.Errorf("weight of past item %d for target %d is %v, want %v", j, i, w, want[i][j])
					}
					negative = negative || w < 0
				}
			}
			if r := m.Report(); !negative || r.Dense != x.Cols || r.Notes() != nil || !(r.Residual < 1e-5) || !(r.Condition > 1) {
				t.Errorf("negative weights: %v; report %+v, notes %q", negative, r, r.Notes())
			}
		})
	}
}

// cutBySize leaves the largest weights by size of every row, or column.
func cutBySize(s [][]float64, cfg itemitem.Config) {
	for a := range s {
		at := func(b int) *float64 {
			if cfg.Cut == itemitem.CutPast {
				return &s[b][a]
			}
			return &s[a][b]
		}
		order := upTo(len(s))
		slices.SortStableFunc(order, func(p, q int) int {
			if math.Abs(*at(p)) > math.Abs(*at(q)) {
				return -1
			}
			return 1
		})
		for _, b := range order[min(cfg.Neighbours, len(order)):] {
			*at(b) = 0
		}
	}
}

func TestEASEIsTheSameBytesForAnyWorkerCount(t *testing.T) {
	x := random(80, 60, 3)
	for name, cfg := range easeConfigs() {
		for kind, solve := range map[string]func(*testing.T, *sparse.CSR, itemitem.Config) *itemitem.Model{"dense": fit, "parts": fitParts} {
			var want []byte
			for _, workers := range []int{1, 2, 7, 0} {
				cfg.Workers, cfg.PartItems = workers, 20
				b, err := solve(t, x, cfg).MarshalBinary()
				if err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want = b
				}
				if !slices.Equal(b, want) {
					t.Errorf("%s, %s: %d workers give other bytes than 1", name, kind, workers)
				}
			}
		}
	}
}

func TestAnItemIsSolvedExactlyAmongItsSupport(t *testing.T) {
	x := random(80, 60, 4)
	cfg := itemitem.EASE(3)
	cfg.PartItems, cfg.Dropout = 20, .1
	m, v := fitParts(t, x, cfg), strengthsOf(x, cfg)
	for target := range x.Cols - 1 { // the last is used by nobody
		rows, weights := m.Neighbours(int32(target))
		support := []int{target}
		for _, j := range rows {
			support = append(support, int(j))
		}
		if len(support) != cfg.PartItems && len(support) != cfg.PartItems-1 { // less the unused item where that is in
			t.Fatalf("target %d is solved among %d items, want %d", target, len(support), cfg.PartItems)
		}
		p := inverse(t, v, support, cfg)
		for k, w := range weights {
			if want := -p.At(0, k+1) / p.At(0, 0); math.Abs(float64(w)-want) > 1e-6 {
				t.Errorf("weight of past item %d for target %d is %v, want %v", rows[k], target, w, want)
			}
		}
	}
	r := m.Report()
	if notes := r.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "approximated, 0 of 60 items dense") || !strings.Contains(notes[0], "among 20") {
		t.Errorf("notes %q", notes)
	}
	if !(r.Kept > .5 && r.Kept < 1) || r.Support != 20 || r.Parts != 60 {
		t.Errorf("report %+v", r)
	}
}

func TestNothingIsLostWhereTheSupportHoldsAllThatBelongsTogether(t *testing.T) {
	// Ten circles of people who share six items each, and nothing with others.
	r := rand.New(rand.NewPCG(5, 6))
	var entries []sparse.Triple
	for u := range 300 {
		for i := range 6 {
			if r.Float64() < .5 {
				entries = append(entries, sparse.Triple{Row: int32(u), Col: int32(u%10 + 10*i), Val: 1})
			}
		}
	}
	x := sparse.FromTriples(300, 60, entries)
	cfg := itemitem.EASE(3)
	want := fit(t, x, cfg)
	cfg.PartItems = 16
	got := fitParts(t, x, cfg)
	for i := range int32(60) {
		rows, weights := got.Neighbours(i)
		wantRows, wantWeights := want.Neighbours(i)
		if !slices.Equal(rows, wantRows) {
			t.Fatalf("target %d hears %v, want %v", i, rows, wantRows)
		}
		for k, w := range weights {
			if math.Abs(float64(w-wantWeights[k])) > 1e-6 {
				t.Errorf("weight of %d for %d is %v, want %v", rows[k], i, w, wantWeights[k])
			}
		}
	}
	if kept := got.Report().Kept; math.Abs(kept-1) > 1e-6 {
		t.Errorf("kept %v of what the dense weights explain, want all", kept)
	}
}

func TestExplainedIsWhatTheInverseSays(t *testing.T) {
	x := random(60, 18, 7)
	cfg := itemitem.EASE(2)
	cfg.PersonExponent, cfg.Dropout = .5, .2
	v := strengthsOf(x, cfg)
	p := inverse(t, v, upTo(x.Cols), cfg)
	for j := range x.Cols {
		column := mat.Col(nil, j, v)
		want := cfg.Regularization - 1/p.At(j, j)
		for _, s := range column {
			want += s * s / (1 - cfg.Dropout)
		}
		if got := itemitem.Explained(t.Context(), x, cfg, j); math.Abs(got-want) > 1e-5*(1+want) {
			t.Errorf("item %d: explained %v, want %v", j, got, want)
		}
	}
}

func TestMemoryDecidesWhetherEASEIsApproximated(t *testing.T) {
	const items = 4000 // 32 MB hold the inverse of some 3,000
	var entries []sparse.Triple
	for u := range 2000 {
		for k := range 8 {
			entries = append(entries, sparse.Triple{Row: int32(u), Col: int32((u*7 + k*k*31) % items), Val: 1})
		}
	}
	cfg := itemitem.EASE(10)
	cfg.MemoryBytes, cfg.PartItems = 32<<20, 300
	var progress []int
	x := sparse.FromTriples(2000, items, entries)
	m, err := itemitem.Fit(t.Context(), x, cfg, func(done, total int) {
		if total != items || len(progress) > 0 && done < progress[len(progress)-1] {
			t.Errorf("progress %d of %d after %v", done, total, progress)
		}
		progress = append(progress, done)
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := m.Report(); r.Dense != 0 || r.Support != 300 || len(progress) < r.Parts || progress[len(progress)-1] != items {
		t.Errorf("report %+v, %d calls of progress", r, len(progress))
	}
	cfg.PartItems = items
	cfg.Workers = 1
	size := itemitem.PartSize(x, cfg)
	if size < 2500 || size > 3500 {
		t.Errorf("parts of %d items in 32 MB", size)
	}
	cfg.Workers = 64 // decide nothing
	if got := itemitem.PartSize(x, cfg); got != size {
		t.Errorf("parts of %d items for 64 workers, of %d for one", got, size)
	}
	cfg.Workers = 0
	cancelled, cancel := context.WithCancel(t.Context())
	_, err = itemitem.Fit(cancelled, x, cfg, func(int, int) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Fit after cancel = %v, want context.Canceled", err)
	}
	if got := itemitem.Explained(cancelled, x, cfg, 0); got != 0 {
		t.Errorf("%v was explained after cancel", got)
	}
}

func TestEASESaysWhenFloat32IsNotEnough(t *testing.T) {
	var entries []sparse.Triple
	for u := range 500 {
		for i := range 30 { // thirty columns that are the same
			entries = append(entries, sparse.Triple{Row: int32(u), Col: int32(i), Val: 1})
		}
	}
	x := sparse.FromTriples(500, 30, entries)
	if _, err := itemitem.Fit(t.Context(), x, itemitem.EASE(1e-9), nil); !errors.Is(err, itemitem.ErrInexact) {
		t.Errorf("Fit = %v, want ErrInexact", err)
	}
	if notes := fit(t, x, itemitem.EASE(.1)).Report().Notes(); len(notes) != 1 || !strings.Contains(notes[0], "ill-conditioned") {
		t.Errorf("notes %q of a condition of 150,000", notes)
	}
}

func TestEASEOfNothing(t *testing.T) {
	for _, x := range []*sparse.CSR{sparse.FromTriples(0, 0, nil), sparse.FromTriples(3, 2, nil)} {
		m := fit(t, x, itemitem.EASE(1))
		if m.Items() != x.Cols {
			t.Errorf("%d items, want %d", m.Items(), x.Cols)
		}
		for i := range x.Cols {
			if rows, _ := m.Neighbours(int32(i)); len(rows) != 0 {
				t.Errorf("item %d, which nobody used, hears %v", i, rows)
			}
		}
	}
}
