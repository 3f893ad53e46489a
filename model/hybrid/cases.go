package hybrid

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"kindred/model"
	"kindred/model/rank"
)

// Case is one person of the validation slice: what was known before the cut, and
// what they used after it.
type Case struct {
	History    model.History
	Relevant   []int32   // rows used after the cut, each once; a case without any is skipped
	Hidden     *rank.Set // rows that are not ranked, such as those seen before; nil: none
	Candidates []int32   // the rows to rank; nil: all
}

// prepared is a case whose components were scored, normalised and cut down to the
// rows that can matter.
type prepared struct {
	bucket   int
	rows     []int32 // rising
	warm     []bool  // by component
	scores   []float32
	relevant []bool // by index into rows
	ideal    float64

	// No row that was cut off scores above floor in component c, so none blends
	// above sum w_c·floor_c: a list whose last score is above that is the true one.
	floor []float64
	cut   bool // rows were cut off
}

// sample picks the cases to learn from: those with something to find, at most max
// of them (0: all) by seed, in their own order.
func sample(cases []Case, max int, seed uint64) []int {
	var usable []int
	for i, c := range cases {
		if len(c.Relevant) > 0 {
			usable = append(usable, i)
		}
	}
	if max > 0 && len(usable) > max {
		random := rand.New(rand.NewPCG(seed, 0x5a4d504c45))
		random.Shuffle(len(usable), func(i, j int) { usable[i], usable[j] = usable[j], usable[i] })
		usable = usable[:max]
		slices.Sort(usable)
	}
	return usable
}

// narrowTo is how many of each component's best rows a prepared case keeps.
func narrowTo(k int) int { return max(5*k, 50) }

// prepare scores a case with every component. raw is scratch: one slice of length
// items for each scorer; it holds the normalised scores of all items afterwards.
func prepare(c Case, scorers []model.Scorer, cfg Config, raw [][]float32) prepared {
	p := prepared{
		bucket: cfg.bucketOf(len(c.History.Rows)),
		warm:   make([]bool, len(scorers)),
		floor:  make([]float64, len(scorers)),
		ideal:  ideal(min(cfg.K, len(c.Relevant))),
	}
	var only *rank.Set
	if c.Candidates != nil {
		only = rank.SetOf(len(raw[0]), c.Candidates)
	}
	keep := rank.NewSet(len(raw[0]))
	depth := narrowTo(cfg.K)
	for i, s := range scorers {
		if p.warm[i] = s.Score(c.History, raw[i]); !p.warm[i] {
			continue
		}
		normalize(raw[i], cfg.Normalization)
		best := rank.TopK(raw[i], depth, only, c.Hidden)
		for _, r := range best {
			keep.Add(r.Row)
		}
		if len(best) == depth {
			p.cut = true
			p.floor[i] = float64(best[depth-1].Score)
		}
	}
	relevant := rank.SetOf(len(raw[0]), c.Relevant)
	if only != nil {
		relevant.And(only)
	}
	relevant.AndNot(c.Hidden)
	keep.Or(relevant)
	p.rows = keep.Rows()
	p.relevant = make([]bool, len(p.rows))
	p.scores = make([]float32, 0, len(scorers)*len(p.rows))
	for i, row := range p.rows {
		p.relevant[i] = relevant.Has(row)
	}
	for i := range scorers {
		for _, row := range p.rows {
			s := float32(0)
			if p.warm[i] {
				s = raw[i][row]
			}
			p.scores = append(p.scores, s)
		}
	}
	return p
}

// ideal is the DCG of n hits at the top.
func ideal(n int) float64 {
	sum := 0.0
	for i := range n {
		sum += gain(i)
	}
	return sum
}

// gain is the value of a hit at a 0-based position.
func gain(position int) float64 { return 1 / math.Log2(float64(position)+2) }

// ndcg is the NDCG@k of the blend with weights w, from the rows that were kept; sure
// reports that the rows cut off cannot change it. list is scratch.
func (p *prepared) ndcg(w []float64, k int, list *[]rank.Ranked) (value float64, sure bool) {
	w = scaled(w, p.warm)
	best := (*list)[:0]
	n := len(p.rows)
	for i := range n {
		sum := 0.0
		for c, weight := range w {
			if weight != 0 {
				sum += weight * float64(p.scores[c*n+i])
			}
		}
		score := float32(sum)
		if len(best) == k && !(score > best[k-1].Score) { // rows rise, so a tie loses
			continue
		}
		if len(best) < k {
			best = append(best, rank.Ranked{})
		}
		at := len(best) - 1
		for ; at > 0 && score > best[at-1].Score; at-- {
			best[at] = best[at-1]
		}
		best[at] = rank.Ranked{Row: int32(i), Score: score}
	}
	*list = best
	if !slices.Contains(p.warm, true) {
		return 0, true // nobody says anything: no list is served
	}
	for position, r := range best {
		if p.relevant[r.Row] {
			value += gain(position)
		}
	}
	if !p.cut {
		return value / p.ideal, true
	}
	bound := 0.0
	for c, weight := range w {
		if weight != 0 {
			bound += weight * p.floor[c]
		}
	}
	return value / p.ideal, len(best) == k && best[k-1].Score > float32(bound)
}

// each runs do for every i in [0, n) on cfg's number of goroutines, each with a
// scratch of its own, and returns early with ctx's error.
func each[S any](ctx context.Context, n, workers int, scratch func() S, do func(i int, s S)) error {
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	for range max(1, min(workers, n)) {
		wait.Go(func() {
			s := scratch()
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i, s)
			}
		})
	}
	wait.Wait()
	return ctx.Err()
}
