package kernel_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"kindred/model/kernel"
)

func TestDistancesAndTheNearestAgreeWithFloat64(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 1))
		for d := range 301 {
			k := 1 + rng.IntN(50)
			centroids, x := normal(rng, k*d), normal(rng, d+1)[1:]
			packed := kernel.PackCentroids(centroids, k, d)
			got := make([]float32, k)
			kernel.Distances(got, packed, x)
			nearest := 0
			for c := range k {
				want := 0.0
				for j, v := range x {
					off := float64(v) - float64(centroids[c*d+j])
					want += off * off
				}
				if math.Abs(float64(got[c])-want) > want*float64(d+3)/(1<<23) {
					t.Fatalf("d = %d: distance to %d of %d = %v, want %v", d, c, k, got[c], want)
				}
				if got[c] < got[nearest] {
					nearest = c
				}
			}
			if n, distance := kernel.Nearest(packed, k, x); n != nearest || distance != got[nearest] {
				t.Fatalf("d = %d: nearest of %d is %d at %v, want %d at %v", d, k, n, distance, nearest, got[nearest])
			}
		}
	})
}

func TestNearestPromises(t *testing.T) {
	nan, inf := float32(math.NaN()), math.Inf(1)
	kernel.AtEveryLevel(t, func(t *testing.T) {
		twins := make([]float32, 20*9) // 20 centroids, all in one place
		for name, tt := range map[string]struct {
			centroids, x []float32
			k            int
			want         int
			distance     float64
		}{
			"ties go to the lower number": {twins, make([]float32, 9), 20, 0, 0},
			"none":                        {nil, []float32{1}, 0, -1, inf},
			"no number is never nearest":  {[]float32{nan, 2, nan}, []float32{1}, 3, 1, 1},
			"no number to compare":        {[]float32{1, 2}, []float32{nan}, 2, -1, inf},
			"no dimensions":               {nil, nil, 3, 0, 0},
			"in the second block":         {append(make([]float32, 17), 5), []float32{4}, 18, 17, 1},
		} {
			packed := kernel.PackCentroids(tt.centroids, tt.k, len(tt.x))
			if c, distance := kernel.Nearest(packed, tt.k, tt.x); c != tt.want || float64(distance) != tt.distance {
				t.Errorf("%s: %d at %v, want %d at %v", name, c, distance, tt.want, tt.distance)
			}
		}
	})
}

func BenchmarkNearest(b *testing.B) {
	const k, d = 16, 32
	rng := rand.New(rand.NewPCG(1, 1))
	packed, x := kernel.PackCentroids(normal(rng, k*d), k, d), normal(rng, d)
	for l := kernel.Generic; l <= kernel.BestLevel(); l++ {
		b.Run(l.String(), func(b *testing.B) {
			kernel.SetLevel(b, l)
			for b.Loop() {
				kernel.Nearest(packed, k, x)
			}
		})
	}
}
