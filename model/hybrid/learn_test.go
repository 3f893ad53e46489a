package hybrid_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"kindred/model"
	"kindred/model/hybrid"
	"kindred/model/rank"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is people with cases and components that each see part of the truth.
type world struct {
	scorers []model.Scorer
	cases   []hybrid.Case
}

// newWorld makes people whose relevant items score high in component a for short
// histories, in component b for long ones, with noise in both; component c is noise.
func newWorld(seed uint64, people, items int) world {
	random := rand.New(rand.NewPCG(seed, 2))
	a, b, c := randomScores(random, "a", people, items), randomScores(random, "b", people, items), randomScores(random, "c", people, items)
	var w world
	for p := range people {
		k := hybrid.Case{History: person(int32(p), 1+random.IntN(8)), Hidden: rank.NewSet(items)}
		for range 3 {
			row := int32(random.IntN(items))
			if slices.Contains(k.Relevant, row) {
				continue
			}
			k.Relevant = append(k.Relevant, row)
			strong, weak := a, b
			if len(k.History.Rows) > 3 {
				strong, weak = b, a
			}
			strong.scores[int32(p)][row] += 2
			weak.scores[int32(p)][row] += .7
		}
		k.Hidden.Add(int32(random.IntN(items)))
		w.cases = append(w.cases, k)
	}
	w.scorers = []model.Scorer{a, b, c}
	return w
}

// ndcg is the textbook: score, sort everything allowed, count.
func ndcg(s model.Scorer, c hybrid.Case, k int) float64 {
	dst := make([]float32, s.Items())
	if !s.Score(c.History, dst) {
		return 0
	}
	var rows []int32
	for row := range int32(s.Items()) {
		if !c.Hidden.Has(row) && (c.Candidates == nil || slices.Contains(c.Candidates, row)) {
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(x, y int32) int {
		switch {
		case dst[x] > dst[y]:
			return -1
		case dst[x] < dst[y]:
			return 1
		}
		return 0
	})
	got, ideal := 0.0, 0.0
	for i := range min(k, len(rows)) {
		if slices.Contains(c.Relevant, rows[i]) {
			got += 1 / math.Log2(float64(i)+2)
		}
	}
	for i := range min(k, len(c.Relevant)) {
		ideal += 1 / math.Log2(float64(i)+2)
	}
	return got / ideal
}

// mean is the textbook NDCG over all cases that have something to find.
func mean(s model.Scorer, cases []hybrid.Case, k int) float64 {
	sum, n := 0.0, 0.0
	for _, c := range cases {
		if len(c.Relevant) > 0 {
			sum += ndcg(s, c, k)
			n++
		}
	}
	return sum / n
}

func learn(t testing.TB, w world, change func(*hybrid.Config)) *hybrid.Model {
	t.Helper()
	cfg := hybrid.Default()
	cfg.MinCases = 20
	if change != nil {
		change(&cfg)
	}
	m, err := hybrid.Learn(t.Context(), w.cases, w.scorers, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestLearnedBlendIsNeverWorseThanAComponentAlone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rapid.Uint64().Draw(rt, "seed"), rapid.IntRange(1, 25).Draw(rt, "people"), rapid.IntRange(5, 120).Draw(rt, "items"))
		for i := range w.cases { // some components are cold for some, some cases have given candidates
			if rapid.IntRange(0, 4).Draw(rt, "cold") == 0 {
				delete(w.scorers[i%3].(table).scores, int32(i))
			}
			if rapid.IntRange(0, 3).Draw(rt, "candidates") == 0 {
				w.cases[i].Candidates = append([]int32{0, 2, 4}, w.cases[i].Relevant...)
				slices.Sort(w.cases[i].Candidates)
				w.cases[i].Candidates = slices.Compact(w.cases[i].Candidates)
			}
		}
		norm := rapid.SampledFrom([]hybrid.Normalization{hybrid.ZScore, hybrid.Rank}).Draw(rt, "norm")
		m := learn(t, w, func(c *hybrid.Config) { c.Normalization, c.K, c.Starts, c.MinCases = norm, 3, 1, 8 })
		blended := mean(bind(t, m, w.scorers...), w.cases, 3)
		if math.Abs(blended-m.NDCG) > 1e-9 {
			rt.Fatalf("the model says NDCG %v, ranking everything gives %v", m.NDCG, blended)
		}
		for _, s := range w.scorers {
			// A component alone, with the same treatment where it is cold: the others take over.
			single := hybrid.Equal([]string{"a", "b", "c"}, norm)
			for i, name := range single.Components {
				single.Weights[i] = 0
				if name == s.Name() {
					single.Weights[i] = 1
				}
			}
			if alone := mean(bind(t, single, w.scorers...), w.cases, 3); alone > blended+1e-9 {
				rt.Fatalf("%s alone has NDCG %v, the blend %v", s.Name(), alone, blended)
			}
			if alone := mean(s, w.cases, 3); alone > blended+1e-9 {
				rt.Fatalf("%s without fallback has NDCG %v, the blend %v", s.Name(), alone, blended)
			}
		}
	})
}

func TestRowsLeftOutNeverDecide(t *testing.T) {
	// Row 999 wins every even blend, but is among the best 50 of neither component. A
	// search that trusted the rows it kept would take the even blend for a hit on row
	// 300; in truth only b alone hits.
	const items = 1000
	a, b := make([]float32, items), make([]float32, items)
	for i := range items {
		switch {
		case i < 300:
			a[i] = 1.1
		case i < 600:
			b[i] = 1.1
		}
	}
	b[300] = 1.2
	a[999], b[999] = 1, 1
	w := world{
		scorers: []model.Scorer{table{"a", items, map[int32][]float32{0: a}}, table{"b", items, map[int32][]float32{0: b}}},
		cases:   []hybrid.Case{{History: person(0, 1), Relevant: []int32{300}}},
	}
	m := learn(t, w, func(c *hybrid.Config) { c.K = 1 })
	if got := mean(bind(t, m, w.scorers...), w.cases, 1); got != 1 || m.NDCG != 1 {
		t.Errorf("the model says NDCG %v, ranking everything gives %v; want 1", m.NDCG, got)
	}
}

func TestLearnFindsWhatEachComponentIsGoodFor(t *testing.T) {
	w := newWorld(7, 300, 100)
	m := learn(t, w, nil)
	short, long := m.WeightsFor(2), m.WeightsFor(6)
	if short[0] <= short[1] || long[1] <= long[0] {
		t.Errorf("weights of short histories %v, of long ones %v; want a above b, then b above a", short, long)
	}
	if short[2] > .2 || long[2] > .2 {
		t.Errorf("the noise component weighs %v and %v", short[2], long[2])
	}
	one := learn(t, w, func(c *hybrid.Config) { c.HistoryBuckets = nil })
	if m.NDCG < one.NDCG {
		t.Errorf("NDCG with weights by history %v is below %v without", m.NDCG, one.NDCG)
	}
	best := 0.0
	for _, s := range w.scorers {
		best = max(best, mean(s, w.cases, 10))
	}
	if m.NDCG < best+.02 {
		t.Errorf("NDCG %v; the best component alone has %v", m.NDCG, best)
	}
}

func TestTheSearchBeatsEveryCoarseMixture(t *testing.T) {
	w := newWorld(21, 150, 100)
	for i := range w.cases { // everybody's history is short, and c helps a little too
		w.cases[i].History = person(int32(i), 1)
		for _, row := range w.cases[i].Relevant {
			w.scorers[2].(table).scores[int32(i)][row] += .5
		}
	}
	m := learn(t, w, func(c *hybrid.Config) { c.HistoryBuckets, c.Starts = nil, 0 })
	const parts = 6
	for a := range parts + 1 {
		for b := range parts + 1 - a {
			mixture := hybrid.Equal([]string{"a", "b", "c"}, hybrid.ZScore)
			mixture.Weights = []float64{float64(a) / parts, float64(b) / parts, float64(parts-a-b) / parts}
			if got := mean(bind(t, mixture, w.scorers...), w.cases, 10); got > m.NDCG {
				t.Errorf("weights %v have NDCG %v, the learned %v only %v", mixture.Weights, got, m.Weights, m.NDCG)
			}
		}
	}
}

func TestARangeWithTooFewCasesUsesTheWeightsForEverybody(t *testing.T) {
	w := newWorld(7, 100, 50)
	m := learn(t, w, func(c *hybrid.Config) { c.MinCases = 1000 })
	if diff := cmp.Diff(m.Weights, m.WeightsFor(2)); diff != "" {
		t.Errorf("weights (-everybody +short history):\n%s", diff)
	}
}

func TestSameSeedGivesTheSameBytesForAnyNumberOfWorkers(t *testing.T) {
	w := newWorld(9, 150, 80)
	var want []byte
	for _, workers := range []int{1, 2, 7} {
		m := learn(t, w, func(c *hybrid.Config) { c.Workers, c.MaxCases = workers, 120 })
		got, err := m.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d workers give other bytes than 1", workers)
		}
		if m.Cases != 120 {
			t.Errorf("used %d cases; want 120", m.Cases)
		}
	}
}

func TestProgressRisesToTheTotal(t *testing.T) {
	w := newWorld(9, 100, 30)
	last := 0
	_, err := hybrid.Learn(t.Context(), w.cases, w.scorers, hybrid.Default(), func(done, total int) {
		if done < last || done > total {
			t.Errorf("progress went from %d to %d of %d", last, done, total)
		}
		last = done
		if done == total {
			last = -1
		}
	})
	if err != nil || last != -1 {
		t.Errorf("Learn: %v; last progress %d, want the total", err, last)
	}
}

func TestLearnStopsWhenAsked(t *testing.T) {
	w := newWorld(9, 300, 30)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := hybrid.Learn(ctx, w.cases, w.scorers, hybrid.Default(), func(int, int) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Learn = %v; want %v", err, context.Canceled)
	}
}

func TestLearnRefusesWhatItCannotLearnFrom(t *testing.T) {
	w := newWorld(1, 1, 10)
	if _, err := hybrid.Learn(t.Context(), []hybrid.Case{{}}, w.scorers, hybrid.Default(), nil); !errors.Is(err, hybrid.ErrNoCases) {
		t.Errorf("no relevant items: %v; want %v", err, hybrid.ErrNoCases)
	}
	if _, err := hybrid.Learn(t.Context(), w.cases, nil, hybrid.Default(), nil); err == nil {
		t.Error("no scorers were accepted")
	}
	for field, change := range map[string]func(*hybrid.Config){
		"k is":            func(c *hybrid.Config) { c.K = 0 },
		"normalization":   func(c *hybrid.Config) { c.Normalization = "softmax" },
		"history_buckets": func(c *hybrid.Config) { c.HistoryBuckets = []int{3, 3} },
		"min_cases":       func(c *hybrid.Config) { c.MinCases = 0 },
		"max_cases":       func(c *hybrid.Config) { c.MaxCases = -1 },
		"starts":          func(c *hybrid.Config) { c.Starts = -1 },
		"workers":         func(c *hybrid.Config) { c.Workers = -1 },
	} {
		cfg := hybrid.Default()
		change(&cfg)
		if _, err := hybrid.Learn(t.Context(), w.cases, w.scorers, cfg, nil); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v; want an error that names it", field, err)
		}
	}
}
