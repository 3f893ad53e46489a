package retrieve_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kindred/model/retrieve"
	"kindred/model/retrieve/retrievetest"
)

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
					x := retrieve.New(v, f, retrieve.Config{Basis: retrieve.Basis(rng.IntN(4)), Order: retrieve.Order(rng.IntN(3)), Seed: rng.Uint64()})
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
