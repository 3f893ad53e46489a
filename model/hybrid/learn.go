package hybrid

import (
	"context"
	"errors"
	"fmt"
	"math"

	"kindred/model"
	"kindred/model/rank"
)

// ErrNoCases: there is nothing to learn from, because no case has a relevant item.
var ErrNoCases = errors.New("no validation case has a relevant item")

// Learn chooses the weights of the scorers on validation cases; see the package
// comment. The scorers must not have been trained on what the cases call relevant.
// progress, where not nil, is called from one goroutine at a time with the work done of total.
//
// Scoring each case once dominates: its normalised scores are kept only for the rows
// that some component ranks high, about 5·K·components numbers a case, and weight
// vectors are compared on those. The finalists are then compared exactly: a case in
// which a row left out could matter is scored again in full. So on the cases used,
// the result is never below the best component alone.
//
// The error is ErrNoCases, cfg's, ctx's, or names scorers that do not fit together.
func Learn(ctx context.Context, cases []Case, scorers []model.Scorer, cfg Config, progress func(done, total int)) (*Model, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	names := make([]string, len(scorers))
	for i, s := range scorers {
		names[i] = s.Name()
	}
	if _, err := Equal(names, cfg.Normalization).Bind(scorers); err != nil {
		return nil, fmt.Errorf("learn weights: %w", err)
	}
	used := sample(cases, cfg.MaxCases, cfg.Seed)
	if len(used) == 0 {
		return nil, fmt.Errorf("learn weights from %d cases: %w", len(cases), ErrNoCases)
	}
	l := &learner{cfg: cfg, scorers: scorers, cases: cases, used: used}
	l.total = len(used) + (len(cfg.HistoryBuckets)+2)*l.startCost()*(len(scorers)+cfg.Starts+1)
	l.progress = progress
	return l.learn(ctx, names)
}

// learner holds the state of one Learn.
type learner struct {
	cfg      Config
	scorers  []model.Scorer
	cases    []Case
	used     []int // the cases learned from
	prepared []prepared

	progress    func(done, total int)
	done, total int
}

// startCost is the work of one start of the search, in cases.
func (l *learner) startCost() int { return len(l.used)/20 + 1 }

// advance reports n more cases' worth of work.
func (l *learner) advance(n int) {
	l.done = min(l.done+n, l.total)
	if l.progress != nil {
		l.progress(l.done, l.total)
	}
}

// learn is Learn once everything was checked.
func (l *learner) learn(ctx context.Context, names []string) (*Model, error) {
	if err := l.prepare(ctx); err != nil {
		return nil, err
	}
	buckets := make([][]*prepared, len(l.cfg.HistoryBuckets)+1)
	all := make([]*prepared, len(l.prepared))
	for i := range l.prepared {
		p := &l.prepared[i]
		all[i] = p
		buckets[p.bucket] = append(buckets[p.bucket], p)
	}

	// Finalist 0 is the one for everybody, then each component alone, then one a bucket.
	n := len(l.scorers)
	from := starts(n, l.cfg.Starts, l.cfg.Seed)
	step := func() { l.advance(l.startCost()) }
	everybody, err := newSearch(all, n, l.cfg).run(ctx, from, step)
	if err != nil {
		return nil, err
	}
	finalists := []grid{everybody}
	for c := range n {
		finalists = append(finalists, alone(n, c))
	}
	for _, b := range buckets {
		if len(b) >= l.cfg.MinCases && len(b) < len(all) {
			own, err := newSearch(b, n, l.cfg).run(ctx, append([]grid{everybody}, from...), step)
			if err != nil {
				return nil, err
			}
			finalists = append(finalists, own)
		}
	}
	exact, err := l.exact(ctx, finalists)
	if err != nil {
		return nil, err
	}
	m := l.choose(finalists, exact, names)
	l.advance(l.total)
	return m, nil
}

// prepare scores every used case, a worker's memory holding one case at a time.
func (l *learner) prepare(ctx context.Context) error {
	l.prepared = make([]prepared, len(l.used))
	// Blocks of cases, so that progress is reported by this goroutine alone.
	const block = 64
	for from := 0; from < len(l.used); from += block {
		part := l.used[from:min(from+block, len(l.used))]
		err := each(ctx, len(part), l.cfg.Workers, l.raw, func(i int, raw [][]float32) {
			l.prepared[from+i] = prepare(l.cases[part[i]], l.scorers, l.cfg, raw)
		})
		if err != nil {
			return err
		}
		l.advance(len(part))
	}
	return nil
}

// raw allocates one worker's scratch: all scores of all components for one case.
func (l *learner) raw() [][]float32 {
	raw := make([][]float32, len(l.scorers))
	for i := range raw {
		raw[i] = make([]float32, l.scorers[i].Items())
	}
	return raw
}

// exact is the true NDCG of every finalist on every used case: [finalist][case].
func (l *learner) exact(ctx context.Context, finalists []grid) ([][]float64, error) {
	values := make([][]float64, len(finalists))
	weights := make([][]float64, len(finalists))
	for f, g := range finalists {
		values[f], weights[f] = make([]float64, len(l.used)), g.weights()
	}
	err := each(ctx, len(l.used), l.cfg.Workers, l.raw, func(i int, raw [][]float32) {
		var list []rank.Ranked
		scored := false
		for f, w := range weights {
			v, sure := l.prepared[i].ndcg(w, l.cfg.K, &list)
			if !sure {
				c := l.cases[l.used[i]]
				if !scored {
					prepare(c, l.scorers, l.cfg, raw)
					scored = true
				}
				v = fullNDCG(c, raw, scaled(w, l.prepared[i].warm), l.cfg.K)
			}
			values[f][i] = v
		}
	})
	return values, err
}

// fullNDCG ranks every row the case allows by the blend of normalised scores with
// weights w, which are 0 for cold components.
func fullNDCG(c Case, normalised [][]float32, w []float64, k int) float64 {
	scores := make([]float32, len(normalised[0]))
	for i := range scores {
		sum := 0.0
		for j, weight := range w {
			if weight != 0 {
				sum += weight * float64(normalised[j][i])
			}
		}
		scores[i] = float32(sum)
	}
	var only *rank.Set
	if c.Candidates != nil {
		only = rank.SetOf(len(scores), c.Candidates)
	}
	relevant := rank.SetOf(len(scores), c.Relevant)
	value := 0.0
	for position, r := range rank.TopK(scores, k, only, c.Hidden) {
		if relevant.Has(r.Row) {
			value += gain(position)
		}
	}
	return value / ideal(min(k, len(c.Relevant)))
}

// choose takes the best finalist for everybody (the search's own or a component
// alone), and for each bucket with enough cases the best of all finalists there; of
// equal ones the first. So each bucket does at least as well as the choice for everybody.
func (l *learner) choose(finalists []grid, exact [][]float64, names []string) *Model {
	count := make([]int, len(l.cfg.HistoryBuckets)+1)
	for i := range l.prepared {
		count[l.prepared[i].bucket]++
	}
	// best is the finalist with the highest sum over the cases of a bucket (-1: all).
	best := func(among, bucket int) (finalist int, sum float64) {
		sum = -1
		for f := range among {
			total := 0.0
			for i := range l.prepared {
				if bucket < 0 || l.prepared[i].bucket == bucket {
					total += exact[f][i]
				}
			}
			if total > sum {
				finalist, sum = f, total
			}
		}
		return finalist, sum
	}
	everybody, _ := best(1+len(l.scorers), -1)
	m := &Model{
		Components: names, Normalization: l.cfg.Normalization, Weights: finalists[everybody].weights(),
		K: l.cfg.K, Cases: len(l.used),
	}
	chosen := make([]int, len(count)) // finalist by bucket
	for b, cases := range count {
		chosen[b] = everybody
		bucket := Bucket{UpTo: math.MaxInt32, Cases: cases}
		if b < len(l.cfg.HistoryBuckets) {
			bucket.UpTo = l.cfg.HistoryBuckets[b]
		}
		if cases >= l.cfg.MinCases {
			if f, _ := best(len(finalists), b); f != everybody {
				chosen[b] = f
			}
			bucket.Weights = finalists[chosen[b]].weights()
		}
		m.Buckets = append(m.Buckets, bucket)
	}
	for i := range l.prepared {
		m.NDCG += exact[chosen[l.prepared[i].bucket]][i] / float64(len(l.prepared))
	}
	return m
}
