package retrieve_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"kindred/model/rank"
	"kindred/model/retrieve"
	"kindred/model/retrieve/retrievetest"
)

// Many clusters and runs, of which the search passes over some: with a tail, filters and addends.
func TestTopOfClusteredRowsIsTheFullSortForAnyVectors(t *testing.T) {
	const n, base = 10_300, 10_000
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(3, 4))
			const f = 24
			v := shape(n, f, rng)
			x := retrieve.New(v[:base*f], f, retrieve.Config{
				Basis: retrieve.Basis(rng.IntN(4)), Order: retrieve.Clustered, Seed: rng.Uint64(),
			}).Append(v[base*f:])
			fifth := rank.NewSet(n)
			for row := 0; row < n; row += 5 {
				fifth.Add(int32(row))
			}
			q := retrieve.Query{Vector: retrievetest.Queries(1, f, rng.Uint64()), K: 100}
			if rng.IntN(2) == 0 {
				copy(q.Vector, v[7*f:])
			}
			check(t, x, q, filter{only: fifth})
			check(t, x, q, filter{only: rank.SetOf(n, []int32{4321})})
			q.Seen, q.Rows, q.Add = []int32{1, 2, 3}, []int32{2, 5, 9000, n - 1}, []float32{1, 2, -1, .5}
			check(t, x, q, filter{hide: []*rank.Set{fifth}})
			q.K = n + 1
			check(t, x, q, filter{only: fifth})
		})
	}
}

// Vectors near a cluster's centre and queries near another: what the bounds of runs are about.
func TestTopOfClusteredRowsIsTheFullSortForManyQueries(t *testing.T) {
	const n, f = 20_000, 32
	for _, spread := range []float64{0, 0.1, 0.6} {
		t.Run(fmt.Sprint(spread), func(t *testing.T) {
			v := retrievetest.Vectors(n, f, spread, 5)
			for _, basis := range []retrieve.Basis{retrieve.Principal, retrieve.Original, retrieve.Random} {
				x := retrieve.New(v, f, retrieve.Config{Basis: basis, Order: retrieve.Clustered})
				for q := range slices.Chunk(retrievetest.Queries(15, f, 5), f) {
					for _, k := range []int{1, 100} {
						query := retrieve.Query{Vector: q, K: k}
						got, stats := x.Top(query)
						if !slices.Equal(got, fullSort(x, query, filter{})) {
							t.Fatalf("Top and the full sort differ: %+v", stats)
						}
					}
				}
			}
		})
	}
}

func TestTheOrderFollowsTheNorms(t *testing.T) {
	const n, f = 20_000, 32
	for spread, want := range map[float64]retrieve.Order{0: retrieve.Clustered, 0.05: retrieve.Clustered, 0.3: retrieve.ByNorm, 0.6: retrieve.ByNorm} {
		v := retrievetest.Vectors(n, f, spread, 6)
		var finished [3]int
		for order := range finished {
			x := retrieve.New(v, f, retrieve.Config{Order: retrieve.Order(order)})
			for q := range slices.Chunk(retrievetest.Queries(20, f, 6), f) {
				_, stats := x.Top(retrieve.Query{Vector: q, K: 20})
				finished[order] += stats.Finished
			}
		}
		if finished[retrieve.AutoOrder] != finished[want] {
			t.Errorf("spread %v: %v rows finished by order: Auto is not %v", spread, finished, want)
		}
		if finished[want] >= finished[retrieve.ByNorm+retrieve.Clustered-want] {
			t.Errorf("spread %v: %v rows finished by order: %v is not the better one", spread, finished, want)
		}
	}
}

func TestRunsNeedRowsEnough(t *testing.T) {
	const f = 8
	for _, n := range []int{0, 1, 1199, 1200, 1201, 1280} {
		x := retrieve.New(retrievetest.Vectors(n, f, 0, 7), f, retrieve.Config{Order: retrieve.Clustered})
		check(t, x, retrieve.Query{Vector: retrievetest.Queries(1, f, 7), K: 10}, filter{})
	}
}
