package hybrid_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/model"
	"kindred/model/als"
	"kindred/model/content"
	"kindred/model/hybrid"
	"kindred/model/itemitem"
	"kindred/model/modeltest"
	"kindred/model/sparse"
)

// table is a scorer that looks its answer up: scores[h.Rows[0]], or cold when that
// row is missing.
type table struct {
	name   string
	items  int
	scores map[int32][]float32
}

func (s table) Name() string { return s.name }
func (s table) Items() int   { return s.items }
func (s table) Score(h model.History, dst []float32) bool {
	clear(dst)
	if len(h.Rows) == 0 || s.scores[h.Rows[0]] == nil {
		return false
	}
	copy(dst, s.scores[h.Rows[0]])
	return true
}

// person is a history that starts with row p and has n items.
func person(p int32, n int) model.History {
	h := model.History{}
	for i := range n {
		h.Rows = append(h.Rows, p+int32(i))
		h.Weights = append(h.Weights, 1)
	}
	return h
}

// randomScores gives every person in people n random scores.
func randomScores(random *rand.Rand, name string, people, n int) table {
	s := table{name, n, map[int32][]float32{}}
	for p := range people {
		for range n {
			s.scores[int32(p)] = append(s.scores[int32(p)], float32(random.NormFloat64()))
		}
	}
	return s
}

func bind(t testing.TB, m *hybrid.Model, scorers ...model.Scorer) *hybrid.Scorer {
	t.Helper()
	s, err := m.Bind(scorers)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// bound is a blend of real components that can be saved, as the suite wants it.
type bound struct {
	*hybrid.Scorer
	parts []model.Scorer
}

func (b bound) MarshalBinary() ([]byte, error) { return b.Model().MarshalBinary() }

func TestScorerKeepsItsPromises(t *testing.T) {
	// Rounding can swap neighbours in rank, hence the wide tolerance there.
	for norm, tolerance := range map[hybrid.Normalization]float64{hybrid.ZScore: 1e-3, hybrid.Rank: .1} {
		t.Run(string(norm), func(t *testing.T) {
			var last []model.Scorer
			modeltest.Run(t, func(t *testing.T, x *sparse.CSR, seed uint64) model.Scorer {
				last = components(t, x, seed)
				m := hybrid.Equal([]string{"als", "itemitem", "content"}, norm)
				return bound{bind(t, m, last...), last}
			}, modeltest.Options{Decode: func(b []byte) (model.Scorer, error) {
				var m hybrid.Model
				if err := m.UnmarshalBinary(b); err != nil {
					return nil, err
				}
				s, err := m.Bind(last)
				return bound{s, last}, err
			}, Tolerance: tolerance})
		})
	}
}

// components fits one of each personal kind; items of one colour share a word.
func components(t *testing.T, x *sparse.CSR, seed uint64) []model.Scorer {
	t.Helper()
	cfg := als.Default()
	cfg.Factors, cfg.Seed, cfg.Workers = 4, seed, 1
	factors, err := als.Fit(t.Context(), x, cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	near, err := itemitem.Fit(t.Context(), x, itemitem.Default(), nil)
	if err != nil {
		t.Fatal(err)
	}
	// The colour of an item shows in its column: two items share people only within a colour.
	docs := make([][]string, x.Cols)
	for u := range x.Rows {
		cols, _ := x.Row(u)
		for _, c := range cols {
			docs[c] = append(docs[c], "colour"+fmt.Sprint(u%2))
		}
	}
	words, err := content.Fit(docs, content.Default())
	if err != nil {
		t.Fatal(err)
	}
	return []model.Scorer{factors, near, words}
}

func TestPartsSumToTheScore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		names := []string{"a", "b", "c"}
		var scorers []model.Scorer
		for _, name := range names {
			s := randomScores(random, name, 1, 20)
			if rapid.Bool().Draw(t, name+" is cold") {
				s.scores = nil
			}
			scorers = append(scorers, s)
		}
		m := hybrid.Equal(names, rapid.SampledFrom([]hybrid.Normalization{hybrid.ZScore, hybrid.Rank}).Draw(t, "norm"))
		m.Weights = []float64{.5, .25, .25}
		s, err := m.Bind(scorers)
		if err != nil {
			t.Fatal(err)
		}
		b := s.Blend(person(0, 1))
		defer b.Release()
		for item := range int32(20) {
			sum := 0.0
			for _, p := range b.Parts(item) {
				sum += p.Share
				if math.Abs(p.Share-p.Weight*p.Score) > 1e-12 {
					t.Fatalf("share %v is not weight %v × score %v", p.Share, p.Weight, p.Score)
				}
			}
			if d := math.Abs(sum - float64(b.Scores[item])); d > 1e-6 {
				t.Fatalf("item %d: parts sum to %v, score is %v", item, sum, b.Scores[item])
			}
		}
	})
}

func TestColdComponentsAreLeftOutAndWeightsScaled(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	a, b := randomScores(random, "a", 1, 5), randomScores(random, "b", 2, 5)
	m := hybrid.Equal([]string{"a", "b"}, hybrid.ZScore)
	m.Weights = []float64{1, 0}
	cases := []struct {
		name   string
		person int32
		want   []float64
		known  bool
	}{
		{"both know them: the weights", 0, []float64{1, 0}, true},
		{"only the weightless one: it alone", 1, []float64{0, 1}, true},
		{"nobody", 2, []float64{0, 0}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := bind(t, m, a, b)
			blend := s.Blend(person(c.person, 1))
			if diff := cmp.Diff(c.want, blend.Weights); diff != "" || blend.Known() != c.known {
				t.Errorf("weights (-want +got), known %v:\n%s", blend.Known(), diff)
			}
		})
	}
}

func TestZScoresHaveMeanZeroAndDeviationOne(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 1))
	a := randomScores(random, "a", 1, 1000)
	for i := range a.scores[0] {
		a.scores[0][i] = a.scores[0][i]*1e-3 + 5
	}
	dst := make([]float32, 1000)
	bind(t, hybrid.Equal([]string{"a"}, hybrid.ZScore), a).Score(person(0, 1), dst)
	mean, square := 0.0, 0.0
	for _, v := range dst {
		mean += float64(v) / 1000
		square += float64(v) * float64(v) / 1000
	}
	if math.Abs(mean) > 1e-6 || math.Abs(square-1) > 1e-6 {
		t.Errorf("mean %v, variance %v; want 0, 1", mean, square)
	}
}

func TestRanksShareTies(t *testing.T) {
	a := table{"a", 5, map[int32][]float32{0: {3, 1, 3, 9, -2}}}
	dst := make([]float32, 5)
	bind(t, hybrid.Equal([]string{"a"}, hybrid.Rank), a).Score(person(0, 1), dst)
	if diff := cmp.Diff([]float32{.625, .25, .625, 1, 0}, dst); diff != "" {
		t.Errorf("ranks (-want +got):\n%s", diff)
	}
}

func TestScoresThatAreAllEqualSayNothing(t *testing.T) {
	flat := table{"flat", 3, map[int32][]float32{0: {.1, .1, .1}}}
	b := table{"b", 3, map[int32][]float32{0: {1, 2, 3}}}
	s := bind(t, hybrid.Equal([]string{"flat", "b"}, hybrid.ZScore), flat, b)
	blend := s.Blend(person(0, 1))
	if part := blend.Parts(2)[1]; part.Component != "flat" || part.Share != 0 {
		t.Errorf("part %+v; want flat with share 0", part)
	}
}

func TestWeightsFollowTheLengthOfTheHistory(t *testing.T) {
	m := hybrid.Equal([]string{"a", "b"}, hybrid.ZScore)
	short, long := []float64{1, 0}, []float64{0, 1}
	m.Buckets = []hybrid.Bucket{{UpTo: 0}, {UpTo: 3, Weights: short}, {UpTo: math.MaxInt32, Weights: long}}
	for history, want := range map[int][]float64{0: m.Weights, 1: short, 3: short, 4: long, 1e6: long} {
		if diff := cmp.Diff(want, m.WeightsFor(history)); diff != "" {
			t.Errorf("history %d (-want +got):\n%s", history, diff)
		}
	}
}

func TestOnlyKeepsTheProportions(t *testing.T) {
	m := hybrid.Equal([]string{"a", "b", "c"}, hybrid.ZScore)
	m.Weights = []float64{.2, .3, .5}
	m.Buckets = []hybrid.Bucket{{UpTo: 3, Weights: []float64{0, 0, 1}}, {UpTo: math.MaxInt32}}
	got, err := m.Only("b", "a")
	if err != nil {
		t.Fatal(err)
	}
	want := &hybrid.Model{
		Components: []string{"a", "b"}, Normalization: hybrid.ZScore, Weights: []float64{.4, .6},
		Buckets: []hybrid.Bucket{{UpTo: 3, Weights: []float64{.5, .5}}, {UpTo: math.MaxInt32}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Only (-want +got):\n%s", diff)
	}
	if _, err := m.Only("a", "nobody"); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("Only(nobody) = %v; want an error that names it", err)
	}
	if _, err := m.Only(); err == nil {
		t.Error("Only() of nothing was accepted")
	}
}

func TestBindRefusesWhatDoesNotFit(t *testing.T) {
	m := hybrid.Equal([]string{"a", "b"}, hybrid.ZScore)
	a, b, wide := table{name: "a", items: 3}, table{name: "b", items: 3}, table{name: "b", items: 4}
	for want, scorers := range map[string][]model.Scorer{`"b" is missing`: {a}, "knows 3 items and b 4": {a, wide}} {
		if _, err := m.Bind(scorers); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Bind = %v; want an error with %q", err, want)
		}
	}
	m.Weights = []float64{.5, .6}
	if _, err := m.Bind([]model.Scorer{a, b}); err == nil {
		t.Error("weights that sum to 1.1 were accepted")
	}
}

func TestExplainSharesAreInTheScoresUnit(t *testing.T) {
	x := modeltest.Checkerboard(20)
	s := bind(t, hybrid.Equal([]string{"content"}, hybrid.ZScore), components(t, x, 1)...)
	h := modeltest.HistoryOf(x, 4)
	b := s.Blend(h)
	defer b.Release()
	explanation := b.Explain(h)
	defer explanation.Release()
	// The causes of content sum to its raw score, so between two items their sums
	// differ exactly as the z-scores do.
	sum := func(item int32) (total float64) {
		for _, c := range explanation.Causes(item, 100) {
			total += c.Share
		}
		return total
	}
	want := float64(b.Scores[4] - b.Scores[5])
	if got := sum(4) - sum(5); math.Abs(got-want) > 1e-5 {
		t.Errorf("causes of items 4 and 5 differ by %v, scores by %v", got, want)
	}
}

func FuzzUnmarshal(f *testing.F) {
	m := hybrid.Equal([]string{"als", "popular"}, hybrid.Rank)
	m.Buckets = []hybrid.Bucket{{UpTo: 0, Cases: 3}, {UpTo: math.MaxInt32, Weights: []float64{1, 0}}}
	seed, _ := m.MarshalBinary()
	f.Add(seed)
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		var m hybrid.Model
		if m.UnmarshalBinary(b) != nil {
			return
		}
		again, err := m.MarshalBinary()
		if err != nil || !slices.Equal(again, b) {
			t.Fatalf("round trip changed the bytes: %v\n%x\n%x", err, b, again)
		}
		m.WeightsFor(2)
	})
}

func ExampleModel_Bind() {
	popular := table{"popular", 3, map[int32][]float32{0: {1, 2, 3}}}
	personal := table{"als", 3, map[int32][]float32{0: {9, 0, 0}}}
	blend := hybrid.Equal([]string{"popular", "als"}, hybrid.ZScore)
	scorer, err := blend.Bind([]model.Scorer{popular, personal})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := scorer.Blend(person(0, 1))
	defer answer.Release()
	for _, part := range answer.Parts(0) {
		fmt.Printf("%s %.2f\n", part.Component, part.Share)
	}
	// Output:
	// als 0.71
	// popular -0.61
}
