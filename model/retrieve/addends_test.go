package retrieve_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"kindred/model/rank"
	"kindred/model/retrieve"
	"kindred/model/retrieve/retrievetest"
)

func TestTopCountsAddends(t *testing.T) {
	const n, f = 5000, 16
	v := retrievetest.Vectors(n, f, 0.6, 3)
	x := retrieve.New(v[:4900*f], f, retrieve.Config{}).Append(v[4900*f:])
	q := retrievetest.Queries(1, f, 3)
	for name, add := range map[string]func(*rand.Rand) float32{
		"positive":   func(r *rand.Rand) float32 { return r.Float32() },
		"negative":   func(r *rand.Rand) float32 { return -r.Float32() },
		"either":     func(r *rand.Rand) float32 { return float32(r.NormFloat64()) },
		"zero":       func(*rand.Rand) float32 { return 0 },
		"huge":       func(r *rand.Rand) float32 { return float32(r.NormFloat64() * 1e20) },
		"tiny":       func(r *rand.Rand) float32 { return float32(r.NormFloat64() * 1e-20) },
		"infinite":   func(r *rand.Rand) float32 { return float32(math.Inf(r.IntN(2) - 1)) },
		"no numbers": func(*rand.Rand) float32 { return float32(math.NaN()) },
	} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(5, 6))
			for _, m := range []int{0, 1, 10, 300, 2500, n} {
				query := retrieve.Query{Vector: q, K: 100}
				for _, row := range rng.Perm(n)[:m] {
					query.Rows = append(query.Rows, int32(row))
					query.Add = append(query.Add, add(rng))
				}
				check(t, x, query, filter{})
				query.Seen = []int32{1, 2, 3, 4900, 4999}
				if m > 5 {
					query.Seen = append(query.Seen, query.Rows[:5]...)
				}
				half := rank.NewSet(n)
				for row := 0; row < n; row += 2 {
					half.Add(int32(row))
				}
				check(t, x, query, filter{only: half})
				check(t, x, query, filter{hide: []*rank.Set{half}})
				query.Vector = make([]float32, f)
				check(t, x, query, filter{})
				check(t, x, retrieve.Query{Vector: q, K: 100}, filter{}) // nothing of it is left
			}
		})
	}
	t.Run("strangers and repeats", func(t *testing.T) {
		check(t, x, retrieve.Query{Vector: q, K: 20, Rows: []int32{7, 7, -1, n, math.MaxInt32, 8, 7}, Add: []float32{3, 9, 9, 9, 9, 2, 9}}, filter{})
	})
}

func TestTopGivesUpSoonAfterItHasAskedForTooManyScores(t *testing.T) {
	const n, f = 20000, 8
	x := retrieve.New(retrievetest.Vectors(n, f, 0.6, 3), f, retrieve.Config{})
	q := bounded(x, retrieve.Query{Vector: retrievetest.Queries(1, f, 3), K: 10}, 1e6)
	if got, stats := x.Top(q); len(got) != 10 || stats.Asked != n {
		t.Errorf("%d rows after all but %d were asked for", len(got), n-stats.Asked)
	}
	q.Most = 100
	if got, stats := x.Top(q); got != nil || stats.Asked < 100 || stats.Asked > n/4 {
		t.Errorf("%d rows after %d of at most 100 were asked for", len(got), stats.Asked)
	}
}
