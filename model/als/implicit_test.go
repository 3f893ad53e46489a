package als

import (
	"bufio"
	"bytes"
	_ "embed"
	"fmt"
	"math"
	"strings"
	"testing"

	"kindred/model/sparse"
)

// implicitScores is made by testdata/make_implicit.py.
//
//go:embed testdata/implicit.txt
var implicitScores []byte

func TestFitGivesTheScoresOfTheLibraryImplicit(t *testing.T) {
	const people, items = 30, 20
	var triples []sparse.Triple
	for u := range people {
		for i := range items {
			if (u*u+3*i+u*i)%7 < 3 {
				triples = append(triples, sparse.Triple{Row: int32(u), Col: int32(i), Val: float32(1 + (7*u+3*i)%5)})
			}
		}
	}
	x := sparse.FromTriples(people, items, triples)

	lines := bufio.NewScanner(bytes.NewReader(implicitScores))
	lines.Scan() // the version
	defaults, small := Implicit(), Implicit()
	small.Factors, small.Regularization = 4, 1
	for _, cfg := range []Config{defaults, small} {
		cfg.Solver, cfg.Overrelaxation = SolverCholesky, 0 // the library's own way to the minimum
		start := make([]float32, items*cfg.Factors)
		for i := range start {
			start[i] = float32(0.1 * math.Sin(float64((1+i)*(1+i))))
		}
		warm := newModel(objectiveOf(cfg, x), cfg.Factors, start, nil)
		m, err := Fit(t.Context(), x, cfg, warm, nil)
		if err != nil {
			t.Fatal(err)
		}
		scores := make([]float32, items)
		for u := range people {
			if !lines.Scan() {
				t.Fatal("testdata/implicit.txt ends early")
			}
			m.ScoreVector(m.UserFactors(u), scores)
			for i, field := range strings.Fields(lines.Text()) {
				var want float64
				if _, err := fmt.Sscan(field, &want); err != nil {
					t.Fatal(err)
				}
				if got := float64(scores[i]); math.Abs(got-want) > 2e-5 {
					t.Errorf("%d factors: score of person %d, item %d = %.6f, want %.6f", cfg.Factors, u, i, got, want)
				}
			}
		}
	}
}
