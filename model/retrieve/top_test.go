package retrieve_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kindred/model/rank"
	"kindred/model/retrieve"
	"kindred/model/retrieve/retrievetest"
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

func countBelow(list []rank.Ranked, least float32) (n int) {
	for _, r := range list {
		if r.Score < least {
			n++
		}
	}
	return n
}

// shapes are vectors that make life hard for bounds.
var shapes = map[string]func(n, f int, rng *rand.Rand) []float32{
	"like factors": func(n, f int, rng *rand.Rand) []float32 {
		return retrievetest.Vectors(n, f, 0.6, rng.Uint64())
	},
	"of one norm": func(n, f int, rng *rand.Rand) []float32 {
		return retrievetest.Vectors(n, f, 0, rng.Uint64())
	},
	"of wild norms": func(n, f int, rng *rand.Rand) []float32 {
		return retrievetest.Vectors(n, f, 15, rng.Uint64())
	},
	"zero": func(n, f int, _ *rand.Rand) []float32 { return make([]float32, n*f) },
	"all the same": func(n, f int, rng *rand.Rand) []float32 {
		v := retrievetest.Vectors(1, f, 0, rng.Uint64())
		return slices.Repeat(v, n)
	},
	"a few, often": func(n, f int, rng *rand.Rand) []float32 {
		few, out := retrievetest.Vectors(5, f, 0.5, rng.Uint64()), make([]float32, 0, n*f)
		for range n {
			i := rng.IntN(5)
			out = append(out, few[i*f:(i+1)*f]...)
		}
		return out
	},
	"a last bit apart": func(n, f int, rng *rand.Rand) []float32 {
		v := slices.Repeat(retrievetest.Vectors(1, f, 0, rng.Uint64()), n)
		for i := range n {
			j := i*f + rng.IntN(f)
			v[j] = math.Float32frombits(math.Float32bits(v[j]) + uint32(rng.IntN(3)))
		}
		return v
	},
	"small integers": func(n, f int, rng *rand.Rand) []float32 {
		v := make([]float32, n*f)
		for i := range v {
			v[i] = float32(rng.IntN(5) - 2)
		}
		return v
	},
	"with an outlier dimension": func(n, f int, rng *rand.Rand) []float32 {
		v := retrievetest.Vectors(n, f, 0.3, rng.Uint64())
		for i := f - 1; i < len(v); i += f {
			v[i] = 30 + rng.Float32()
		}
		return v
	},
	"huge, tiny and zero": func(n, f int, rng *rand.Rand) []float32 {
		v := retrievetest.Vectors(n, f, 0.3, rng.Uint64())
		for i := range n {
			scale := math.Pow(10, float64(rng.IntN(77)-38))
			for j := range f {
				v[i*f+j] *= float32(scale) * float32(min(1, rng.IntN(5)))
			}
		}
		return v
	},
	"not finite": func(n, f int, rng *rand.Rand) []float32 {
		v := retrievetest.Vectors(n, f, 0.3, rng.Uint64())
		bad := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), math.MaxFloat32}
		for i := range n / 5 {
			v[i*5*f+rng.IntN(f)] = bad[rng.IntN(len(bad))]
		}
		return v
	},
	"subnormal": func(n, f int, rng *rand.Rand) []float32 {
		v := retrievetest.Vectors(n, f, 0.3, rng.Uint64())
		for i := range v {
			v[i] *= 1e-30
			v[i] *= 1e-12
		}
		return v
	},
}

func TestTopIsTheFullSortForAnyVectors(t *testing.T) {
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			for _, n := range []int{1, 15, 17, 64, 65, 500, 3000} {
				for _, f := range []int{1, 3, 17, 64, 65} {
					v := shape(n, f, rng)
					x := retrieve.New(v, f, retrieve.Config{Basis: retrieve.Basis(rng.IntN(4)), Seed: rng.Uint64()})
					queries := retrievetest.Queries(3, f, rng.Uint64())
					copy(queries, v[:f])
					for q := range slices.Chunk(queries, f) {
						for _, k := range []int{1, 10, 100} {
							check(t, x, retrieve.Query{Vector: q, K: k}, filter{})
						}
					}
				}
			}
		})
	}
}

func TestTopForAnyQuery(t *testing.T) {
	const n, f = 3000, 24
	x := retrieve.New(retrievetest.Vectors(n, f, 0.5, 1), f, retrieve.Config{})
	unit := retrievetest.Queries(1, f, 2)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, change := range map[string]func(q []float32){
		"zero":            func(q []float32) { clear(q) },
		"one dimension":   func(q []float32) { clear(q[1:]) },
		"negative":        func(q []float32) { scaleBy(q, -1) },
		"huge":            func(q []float32) { scaleBy(q, 1e30) },
		"overflowing":     func(q []float32) { scaleBy(q, 3e38) },
		"tiny":            func(q []float32) { scaleBy(q, 1e-25) },
		"subnormal":       func(q []float32) { scaleBy(q, 1e-41) },
		"large":           func(q []float32) { scaleBy(q, 1e11) },
		"small":           func(q []float32) { scaleBy(q, 1e-11) },
		"an outlier":      func(q []float32) { q[3] = 1e6 },
		"infinite":        func(q []float32) { q[3] = inf },
		"twice infinite":  func(q []float32) { q[3], q[4] = inf, -inf },
		"not a number":    func(q []float32) { q[0] = nan },
		"negative zeroes": func(q []float32) { clear(q); scaleBy(q, -1) },
	} {
		t.Run(name, func(t *testing.T) {
			q := slices.Clone(unit)
			change(q)
			for _, k := range []int{1, 7, 200, n, n + 10} {
				check(t, x, retrieve.Query{Vector: q, K: k}, filter{})
			}
		})
	}
}

func scaleBy(q []float32, s float32) {
	for i := range q {
		q[i] *= s
	}
}

func TestTopHidesBeforeTheCut(t *testing.T) {
	const n, f = 10_000, 16
	v := retrievetest.Vectors(n, f, 0.6, 3)
	x := retrieve.New(v, f, retrieve.Config{})
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
		})
	}
}

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

func TestAMaskOutlivesAppends(t *testing.T) {
	const f = 4
	v := retrievetest.Vectors(500, f, 0.4, 9)
	x := retrieve.New(v[:300*f], f, retrieve.Config{})
	old := x.Mask(rank.SetOf(300, []int32{1, 2, 299}))
	y := x.Append(v[300*f:])
	q := retrieve.Query{Vector: v[:f], K: 500}
	q.Only = old
	if got, _ := y.Top(q); len(got) != 3 {
		t.Errorf("only an older mask gives %d rows, want its 3", len(got))
	}
	q.Only, q.Hide = nil, []*retrieve.Mask{old}
	if got, _ := y.Top(q); len(got) != 497 {
		t.Errorf("hiding an older mask leaves %d rows, want 497", len(got))
	}
}

func TestAPackedMaskIsUnpackedByAChange(t *testing.T) {
	const n, f = 1000, 4
	x := retrieve.New(retrievetest.Vectors(n, f, 0.4, 9), f, retrieve.Config{})
	q := retrieve.Query{Vector: retrievetest.Queries(1, f, 9), K: n}
	some, others := rank.SetOf(n, []int32{1, 2, 3, 4, 5}), rank.SetOf(n, []int32{4, 5, 6})
	for name, c := range map[string]struct {
		change func(m, o *retrieve.Mask)
		want   int
	}{
		"and": {(*retrieve.Mask).And, 2}, "or": {(*retrieve.Mask).Or, 6}, "and not": {(*retrieve.Mask).AndNot, 3},
	} {
		m := x.Mask(some)
		packed := m.Pack()
		q.Only = packed
		if got, stats := x.Top(q); len(got) != 5 || stats.Scanned > 64 {
			t.Errorf("%s: a packed mask of 5 gives %d rows, %+v", name, len(got), stats)
		}
		c.change(packed, x.Mask(others))
		if got, _ := x.Top(q); len(got) != c.want {
			t.Errorf("%s: %d rows, want %d", name, len(got), c.want)
		}
		q.Only = m
		if got, _ := x.Top(q); len(got) != 5 {
			t.Errorf("%s: the mask that was packed changed: %d rows", name, len(got))
		}
	}
}

func TestMasksCombine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const f = 2
		n, more := rapid.IntRange(1, 200).Draw(t, "n"), rapid.IntRange(0, 200).Draw(t, "more")
		x := retrieve.New(make([]float32, n*f), f, retrieve.Config{})
		y := x.Append(make([]float32, more*f))
		draw := func(name string) (*retrieve.Mask, *rank.Set) {
			set := rank.SetOf(n+more, rapid.SliceOf(rapid.Int32Range(0, int32(n+more))).Draw(t, name))
			if rapid.Bool().Draw(t, name+" older") {
				for row := n; row < n+more; row++ {
					set.Remove(int32(row))
				}
				return x.Mask(set), set
			}
			return y.Mask(set), set
		}
		a, as := draw("a")
		b, bs := draw("b")
		and, or, not := a.Clone(), a.Clone(), a.Clone()
		and.And(b)
		or.Or(b)
		not.AndNot(b)
		for row := int32(-1); int(row) < n+more+70; row++ {
			if a.Has(row) != as.Has(row) || and.Has(row) != (as.Has(row) && bs.Has(row)) ||
				or.Has(row) != (as.Has(row) || bs.Has(row)) || not.Has(row) != (as.Has(row) && !bs.Has(row)) {
				t.Fatalf("row %d: a %v, and %v, or %v, and not %v", row, a.Has(row), and.Has(row), or.Has(row), not.Has(row))
			}
		}
		if a.Count() != as.Count() {
			t.Fatalf("Count = %d, want %d", a.Count(), as.Count())
		}
	})
}

func TestTopIsTheFullSort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(
			rapid.Map(rapid.IntRange(-2, 2), func(i int) float32 { return float32(i) }),
			rapid.Float32Range(-1, 1), rapid.Float32(),
		)
		f := rapid.IntRange(1, 9).Draw(t, "f")
		n := rapid.IntRange(0, 300).Draw(t, "n")
		v := rapid.SliceOfN(value, n*f, n*f).Draw(t, "vectors")
		base := rapid.IntRange(0, n).Draw(t, "base")
		x := retrieve.New(v[:base*f], f, retrieve.Config{Basis: retrieve.Basis(rapid.IntRange(0, 3).Draw(t, "basis"))})
		x = x.Append(v[base*f:])
		row := rapid.Int32Range(-1, int32(n+1))
		set := func(name string) *rank.Set {
			return rank.SetOf(n, rapid.SliceOf(row).Draw(t, name))
		}
		fl := filter{}
		if rapid.Bool().Draw(t, "filtered") {
			fl.only = set("only")
		}
		fl.hide = append(fl.hide, set("hide"))
		q := retrieve.Query{
			Vector: rapid.SliceOfN(value, f, f).Draw(t, "query"),
			K:      rapid.IntRange(-1, n+2).Draw(t, "k"),
			Seen:   rapid.SliceOf(row).Draw(t, "seen"),
			Rows:   rapid.SliceOf(row).Draw(t, "rows"),
		}
		q.Add = rapid.SliceOfN(value, len(q.Rows), len(q.Rows)).Draw(t, "add")
		if fl.only != nil {
			q.Only = x.Mask(fl.only)
		}
		q.Hide = []*retrieve.Mask{x.Mask(fl.hide[0]), nil}
		if q.Only != nil && rapid.Bool().Draw(t, "packed") {
			q.Only = q.Only.Pack()
		}
		want := fullSort(x, q, fl)
		if got, stats := x.Top(q); !slices.Equal(got, want) {
			t.Fatalf("Top = %v\nwant  %v\n%+v", got, want, stats)
		}
	})
}

func FuzzTop(f *testing.F) {
	f.Add(uint64(1), uint16(100), uint8(5), uint8(0), uint16(10), uint8(3))
	f.Add(uint64(2), uint16(4000), uint8(64), uint8(6), uint16(100), uint8(50))
	names := make([]string, 0, len(shapes))
	for name := range shapes {
		names = append(names, name)
	}
	slices.Sort(names)
	f.Fuzz(func(t *testing.T, seed uint64, rows uint16, dims, shape uint8, k uint16, filtered uint8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		n, d := int(rows)%6000, 1+int(dims)%140
		v := shapes[names[int(shape)%len(names)]](n, d, rng)
		base := rng.IntN(n + 1)
		x := retrieve.New(v[:base*d], d, retrieve.Config{Seed: seed, Basis: retrieve.Basis(shape / 16 % 4)}).Append(v[base*d:])
		q := retrieve.Query{Vector: retrievetest.Queries(1, d, seed+1), K: int(k)}
		if n > 0 && seed%3 == 0 {
			copy(q.Vector, v[rng.IntN(n)*d:][:d])
		}
		var fl filter
		if filtered > 0 {
			fl.only = rank.NewSet(n)
			for row := range n {
				if rng.IntN(256) < int(filtered) {
					fl.only.Add(int32(row))
				}
			}
			for _, row := range rng.Perm(n)[:n*int(filtered)/1000] {
				q.Rows = append(q.Rows, int32(row))
				q.Add = append(q.Add, float32(rng.NormFloat64()))
			}
		}
		check(t, x, q, fl)
	})
}

func TestTheIndexIsTheSameForAnyNumberOfWorkers(t *testing.T) {
	v := retrievetest.Vectors(5000, 10, 0.5, 1)
	q := retrieve.Query{Vector: retrievetest.Queries(1, 10, 1), K: 20}
	want, wantStats := retrieve.New(v, 10, retrieve.Config{Workers: 1}).Top(q)
	for _, workers := range []int{2, 3, 16} {
		got, stats := retrieve.New(v, 10, retrieve.Config{Workers: workers}).Top(q)
		if !slices.Equal(got, want) || stats != wantStats {
			t.Errorf("%d workers: %+v, want %+v", workers, stats, wantStats)
		}
	}
}

func TestTopAllocatesItsAnswerOnly(t *testing.T) {
	const n, f = 5000, 32
	x := retrieve.New(retrievetest.Vectors(n, f, 0.5, 1), f, retrieve.Config{})
	q := retrieve.Query{
		Vector: retrievetest.Queries(1, f, 1), K: 50, Seen: []int32{1, 2, 3},
		Hide: []*retrieve.Mask{x.Mask(rank.SetOf(n, []int32{9}))}, Rows: []int32{5}, Add: []float32{1},
	}
	if got := testing.AllocsPerRun(50, func() { x.Top(q) }); got > 1.5 && !raced { // the collector may empty the pool
		t.Errorf("%v allocations, want 1", got)
	}
}

func TestWrongShapesPanic(t *testing.T) {
	x := retrieve.New(make([]float32, 10), 2, retrieve.Config{})
	other := retrieve.New(make([]float32, 10), 2, retrieve.Config{}).Mask(rank.NewSet(5))
	q := []float32{1, 2}
	for name, do := range map[string]func(){
		"no dimensions":         func() { retrieve.New(nil, 0, retrieve.Config{}) },
		"part of a row":         func() { retrieve.New(make([]float32, 3), 2, retrieve.Config{}) },
		"append part of a row":  func() { x.Append(make([]float32, 3)) },
		"a short query":         func() { x.Top(retrieve.Query{Vector: q[:1], K: 1}) },
		"rows without addends":  func() { x.Top(retrieve.Query{Vector: q, K: 1, Rows: []int32{1}}) },
		"only another's mask":   func() { x.Top(retrieve.Query{Vector: q, K: 1, Only: other}) },
		"hide another's mask":   func() { x.Top(retrieve.Query{Vector: q, K: 1, Hide: []*retrieve.Mask{other}}) },
		"masks that do not fit": func() { x.Mask(rank.NewSet(5)).And(other) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("accepted")
				}
			}()
			do()
		})
	}
}
