package load

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var quantiles = []float64{0, .001, .25, .5, .9, .99, .999, .9999, 1}

// exact is the nearest rank of the sorted values.
func exact(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(max(int(math.Ceil(q*float64(len(sorted)))), 1), len(sorted))-1]
}

func TestQuantilesAgreeWithTheSortedValues(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	cases := map[string]func() time.Duration{
		"small":      func() time.Duration { return time.Duration(random.IntN(256)) },
		"one":        func() time.Duration { return 7 * time.Millisecond },
		"log-normal": func() time.Duration { return time.Duration(1e5 * math.Exp(2*random.NormFloat64())) },
		"long tail": func() time.Duration {
			if random.IntN(100) == 0 {
				return time.Duration(random.Int64())
			}
			return time.Duration(random.IntN(1000))
		},
	}
	for name, draw := range cases {
		t.Run(name, func(t *testing.T) {
			var parts [3]Histogram
			var all []time.Duration
			for i := range 20_001 {
				d := draw()
				all = append(all, d)
				parts[i%3].Add(d)
			}
			slices.Sort(all)
			var h Histogram
			for i := range parts {
				h.Merge(&parts[i])
			}
			if h.Count() != int64(len(all)) || h.Max() != all[len(all)-1] {
				t.Errorf("count %d, max %v; want %d, %v", h.Count(), h.Max(), len(all), all[len(all)-1])
			}
			for _, q := range quantiles {
				got, want := h.Quantile(q), exact(all, q)
				if got < want || float64(got) > float64(want)*(1+1./128) {
					t.Errorf("quantile %v is %d; the sorted values have %d", q, got, want)
				}
			}
		})
	}
}

func TestEveryValueLiesInItsBucket(t *testing.T) {
	for _, v := range []uint64{0, 1, 127, 128, 255, 256, 257, 511, 512, 1 << 20, 1<<20 - 1, 1 << 40, math.MaxInt64} {
		b := bucketOf(v)
		if b >= buckets || highest(b) < v || b > 0 && highest(b-1) >= v {
			t.Errorf("%d is in bucket %d, which ends at %d; the one before ends at %d", v, b, highest(b), highest(max(b-1, 0)))
		}
	}
}

func TestAnEmptyHistogramIsZero(t *testing.T) {
	var h Histogram
	if h.Quantile(.5) != 0 || h.Mean() != 0 || h.Max() != 0 {
		t.Error("an empty histogram has values")
	}
}
