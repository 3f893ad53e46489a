package evaluate

import (
	"math/rand/v2"
	"slices"
	"sync"
)

// draws are the people of every bootstrap resample, shared by all contenders, so
// that their intervals are of the same worlds.
type draws struct {
	groups  int
	of      []int32 // group of each case, dense
	seed    uint64
	count   int
	workers int
}

// newDraws describes the resamples; the drawing is done where it is used.
func newDraws(groups int, of []int32, opt Options) draws {
	return draws{groups: groups, of: of, seed: opt.Seed, count: opt.Resamples, workers: opt.Workers}
}

// groupsOf numbers the cases' groups densely, in order of first appearance.
func groupsOf(cases []Case) (int, []int32) {
	dense := map[int32]int32{}
	of := make([]int32, len(cases))
	for i := range cases {
		g, ok := dense[cases[i].Group]
		if !ok {
			g = int32(len(dense))
			dense[cases[i].Group] = g
		}
		of[i] = g
	}
	return len(dense), of
}

// intervals returns the mean of each column over the cases where it is present,
// with its percentile interval. Columns have one value a case; NaN is absent.
//
// A resample draws as many people as there are, with replacement, and its mean
// is the sum over the drawn people's cases divided by the number of those cases.
func (d draws) intervals(columns [][]float64) []Interval {
	sums := make([][]float64, len(columns))   // by column, by group
	counts := make([][]float64, len(columns)) // cases with a value
	out := make([]Interval, len(columns))
	for c, col := range columns {
		sums[c], counts[c] = make([]float64, d.groups), make([]float64, d.groups)
		var sum, n float64
		for i, v := range col {
			if v != v {
				continue
			}
			sums[c][d.of[i]] += v
			counts[c][d.of[i]]++
			sum, n = sum+v, n+1
		}
		if n > 0 {
			out[c].Mean = sum / n
		}
	}
	means := make([][]float64, len(columns)) // by column, by resample
	for c := range means {
		means[c] = make([]float64, d.count)
	}
	var wg sync.WaitGroup
	for w := range d.workers {
		wg.Go(func() {
			times := make([]float64, d.groups)
			for b := w; b < d.count; b += d.workers {
				d.draw(b, times)
				for c := range columns {
					var sum, n float64
					for g, t := range times {
						sum += t * sums[c][g]
						n += t * counts[c][g]
					}
					if n > 0 {
						means[c][b] = sum / n
					}
				}
			}
		})
	}
	wg.Wait()
	for c := range out {
		slices.Sort(means[c])
		out[c].Low = quantile(means[c], .025)
		out[c].High = quantile(means[c], .975)
	}
	return out
}

// draw counts how often each group is in resample b.
func (d draws) draw(b int, times []float64) {
	clear(times)
	rng := rand.New(rand.NewPCG(d.seed, uint64(b)+1))
	for range d.groups {
		times[rng.IntN(d.groups)]++
	}
}

// quantile is the p-quantile of sorted values, linear between neighbours
// (Hyndman & Fan 1996, type 7).
func quantile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := p * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
