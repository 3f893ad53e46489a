package evaluate

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
)

// columns are the per-case metrics of one contender, by column then case: for
// each cutoff the seven of accuracy, then novelty and diversity.
const (
	colNDCG = iota
	colRecall
	colCapped
	colPrecision
	colMAP
	colMRR
	colHit
	colNovelty
	colDiversity
	columnsPerK
)

// columnNames are the metrics of the columns.
var columnNames = [columnsPerK]string{NDCG, Recall, RecallCapped, Precision, MAP, MRR, HitRate, Novelty, Diversity}

// contend judges every trial of one contender and averages them case by case.
func contend(ctx context.Context, b *bench, c Contender, d draws, progress func(int)) (*Score, error) {
	s := &Score{Name: c.Name, Config: c.Config, Seed: c.Trials[0].Seed, Metrics: map[string]Interval{}}
	sum := newColumns(len(b.K)*columnsPerK, len(b.Cases))
	coverage := make([]float64, len(b.K))
	for i, trial := range c.Trials {
		meter := Start(b.Clock)
		cols, lists, err := judgeAll(ctx, b, trial.Recommender, func(n int) { progress(i*len(b.Cases) + n) })
		if err != nil {
			meter.Stop()
			return nil, err
		}
		seconds, peak := meter.Stop()
		s.Seconds += (trial.Seconds + seconds) / float64(len(c.Trials))
		s.PeakBytes = max(s.PeakBytes, trial.PeakBytes, peak)
		for j := range cols {
			for k := range cols[j] {
				sum[j][k] += cols[j][k] / float64(len(c.Trials))
			}
		}
		covered := make([]float64, len(b.K))
		for j, k := range b.K {
			covered[j] = coverageOf(lists, k, b.Items)
			coverage[j] += covered[j] / float64(len(c.Trials))
		}
		if i == 0 && b.Users != nil {
			s.Bias = biasOf(b.Input, lists, b.K[0])
		}
		s.Trials = append(s.Trials, TrialScore{Seed: trial.Seed, Metrics: means(b, cols, covered, nil)})
	}
	for i, iv := range d.intervals(sum) {
		name, ok := columnName(b, i)
		if !ok {
			continue
		}
		s.Metrics[name] = iv
	}
	for i, k := range b.K {
		s.Metrics[At(Coverage, k)] = Interval{Mean: coverage[i], Low: coverage[i], High: coverage[i]}
	}
	s.Slices = sliceScores(b, sum)
	return s, nil
}

// columnName is the metric of column i with its cutoff, and whether the input
// has what it takes to compute it.
func columnName(b *bench, i int) (string, bool) {
	metric := i % columnsPerK
	switch metric {
	case colNovelty:
		if b.Users == nil {
			return "", false
		}
	case colDiversity:
		if b.Similarity == nil {
			return "", false
		}
	}
	return At(columnNames[metric], b.K[i/columnsPerK]), true
}

// means are the plain means of the columns over the chosen cases, or all when
// only is nil.
func means(b *bench, cols [][]float64, covered []float64, only []int) map[string]float64 {
	m := map[string]float64{}
	for i, col := range cols {
		if name, ok := columnName(b, i); ok {
			m[name] = meanOf(col, only)
		}
	}
	for i, v := range covered {
		m[At(Coverage, b.K[i])] = v
	}
	return m
}

// meanOf is the mean of the values that are present, over only or all.
func meanOf(col []float64, only []int) float64 {
	var sum, n float64
	add := func(v float64) {
		if v == v {
			sum, n = sum+v, n+1
		}
	}
	if only == nil {
		for _, v := range col {
			add(v)
		}
	}
	for _, i := range only {
		add(col[i])
	}
	if n == 0 {
		return 0
	}
	return sum / n
}

// judgeAll asks for every list, and returns the columns and the lists by case.
func judgeAll(ctx context.Context, b *bench, r Recommender, progress func(int)) ([][]float64, [][]int32, error) {
	cols := newColumns(len(b.K)*columnsPerK, len(b.Cases))
	longest := b.K[len(b.K)-1]
	lists := make([][]int32, len(b.Cases))
	errs := make([]error, b.Workers)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var next, done atomic.Int64
	var telling sync.Mutex
	var wg sync.WaitGroup
	for w := range b.Workers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(b.Cases) || ctx.Err() != nil {
					return
				}
				c := &b.Cases[i]
				list, err := r.Recommend(ctx, c.Question, longest)
				if err == nil {
					err = obey(c, list, longest, b.Items)
				}
				if err != nil {
					errs[w] = fmt.Errorf("for %q: %w", c.Person, err)
					cancel()
					return
				}
				lists[i] = list
				for j, k := range b.K {
					fill(b.Input, cols, i, j, list, c.Relevant, k)
				}
				if n := int(done.Add(1)); n%256 == 0 || n == len(b.Cases) {
					telling.Lock()
					progress(n)
					telling.Unlock()
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	return cols, lists, nil
}

// fill writes the metrics of one list at cutoff number j.
func fill(in Input, cols [][]float64, i, j int, list, relevant []int32, k int) {
	a := judge(list, relevant, k)
	top := list[:min(k, len(list))]
	at := j * columnsPerK
	for c, v := range [...]float64{
		colNDCG: a.ndcg, colRecall: a.recall, colCapped: a.capped, colPrecision: a.precision,
		colMAP: a.mean, colMRR: a.mrr, colHit: a.hit,
		colNovelty: novelty(in, top), colDiversity: diversity(in, top),
	} {
		cols[at+c][i] = v
	}
}

// obey reports how a list breaks the rules of Recommender, or nil.
func obey(c *Case, list []int32, k, items int) error {
	if len(list) > k {
		return fmt.Errorf("the list has %d items; want at most %d", len(list), k)
	}
	for i, row := range list {
		switch {
		case row < 0 || int(row) >= items:
			return fmt.Errorf("position %d: row %d is not in [0, %d)", i+1, row, items)
		case contains(c.Hide, row):
			return fmt.Errorf("position %d: row %d is hidden, the person has seen it", i+1, row)
		case c.Candidates != nil && !contains(c.Candidates, row):
			return fmt.Errorf("position %d: row %d is not among the candidates", i+1, row)
		}
		for _, other := range list[:i] {
			if other == row {
				return fmt.Errorf("position %d: row %d is in the list twice", i+1, row)
			}
		}
	}
	return nil
}

// newColumns are n columns of one value a case.
func newColumns(n, cases int) [][]float64 {
	all := make([]float64, n*cases)
	cols := make([][]float64, n)
	for i := range cols {
		cols[i] = all[i*cases : (i+1)*cases]
	}
	return cols
}

// absent marks a value that a case does not have.
func absent() float64 { return math.NaN() }
