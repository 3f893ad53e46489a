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

func TestTopForAnyQuery(t *testing.T) {
	const n, f = 3000, 24
	byNorm := retrieve.New(retrievetest.Vectors(n, f, 0.5, 1), f, retrieve.Config{})
	clustered := retrieve.New(retrievetest.Vectors(n, f, 0.5, 1), f, retrieve.Config{Order: retrieve.Clustered})
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
				check(t, byNorm, retrieve.Query{Vector: q, K: k}, filter{})
				check(t, clustered, retrieve.Query{Vector: q, K: k}, filter{})
			}
		})
	}
}

func scaleBy(q []float32, s float32) {
	for i := range q {
		q[i] *= s
	}
}

// A score can be infinite though the norms and their product are not, in float64.
func TestInfiniteScoresAreFound(t *testing.T) {
	const n, f = 3000, 4
	v := retrievetest.Vectors(n, f, 0, 1)
	for _, scale := range []float32{1e28, 3e28, 1e29} {
		for row := 100; row < 140; row++ {
			scaleBy(v[row*f:(row+1)*f], scale/1e28)
		}
		scaleBy(v[100*f:120*f], 1e28)
		for order := range retrieve.Order(3) {
			x := retrieve.New(v, f, retrieve.Config{Order: order})
			for _, k := range []int{1, 10, 30} {
				for _, other := range []float32{0, 1e38, 3.4e38} {
					q := retrieve.Query{Vector: slices.Clone(v[105*f : 106*f]), K: k, Else: other}
					scaleBy(q.Vector, 2e10/scale)
					check(t, x, q, filter{})
				}
			}
		}
		scaleBy(v[100*f:120*f], 1e-28)
	}
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
		x := retrieve.New(v[:base*d], d, retrieve.Config{Seed: seed, Basis: retrieve.Basis(shape / 16 % 4), Order: retrieve.Order(shape / 64 % 3)}).Append(v[base*d:])
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
