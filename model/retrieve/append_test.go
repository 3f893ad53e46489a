package retrieve_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"kindred/model/rank"
	"kindred/model/retrieve"
	"kindred/model/retrieve/retrievetest"
)

func TestAppendedRowsAreFound(t *testing.T) {
	const f = 12
	rng := rand.New(rand.NewPCG(7, 8))
	all := retrievetest.Vectors(2000, f, 0.4, 9)
	q := retrievetest.Queries(1, f, 9)
	x := retrieve.New(all[:1000*f], f, retrieve.Config{})
	made := []*retrieve.Index{x}
	for x.Len() < 2000 {
		n := min(1+rng.IntN(150), 2000-x.Len())
		x = x.Append(all[x.Len()*f : (x.Len()+n)*f])
		made = append(made, x)
	}
	branch := made[3].Append(all[:500*f]) // shares its beginning with made[4]
	again := made[3].Append(all[500*f : 900*f])
	for _, x := range append(made, branch, again, made[4]) {
		hidden := rank.SetOf(x.Len(), []int32{3, 77, int32(x.Len() - 1), 1000})
		check(t, x, retrieve.Query{Vector: q, K: 50}, filter{})
		check(t, x, retrieve.Query{Vector: q, K: 50, Seen: []int32{int32(x.Len() - 2)}}, filter{hide: []*rank.Set{hidden}})
		if x.Tail() != x.Len()-1000 {
			t.Errorf("Tail = %d of %d", x.Tail(), x.Len())
		}
	}
	fresh := retrieve.New(all, f, retrieve.Config{})
	want, _ := fresh.Top(retrieve.Query{Vector: q, K: 100})
	got, _ := x.Top(retrieve.Query{Vector: q, K: 100})
	if !slices.Equal(got, want) {
		t.Error("an index with a tail and one made of everything disagree")
	}
	if x.Append(nil) != x {
		t.Error("appending nothing made another index")
	}
}
