package retrieve_test

import (
	"math"
	"testing"

	"kindred/model/rank"
	"kindred/model/retrieve"
	"kindred/model/retrieve/retrievetest"
)

func TestTopHidesBeforeTheCut(t *testing.T) {
	const n, f = 10_000, 16
	v := retrievetest.Vectors(n, f, 0.6, 3)
	x := retrieve.New(v, f, retrieve.Config{Order: retrieve.ByNorm})
	clustered := retrieve.New(v, f, retrieve.Config{Order: retrieve.Clustered})
	q := retrievetest.Queries(1, f, 3)
	all, _ := x.Top(retrieve.Query{Vector: q, K: 300})
	var best []int32
	for _, r := range all {
		best = append(best, r.Row)
	}
	share := func(one int) *rank.Set {
		s := rank.NewSet(n)
		for row := 0; row < n; row += one {
			s.Add(int32(row))
		}
		return s
	}
	full := rank.NewSet(n)
	full.Fill()
	for name, c := range map[string]struct {
		fl   filter
		seen []int32
	}{
		"the 200 best seen":          {filter{}, best[:200]},
		"seen twice, and strangers":  {filter{}, append([]int32{-5, n, n + 100, math.MaxInt32, math.MinInt32}, append(best[:50], best[:50]...)...)},
		"half":                       {filter{only: share(2)}, best[:200]},
		"a category":                 {filter{only: share(10)}, best[:200]},
		"a rare category":            {filter{only: share(100)}, best[:20]},
		"one item":                   {filter{only: rank.SetOf(n, []int32{4321})}, nil},
		"one item, seen":             {filter{only: rank.SetOf(n, []int32{4321})}, []int32{4321}},
		"none":                       {filter{only: rank.NewSet(n)}, nil},
		"none of a shorter set":      {filter{only: rank.NewSet(0)}, nil},
		"everything":                 {filter{only: full}, nil},
		"everything hidden":          {filter{hide: []*rank.Set{full}}, nil},
		"the best hidden":            {filter{hide: []*rank.Set{rank.SetOf(n, best), nil}}, nil},
		"only the best":              {filter{only: rank.SetOf(n, best), hide: []*rank.Set{share(3)}}, best[:7]},
		"a set that is longer":       {filter{only: rank.SetOf(n+500, []int32{1, n + 3})}, nil},
		"two kinds hidden and a few": {filter{hide: []*rank.Set{share(2), share(3)}}, best[100:200]},
	} {
		t.Run(name, func(t *testing.T) {
			for _, k := range []int{1, 100, 1000, n + 1} {
				check(t, x, retrieve.Query{Vector: q, K: k, Seen: c.seen}, c.fl)
			}
			check(t, x, retrieve.Query{Vector: q, K: 100}, filter{}) // nothing of it is left
			check(t, clustered, retrieve.Query{Vector: q, K: 100, Seen: c.seen}, c.fl)
			check(t, clustered, retrieve.Query{Vector: q, K: 100}, filter{})
		})
	}
}
