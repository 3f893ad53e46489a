package retrieve_test

import (
	"math"
	"slices"
	"testing"

	"kindred/model/rank"
	"kindred/model/retrieve"
)

// filter is the sets behind a query's masks.
type filter struct {
	only *rank.Set
	hide []*rank.Set
}

// fullSort is Top's twin: every score by the same kernel, sorted.
func fullSort(x *retrieve.Index, q retrieve.Query, fl filter) []rank.Ranked {
	scores := make([]float32, x.Len())
	x.Scores(q.Vector, scores)
	added := map[int32]bool{}
	for i, row := range q.Rows {
		if row >= 0 && int(row) < x.Len() && !added[row] {
			added[row] = true
			scores[row] += q.Add[i]
		}
	}
	for row := range scores {
		if !added[int32(row)] {
			scores[row] += q.Else
		}
	}
	return rank.TopK(scores, q.K, fl.only, append(slices.Clone(fl.hide), rank.SetOf(x.Len(), q.Seen))...)
}

// check compares Top with the full sort.
func check(t testing.TB, x *retrieve.Index, q retrieve.Query, fl filter) retrieve.Stats {
	t.Helper()
	if fl.only != nil {
		q.Only = x.Mask(fl.only)
	}
	for _, h := range fl.hide {
		q.Hide = append(q.Hide, x.Mask(h))
	}
	if q.Else == 0 { // every test asks with an addend for all other rows too
		moved := q
		for _, moved.Else = range []float32{-1, .3, 1000, 3e-5} {
			want := fullSort(x, moved, fl)
			if got, _ := x.Top(moved); !slices.Equal(got, want) {
				t.Fatalf("Top and the full sort differ where all other rows get %v: %d and %d rows", moved.Else, len(got), len(want))
			}
		}
	}
	want := fullSort(x, q, fl)
	for _, above := range []float32{0, .01, 1, 50} { // and with bounds of the addends
		asked := bounded(x, q, above)
		if got, stats := x.Top(asked); !slices.Equal(got, want) {
			t.Fatalf("Top and the full sort differ where addends are known up to %v: %d and %d rows (%+v)", above, len(got), len(want), stats)
		}
		if asked.Most = 5; len(want) > 5 {
			if got, stats := x.Top(asked); got != nil || stats.Asked <= 5 {
				t.Fatalf("after %d of at most 5 rows Top has %d", stats.Asked, len(got))
			}
		}
	}
	if q.Least == nil && len(want) > 0 { // and for those alone that reach some score
		for _, of := range []int{0, len(want) / 2, len(want) - 1} {
			reach := q
			reach.Least, reach.K = &want[of].Score, q.K+of%3
			all := fullSort(x, reach, fl)
			all = all[:len(all)-countBelow(all, *reach.Least)]
			if got, _ := x.Top(reach); !slices.Equal(got, all) {
				t.Fatalf("Top and the full sort differ for scores of %v and more: %d and %d rows", *reach.Least, len(got), len(all))
			}
		}
	}
	got, stats := x.Top(q)
	if q.Only != nil {
		packed := q
		packed.Only = q.Only.Pack()
		if got, _ := x.Top(packed); !slices.Equal(got, want) {
			t.Fatalf("Top of a packed mask and the full sort differ: %d and %d rows", len(got), len(want))
		}
	}
	if !slices.Equal(got, want) {
		i := 0
		for i < min(len(got), len(want)) && got[i] == want[i] {
			i++
		}
		t.Fatalf("Top and the full sort differ: %d and %d rows, at %d: %v, want %v (%+v)",
			len(got), len(want), i, got[i:min(i+3, len(got))], want[i:min(i+3, len(want))], stats)
	}
	return stats
}

// bounded is the query with bounds of the addends, which are up to above too high, and a Score that knows them.
func bounded(x *retrieve.Index, q retrieve.Query, above float32) retrieve.Query {
	exact := make([]float32, x.Len())
	for row := range exact {
		exact[row] = q.Else
	}
	q.Add = slices.Clone(q.Add)
	for i := len(q.Rows) - 1; i >= 0; i-- {
		if row := q.Rows[i]; row >= 0 && int(row) < x.Len() {
			exact[row] = q.Add[i]
		}
		q.Add[i] += above * float32(i%7) / 6
	}
	q.Else += above
	q.Score = func(row int32, product, least float32) float32 {
		if score := product + exact[row]; !(score < least) {
			return score
		}
		return float32(math.Inf(-1))
	}
	return q
}

func countBelow(list []rank.Ranked, least float32) (n int) {
	for _, r := range list {
		if r.Score < least {
			n++
		}
	}
	return n
}
