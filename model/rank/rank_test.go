package rank_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/model/rank"
)

// fullSort is TopK's twin: everything that may be ranked, sorted, cut.
func fullSort(scores []float32, k int, allowed func(row int32) bool) []rank.Ranked {
	var all []rank.Ranked
	for i, s := range scores {
		if s == s && allowed(int32(i)) {
			all = append(all, rank.Ranked{Row: int32(i), Score: s})
		}
	}
	slices.SortStableFunc(all, func(a, b rank.Ranked) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0 // stable: rows rise
	})
	return all[:max(0, min(k, len(all)))]
}

// rankable draws scores with many ties, and the odd NaN and infinity.
func rankable() *rapid.Generator[[]float32] {
	special := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.Copysign(0, -1)), 0}
	return rapid.SliceOfN(rapid.OneOf(
		rapid.Map(rapid.IntRange(-3, 3), func(i int) float32 { return float32(i) }),
		rapid.Float32(),
		rapid.SampledFrom(special),
	), 0, 200)
}

// subset draws a set over a range that need not be n, or nil.
func subset(t *rapid.T, name string, n int) *rank.Set {
	if rapid.Bool().Draw(t, name+" nil") {
		return nil
	}
	size := max(0, n+rapid.IntRange(-3, 3).Draw(t, name+" size"))
	return rank.SetOf(size, rapid.SliceOf(rapid.Int32Range(-2, int32(n+5))).Draw(t, name))
}

func TestTopKAgreesWithAFullSort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores := rankable().Draw(t, "scores")
		k := rapid.IntRange(-1, len(scores)+3).Draw(t, "k")
		only, seen, hidden := subset(t, "only", len(scores)), subset(t, "seen", len(scores)), subset(t, "hidden", len(scores))
		want := fullSort(scores, k, func(row int32) bool {
			return (only == nil || only.Has(row)) && !seen.Has(row) && !hidden.Has(row)
		})
		got := rank.TopK(scores, k, only, seen, hidden)
		if len(got) != len(want) || len(want) > 0 && !slices.Equal(got, want) {
			t.Fatalf("TopK = %v, want %v", got, want)
		}
	})
}

func TestBestAgreesWithAFullSort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores := rankable().Filter(func(s []float32) bool {
			return !slices.ContainsFunc(s, func(v float32) bool { return v != v })
		}).Draw(t, "scores")
		k := rapid.IntRange(-1, len(scores)+3).Draw(t, "k")
		candidates := make([]rank.Ranked, len(scores))
		for i, s := range scores {
			candidates[i] = rank.Ranked{Row: int32(i), Score: s}
		}
		candidates = rapid.Permutation(candidates).Draw(t, "order")
		want := fullSort(scores, k, func(int32) bool { return true })
		if got := rank.Best(candidates, k); len(got) != len(want) || len(want) > 0 && !slices.Equal(got, want) {
			t.Fatalf("Best = %v, want %v", got, want)
		}
	})
}

func TestTopKPromises(t *testing.T) {
	nan := float32(math.NaN())
	for name, c := range map[string]struct {
		scores []float32
		k      int
		only   *rank.Set
		hide   []*rank.Set
		want   []rank.Ranked
	}{
		"ties go to the lower row":       {[]float32{1, 2, 2, 2}, 2, nil, nil, []rank.Ranked{{1, 2}, {2, 2}}},
		"hidden before the cut":          {[]float32{3, 2, 1}, 2, nil, []*rank.Set{rank.SetOf(3, []int32{0})}, []rank.Ranked{{1, 2}, {2, 1}}},
		"only what is allowed":           {[]float32{3, 2, 1}, 2, rank.SetOf(3, []int32{2}), nil, []rank.Ranked{{2, 1}}},
		"not a number is never ranked":   {[]float32{nan, nan, -1}, 3, nil, nil, []rank.Ranked{{2, -1}}},
		"more than there are":            {[]float32{1}, 1_000_000_000, nil, nil, []rank.Ranked{{0, 1}}},
		"none asked for":                 {[]float32{1}, 0, nil, nil, nil},
		"fewer than none asked for":      {[]float32{1}, -1, nil, nil, nil},
		"nothing to rank":                {nil, 5, nil, nil, nil},
		"an empty allowed set":           {[]float32{1}, 1, rank.NewSet(1), nil, []rank.Ranked{}},
		"a short allowed set ends there": {[]float32{1, 2}, 2, rank.SetOf(1, []int32{0}), nil, []rank.Ranked{{0, 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, rank.TopK(c.scores, c.k, c.only, c.hide...)); diff != "" {
				t.Errorf("TopK (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTopKAllocatesItsAnswerOnly(t *testing.T) {
	scores := make([]float32, 1000)
	for i := range scores {
		scores[i] = float32(i * 7919 % 1000)
	}
	seen := rank.SetOf(1000, []int32{1, 2, 3})
	if got := testing.AllocsPerRun(20, func() { rank.TopK(scores, 10, nil, seen) }); got > 2 {
		t.Errorf("%v allocations, want at most 2", got)
	}
}

func BenchmarkTopK(b *testing.B) {
	scores := make([]float32, 26744)
	for i := range scores {
		scores[i] = float32(i * 7919 % 26744)
	}
	seen := rank.SetOf(len(scores), []int32{1, 100, 1000})
	for b.Loop() {
		rank.TopK(scores, 100, nil, seen)
	}
}

func ExampleTopK() {
	scores := []float32{0.1, 0.9, 0.5, 0.9}
	seen := rank.SetOf(len(scores), []int32{1})
	for _, r := range rank.TopK(scores, 2, nil, seen) {
		fmt.Println(r.Row, r.Score)
	}
	// Output:
	// 3 0.9
	// 2 0.5
}
