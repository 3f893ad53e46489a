package als

import (
	"math"
	"slices"
	"testing"

	"kindred/model/sparse"
)

// Three kinds of long rows: of more entries than hugeEntries, which all workers solve together;
// of more than a piece, by one worker and conjugate gradient; and with few factors, by the matrix itself.
func TestLongRowsAreSolvedAlikeForAnyWorkers(t *testing.T) {
	t.Run("huge, direct", func(t *testing.T) { checkLongRows(t, hugeEntries+3000, 8) })
	t.Run("pieces", func(t *testing.T) { checkLongRows(t, 11000, 40) })
}

func checkLongRows(t *testing.T, people, f int) {
	if long := pieceEntries(f); long >= people*2/3 {
		t.Fatalf("a piece has %d entries: the test needs shorter ones", long)
	}
	var triples []sparse.Triple
	for u := range int32(people) {
		triples = append(triples, sparse.Triple{Row: u, Col: 0, Val: float32(1 + u%3)})
		if u%3 != 0 {
			triples = append(triples, sparse.Triple{Row: u, Col: 1, Val: 1})
		}
		if u%5 == 0 {
			triples = append(triples, sparse.Triple{Row: u, Col: 2 + u%7, Val: 1})
		}
	}
	x := sparse.FromTriples(people, 10, triples)
	cfg := configs()["ials"]
	cfg.Factors, cfg.Iterations, cfg.CGSteps = f, 1, 6
	cfg.Workers = 1
	want := mustFit(t, x, cfg)
	for _, workers := range []int{3} {
		cfg.Workers = workers
		if got := mustFit(t, x, cfg); !slices.Equal(got.items, want.items) || !slices.Equal(got.users, want.users) {
			t.Errorf("%d workers give other factors than 1", workers)
		}
	}
	if Raced {
		return // the rest is slow, and no race
	}
	cfg.Solver = SolverCholesky
	exact := mustFit(t, x, cfg)
	got, wanted := make([]float32, x.Cols), make([]float32, x.Cols)
	for _, u := range []int{0, 1, 5, people - 1} {
		want.ScoreVector(want.UserFactors(u), got)
		exact.ScoreVector(exact.UserFactors(u), wanted)
		for i := range got {
			if math.Abs(float64(got[i]-wanted[i])) > 2e-3 {
				t.Errorf("score of person %d, item %d = %v, exactly %v", u, i, got[i], wanted[i])
			}
		}
	}
}
