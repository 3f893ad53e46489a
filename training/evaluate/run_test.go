package evaluate

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"kindred/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixed answers every question with what the function says.
type fixed func(q Question, k int) ([]int32, error)

func (f fixed) Recommend(_ context.Context, q Question, k int) ([]int32, error) { return f(q, k) }

// still is a clock that does not move, so that results compare equal.
func still() time.Time { return time.Unix(0, 0) }

// shuffled ranks the catalogue in an order that depends on the person's name.
func shuffled(items int) fixed {
	return func(q Question, k int) ([]int32, error) {
		n, _ := strconv.Atoi(q.Person)
		rng := rand.New(rand.NewPCG(7, uint64(n)))
		var list []int32
		for _, row := range rng.Perm(items) {
			r := int32(row)
			if !contains(q.Hide, r) && (q.Candidates == nil || contains(q.Candidates, r)) && len(list) < k {
				list = append(list, r)
			}
		}
		return list, nil
	}
}

// crowd makes n people over a catalogue.
func crowd(n, items int) []Case {
	rng := rand.New(rand.NewPCG(3, 4))
	cases := make([]Case, n)
	for i := range cases {
		rows := rng.Perm(items)
		c := Case{Question: Question{Person: strconv.Itoa(i)}, Group: int32(i)}
		for _, r := range rows[:5] {
			c.Hide = append(c.Hide, int32(r))
		}
		for _, r := range rows[5 : 6+rng.IntN(4)] {
			c.Relevant = append(c.Relevant, int32(r))
		}
		slices.Sort(c.Hide)
		slices.Sort(c.Relevant)
		c.History = model.History{Rows: c.Hide[:i%6], Weights: make([]float32, i%6)}
		cases[i] = c
	}
	return cases
}

// input is a whole evaluation of the crowd.
func input(cases []Case, items int, r Recommender) Input {
	users := make([]int32, items)
	for i := range users {
		users[i] = int32(i % 7)
	}
	return Input{
		Items: items, Cases: cases, Users: users, People: 50,
		Similarity: func(a, b int32) float64 { return 1 / (1 + math.Abs(float64(a-b))) },
		Contenders: []Contender{{Name: "shuffled", Trials: []Trial{{Recommender: r, Seed: 1}}}},
	}
}

func run(t *testing.T, in Input, opt Options) *Result {
	t.Helper()
	opt.Clock = still
	if opt.K == nil {
		opt.K = []int{5, 10}
	}
	res, err := Run(t.Context(), in, opt)
	if err != nil {
		t.Fatal(err)
	}
	for i := range res.Scores {
		res.Scores[i].PeakBytes = 0 // measured, so never twice the same
	}
	return res
}

func TestTheResultIsTheSameForAnyNumberOfWorkers(t *testing.T) {
	in := input(crowd(80, 60), 60, shuffled(60))
	want := run(t, in, Options{Seed: 1, Workers: 1, Resamples: 200})
	for _, workers := range []int{2, 3, 16} {
		if d := cmp.Diff(want, run(t, in, Options{Seed: 1, Workers: workers, Resamples: 200})); d != "" {
			t.Errorf("%d workers: %s", workers, d)
		}
	}
}

func TestPermutingPeopleChangesNoMean(t *testing.T) {
	cases := crowd(80, 60)
	want := run(t, input(cases, 60, shuffled(60)), Options{Resamples: 10})
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] })
	got := run(t, input(cases, 60, shuffled(60)), Options{Resamples: 10})
	for name, w := range want.Scores[0].Metrics {
		if g := got.Scores[0].Metrics[name]; math.Abs(g.Mean-w.Mean) > 1e-12 {
			t.Errorf("%s = %v after permuting, want %v", name, g.Mean, w.Mean)
		}
	}
	near(t, "bias", got.Scores[0].Bias.Mean, want.Scores[0].Bias.Mean)
}

func TestBrokenRulesAreErrorsAndNotGoodNumbers(t *testing.T) {
	c := Case{Question: Question{Person: "ann", Hide: []int32{3}, Candidates: []int32{0, 1, 2}}, Relevant: []int32{1}}
	for name, tc := range map[string]struct {
		list []int32
		want string
	}{
		"hidden":       {[]int32{1, 3}, "hidden"},
		"twice":        {[]int32{1, 1}, "twice"},
		"out of range": {[]int32{10}, "not in [0, 10)"},
		"no candidate": {[]int32{4}, "not among the candidates"},
		"too long":     {[]int32{0, 1, 2}, "at most 2"},
	} {
		t.Run(name, func(t *testing.T) {
			r := fixed(func(Question, int) ([]int32, error) { return tc.list, nil })
			_, err := Run(t.Context(), Input{Items: 10, Cases: []Case{c}, Contenders: []Contender{{Name: "cheat", Trials: []Trial{{Recommender: r}}}}}, Options{K: []int{2}})
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), `cheat: for "ann"`) {
				t.Errorf("Run = %v, want an error with %q that names contender and person", err, tc.want)
			}
		})
	}
}

func TestInputWithoutMeaningIsRefused(t *testing.T) {
	good := crowd(3, 20)
	for name, in := range map[string]Input{
		"nobody":            {Items: 20},
		"nothing relevant":  {Items: 20, Cases: []Case{{}}},
		"unsorted":          {Items: 20, Cases: []Case{{Relevant: []int32{2, 1}}}},
		"row out of range":  {Items: 20, Cases: []Case{{Relevant: []int32{20}}}},
		"popularity's size": {Items: 20, Cases: good, Users: make([]int32, 3), People: 1},
		"no trial":          {Items: 20, Cases: good, Contenders: []Contender{{Name: "x"}}},
	} {
		if _, err := Run(t.Context(), in, Options{K: []int{1}}); err == nil {
			t.Errorf("%s: Run accepted it", name)
		}
	}
	for _, k := range [][]int{nil, {0}, {-1, 10}} {
		if _, err := Run(t.Context(), Input{Items: 20, Cases: good}, Options{K: k}); err == nil {
			t.Errorf("k %v: Run accepted it", k)
		}
	}
}

func TestCancellingStopsWithItsError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := fixed(func(Question, int) ([]int32, error) { cancel(); return nil, nil })
	if _, err := Run(ctx, input(crowd(500, 30), 30, r), Options{K: []int{1}}); !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v, want context.Canceled", err)
	}
}

func TestTheIntervalHoldsTheMeanAndNarrowsWithPeople(t *testing.T) {
	small := run(t, input(crowd(40, 60), 60, shuffled(60)), Options{Seed: 1})
	large := run(t, input(crowd(1600, 60), 60, shuffled(60)), Options{Seed: 1})
	for name, s := range small.Scores[0].Metrics {
		l := large.Scores[0].Metrics[name]
		if s.Low > s.Mean || s.Mean > s.High || l.Low > l.Mean || l.Mean > l.High {
			t.Errorf("%s: %+v and %+v: the mean lies inside", name, s, l)
		}
		if strings.HasPrefix(name, Coverage) {
			continue
		}
		// 40 times the people: a sixth of the width, give or take.
		if ratio := (s.High - s.Low) / (l.High - l.Low); ratio < 3 || ratio > 13 {
			t.Errorf("%s: width %v for 40 people and %v for 1,600", name, s.High-s.Low, l.High-l.Low)
		}
	}
}

func TestTheBootstrapAgreesWithTheNormalInterval(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	col, of := make([]float64, 2000), make([]int32, 2000)
	for i := range col {
		col[i], of[i] = rng.NormFloat64(), int32(i)
	}
	iv := draws{groups: len(col), of: of, seed: 1, count: 1000, workers: 2}.intervals([][]float64{col})[0]
	if want := 1.96 / math.Sqrt(2000); math.Abs(iv.Mean-iv.Low-want) > .1*want || math.Abs(iv.High-iv.Mean-want) > .1*want {
		t.Errorf("interval %+v, want ± %v", iv, want)
	}
}

func TestPrefixesOfOneSessionAreDrawnTogether(t *testing.T) {
	// 10 sessions of 100 prefixes that agree with each other: there are 10 facts, not 1,000.
	col, of := make([]float64, 1000), make([]int32, 1000)
	for i := range col {
		of[i] = int32(i / 100)
		col[i] = float64(of[i] % 2)
	}
	iv := draws{groups: 10, of: of, seed: 1, count: 1000, workers: 1}.intervals([][]float64{col})[0]
	if iv.High-iv.Low < .4 {
		t.Errorf("interval %+v is as narrow as if prefixes were people", iv)
	}
}

func TestTrialsAreAveragedAndKeptApart(t *testing.T) {
	cases := []Case{{Question: Question{Person: "ann"}, Relevant: []int32{1}}}
	hit := fixed(func(Question, int) ([]int32, error) { return []int32{1}, nil })
	miss := fixed(func(Question, int) ([]int32, error) { return []int32{0}, nil })
	res := run(t, Input{Items: 4, Cases: cases, Contenders: []Contender{{Name: "two", Trials: []Trial{
		{Recommender: hit, Seed: 1, Seconds: 1}, {Recommender: miss, Seed: 2, Seconds: 3}}}}}, Options{K: []int{1}})
	s := res.Scores[0]
	if got := s.Metrics["ndcg@1"].Mean; got != .5 {
		t.Errorf("ndcg@1 = %v, want the mean .5", got)
	}
	if len(s.Trials) != 2 || s.Trials[0].Metrics["ndcg@1"] != 1 || s.Trials[1].Metrics["ndcg@1"] != 0 || s.Trials[1].Seed != 2 {
		t.Errorf("trials = %+v, want 1 for seed 1 and 0 for seed 2", s.Trials)
	}
	if s.Seconds != 2 {
		t.Errorf("seconds = %v, want the mean of the fits, 2", s.Seconds)
	}
	if got := s.Metrics["coverage@1"].Mean; got != .25 {
		t.Errorf("coverage@1 = %v, want one of four items in each trial", got)
	}
}

func TestListsAreDescribedAsDefined(t *testing.T) {
	in := Input{Items: 4, Users: []int32{8, 4, 1, 0}, People: 8, Similarity: func(a, b int32) float64 {
		if a+b == 1 { // items 0 and 1
			return .5
		}
		return 0
	}}
	near(t, "novelty", novelty(in, []int32{0, 1, 2, 3}), (0+1+3+3)/4.0)
	near(t, "diversity", diversity(in, []int32{0, 1, 2}), 1-.5/3)
	if v := diversity(in, []int32{0}); !math.IsNaN(v) {
		t.Errorf("diversity of one item = %v, want absent", v)
	}
	near(t, "coverage", coverageOf([][]int32{{0, 1}, {1, 2}, nil}, 1, 4), .5)
	b := biasOf(in, [][]int32{{0}, {0}, {0}, {0}}, 1)
	near(t, "percentile of the most popular of 4", b.Mean, 1-.5/4)
	near(t, "top share", b.TopShare, 1)
	near(t, "gini when one item takes all of 4", b.Gini, 3.0/4)
	b = biasOf(in, [][]int32{{0, 1, 2, 3}}, 4)
	near(t, "gini when all are equal", b.Gini, 0)
	near(t, "percentile when all are equal", b.Mean, .5)
}

func TestSlicesCoverEverybodyOnce(t *testing.T) {
	res := run(t, input(crowd(80, 60), 60, shuffled(60)), Options{Resamples: 10})
	n := 0
	var weighted float64
	for _, s := range res.Scores[0].Slices {
		n += s.Cases
		weighted += s.Metrics["ndcg@10"] * float64(s.Cases)
	}
	if n != 80 {
		t.Errorf("slices hold %d people, want 80", n)
	}
	near(t, "mean of the slices", weighted/80, res.Scores[0].Metrics["ndcg@10"].Mean)
}
