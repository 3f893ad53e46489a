package als

import (
	"runtime"
	"testing"

	"kindred/model/sparse"
)

// TestFitAllocatesWhatThePackageCommentSays counts every byte that a fit allocates, given back or not: factors,
// the transpose, the random bits of the start, and so much a worker. Nothing may
// grow with the number of sweeps.
func TestFitAllocatesWhatThePackageCommentSays(t *testing.T) {
	rows, cols := int32(2000), int32(1000)
	if Raced { // loops over floats are slow there
		rows, cols = 400, 200
	}
	var triples []sparse.Triple
	for u := range rows {
		for i := range int32(20) {
			triples = append(triples, sparse.Triple{Row: u, Col: (u*7 + i*i*3 + i) % cols, Val: 1})
		}
	}
	x := sparse.FromTriples(int(rows), int(cols), triples)
	for _, solver := range []string{SolverCG, SolverCholesky} {
		for _, f := range []int{8, 40} {
			cfg := Default()
			cfg.Factors, cfg.Solver, cfg.Iterations = f, solver, 1
			for _, workers := range []int{1, 3} {
				cfg.Workers = workers
				limit := int64(FitBytes(x.Rows, x.Cols, x.NNZ(), f, workers))
				short := allocated(t, x, cfg)
				cfg.Iterations = 3
				long := allocated(t, x, cfg)
				if short > limit || long > limit+64<<10 {
					t.Errorf("%s, f=%d, %d workers: %d bytes for 1 iteration and %d for 3, the bound is %d", solver, f, workers, short, long, limit)
				}
				cfg.Iterations = 1
			}
		}
	}
}

// allocated is the bytes that one fit allocates.
func allocated(t *testing.T, x *sparse.CSR, cfg Config) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	mustFit(t, x, cfg)
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}
