package load

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The frequencies of all ranks are the distribution's, by χ².
func TestZipfDrawsEveryRankAsOftenAsItShould(t *testing.T) {
	const n, draws = 40, 200_000
	for _, s := range []float64{0, .3, .8, 1, 1.2, 2.5} {
		z, random := NewZipf(n, s), rand.New(rand.NewPCG(3, uint64(s*10)))
		var counts [n]float64
		for range draws {
			counts[z.Draw(random)]++
		}
		total := 0.0
		for k := range n {
			total += math.Pow(float64(k+1), -s)
		}
		chi2, cells := 0.0, 0
		for k, got := range counts {
			want := draws * math.Pow(float64(k+1), -s) / total
			if want >= 5 {
				chi2 += (got - want) * (got - want) / want
				cells++
			}
		}
		// 73 is beyond the 99.9 % point of χ² with 39 degrees of freedom.
		if chi2 > 73 {
			t.Errorf("s = %v: χ² is %.0f over %d ranks", s, chi2, cells)
		}
	}
}

func TestZipfOfOneRankIsThatRank(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for _, s := range []float64{0, 1, 2} {
		if got := NewZipf(1, s).Draw(random); got != 0 {
			t.Errorf("s = %v: rank %d of one", s, got)
		}
	}
}
