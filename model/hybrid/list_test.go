package hybrid_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/model"
	"kindred/model/hybrid"
	"kindred/model/rank"
)

// shelf is components over n known rows, and the same ones with rows beyond.
type shelf struct {
	n, rows int
	known   []model.Scorer
	joined  []model.Scorer
}

// newShelf draws components: linear als, sparse itemitem, sparse content that knows the
// rows beyond too, constant popular. Values repeat, so that scores tie.
func newShelf(t *rapid.T, random *rand.Rand) *shelf {
	s := &shelf{n: rapid.SampledFrom([]int{0, 1, 2, 7, 40, 400}).Draw(t, "known")}
	s.rows = s.n + rapid.SampledFrom([]int{0, 1, 9}).Draw(t, "beyond")
	coarse := func() float32 { return float32(random.IntN(7)-3) / 4 }
	// Factors and what EASE says of an item have both signs; what content says has not.
	shift := rapid.SampledFrom([]float32{1, 0, -.5}).Draw(t, "shift")
	same := rapid.IntRange(0, 5).Draw(t, "all items alike") == 0
	als := factors{"als", make([]float32, 3*s.n), 3}
	popular := everybody{"popular", make([]float32, s.n)}
	for i := range als.v {
		if als.v[i] = coarse() + shift; same {
			als.v[i] = .3
		}
	}
	for i := range popular.scores {
		if popular.scores[i] = coarse(); same {
			popular.scores[i] = .1
		}
	}
	near := func(name string, rows int, shift float32) neighbours {
		out := neighbours{name, make([][]int32, rows), make([][]float32, rows)}
		for i := range rows {
			for range random.IntN(6) {
				out.near[i] = append(out.near[i], int32(random.IntN(rows)))
				out.sims[i] = append(out.sims[i], coarse()+shift)
			}
		}
		return out
	}
	// What content says of known rows is the same before and after it was extended, but
	// nothing here relies on it.
	s.known = []model.Scorer{als, near("itemitem", s.n, shift), near("content", s.n, 1), popular}
	later := func(s neighbours) model.Scorer { return s }
	if rapid.Bool().Draw(t, "content is deferred") {
		n, part := int32(s.n), rapid.Bool().Draw(t, "in part")
		later = func(s neighbours) model.Scorer { return lazy{s, n, part} }
		s.known[2] = later(s.known[2].(neighbours))
	}
	s.joined = slices.Clone(s.known)
	for i, c := range s.known {
		if s.rows == s.n {
			break
		}
		if c.Name() == "content" {
			s.joined[i] = later(near("content", s.rows, 1))
			continue
		}
		s.joined[i] = hybrid.Pad(c, s.rows)
	}
	return s
}

// history draws distinct rows, none for some people.
func (s *shelf) history(random *rand.Rand) model.History {
	var h model.History
	for _, row := range random.Perm(s.rows)[:random.IntN(min(s.rows, 6+s.n/5)+1)] {
		h.Rows = append(h.Rows, int32(row))
		h.Weights = append(h.Weights, float32(1+random.IntN(3)))
	}
	return h
}

// subset draws a set over n rows, or nil.
func subset(random *rand.Rand, n int) *rank.Set {
	if random.IntN(2) == 0 {
		return nil
	}
	set := rank.NewSet(n)
	for row := range n {
		if random.IntN(3) > 0 {
			set.Add(int32(row))
		}
	}
	return set
}

func TestTopIsTheBlendAndAFullSort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		s := newShelf(t, random)
		m := hybrid.Equal([]string{"als", "itemitem", "content", "popular"}, hybrid.ZScore)
		m.Weights = []float64{.4, .3, .1, .2}
		m.Buckets = []hybrid.Bucket{{UpTo: 1, Weights: []float64{0, .5, 0, .5}}, {UpTo: 3}, {UpTo: 99, Weights: []float64{.25, .25, .25, .25}}}
		names := rapid.SampledFrom([][]string{
			m.Components, {"als"}, {"itemitem"}, {"content"}, {"popular"}, {"als", "popular"}, {"itemitem", "content"}, {"als", "content"},
		}).Draw(t, "components")
		only, err := m.Only(names...)
		if err != nil {
			t.Fatal(err)
		}
		index := hybrid.NewIndex(s.known)
		fast, err := only.BindIndex(s.joined, index)
		if err != nil {
			t.Fatal(err)
		}
		slow, err := only.Bind(s.joined)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 { // in memory that was used before
			check(t, random, s, index, fast, slow)
		}
	})
}

// check asks both ways once.
func check(t *rapid.T, random *rand.Rand, s *shelf, index *hybrid.Index, fast, slow *hybrid.Scorer) {
	h := s.history(random)
	k := random.IntN(min(s.rows, 12) + 3)
	if random.IntN(5) == 0 {
		k = s.rows
	}
	known, knownHidden := subset(random, s.rows), subset(random, s.rows) // rows beyond do not count
	f := hybrid.Filter{OnlyBeyond: subset(random, s.rows-s.n), HideBeyond: subset(random, s.rows-s.n)}
	if known != nil {
		f.Only = index.RowSet(known)
	}
	if knownHidden != nil {
		f.Hide = index.RowSet(knownHidden)
	}
	for range random.IntN(4) * min(1, s.rows) {
		f.Seen = append(f.Seen, int32(random.IntN(s.rows)))
	}
	allowed := func(row int32) bool {
		if slices.Contains(f.Seen, row) {
			return false
		}
		if b := row - int32(s.n); b >= 0 {
			return (f.OnlyBeyond == nil || f.OnlyBeyond.Has(b)) && !f.HideBeyond.Has(b)
		}
		return (known == nil || known.Has(row)) && !knownHidden.Has(row)
	}
	got := fast.Top(h, k, f)
	defer got.Release()
	want := slow.Blend(h)
	defer want.Release()
	textbook := slow.Top(h, 0, hybrid.Filter{})
	defer textbook.Release()
	if got.Known() != want.Known() || cmp.Diff(got.Weights, want.Weights) != "" {
		t.Fatalf("Known, weights = %v, %v; want %v, %v", got.Known(), got.Weights, want.Known(), want.Weights)
	}
	same(t, got, fast, s, h, k, f, allowed)
	// Scores are differences of numbers about 100 times as large as the deviation at most.
	const tolerance = 1e-4
	count, listed := 0, map[int32]bool{}
	for i, r := range got.Ranked {
		listed[r.Row] = true
		if !allowed(r.Row) {
			t.Fatalf("row %d is not allowed", r.Row)
		}
		if d := math.Abs(float64(r.Score - want.Scores[r.Row])); !(d <= tolerance) {
			t.Fatalf("row %d scores %v; want %v", r.Row, r.Score, want.Scores[r.Row])
		}
		if i > 0 && rank.Compare(got.Ranked[i-1], r) >= 0 {
			t.Fatalf("%v is not in order", got.Ranked)
		}
		parts, wanted := slices.Clone(got.Parts(r.Row)), want.Parts(r.Row)
		sum := 0.0
		for _, p := range parts {
			sum += p.Share
			at := slices.IndexFunc(wanted, func(w hybrid.Part) bool { return w.Component == p.Component })
			if at < 0 || math.Abs(p.Share-wanted[at].Share) > tolerance || p.Weight != wanted[at].Weight {
				t.Fatalf("row %d: part %+v; want one of %+v", r.Row, p, wanted)
			}
		}
		if d := math.Abs(float64(got.Raw(r.Row, 0) - textbook.Raw(r.Row, 0))); d > tolerance {
			t.Fatalf("row %d: raw score %v; want %v", r.Row, got.Raw(r.Row, 0), textbook.Raw(r.Row, 0))
		}
		if len(parts) != len(wanted) || math.Abs(sum-float64(r.Score)) > 1e-6*(1+math.Abs(sum)) {
			t.Fatalf("row %d: parts %+v sum to %v, score %v; want %+v", r.Row, parts, sum, r.Score, wanted)
		}
	}
	for row := range int32(s.rows) {
		if !allowed(row) || !want.Known() {
			continue
		}
		count++
		if last := len(got.Ranked) - 1; !listed[row] && last >= 0 && want.Scores[row] > got.Ranked[last].Score+tolerance {
			t.Fatalf("row %d with %v is left out of %v", row, want.Scores[row], got.Ranked)
		}
	}
	if len(listed) != min(k, count) || len(got.Ranked) != len(listed) {
		t.Fatalf("%d of %d allowed rows listed; want %d", len(listed), count, min(k, count))
	}
}

// same compares the list with a full sort of what Score writes, to the bit.
func same(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, got *hybrid.List, scorer *hybrid.Scorer, s *shelf, h model.History, k int, f hybrid.Filter, allowed func(int32) bool) {
	t.Helper()
	scores := make([]float32, s.rows)
	if said := scorer.Score(h, scores); said != got.Known() {
		t.Fatalf("Score reports %v, Top %v", said, got.Known())
	}
	if !got.Known() {
		return
	}
	only := rank.NewSet(s.rows)
	for row := range int32(s.rows) {
		if allowed(row) {
			only.Add(row)
		}
		if score := got.Score(row); score != scores[row] {
			t.Fatalf("row %d scores %v on its own, %v among all", row, score, scores[row])
		}
	}
	if want := rank.TopK(scores, k, only); !slices.Equal(got.Ranked, want) {
		t.Fatalf("Top and a full sort of Score differ:\n%v\n%v", got.Ranked, want)
	}
}

func TestTopWithoutCapabilitiesScoresEveryItem(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 1))
	a := randomScores(random, "a", 1, 30)
	s := bind(t, hybrid.Equal([]string{"a"}, hybrid.ZScore), a)
	indexed, err := s.Model().BindIndex([]model.Scorer{a}, hybrid.NewIndex([]model.Scorer{a}))
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, 30)
	s.Score(person(0, 1), dst)
	hide := rank.SetOf(30, []int32{1, 2, 3})
	want := rank.TopK(dst, 5, nil, hide, rank.SetOf(30, []int32{4}))
	for name, s := range map[string]*hybrid.Scorer{"no index": s, "an index of nothing": indexed} {
		l := s.Top(person(0, 1), 5, hybrid.Filter{Hide: (*hybrid.Index)(nil).RowSet(hide), Seen: []int32{4}})
		if diff := cmp.Diff(want, l.Ranked); diff != "" || !l.Known() || len(l.Parts(want[0].Row)) != 1 {
			t.Errorf("%s: known %v, rows (-want +got):\n%s", name, l.Known(), diff)
		}
		l.Release()
	}
	nobody := s.Top(person(9, 1), 5, hybrid.Filter{})
	if nobody.Known() || len(nobody.Ranked) != 0 {
		t.Errorf("a stranger's list is %v", nobody.Ranked)
	}
}

func TestTiesAreBrokenAsAsked(t *testing.T) {
	flat := everybody{"popular", make([]float32, 5)}
	m := hybrid.Equal([]string{"popular"}, hybrid.ZScore)
	s, err := m.BindIndex([]model.Scorer{hybrid.Pad(flat, 8)}, hybrid.NewIndex([]model.Scorer{flat}))
	if err != nil {
		t.Fatal(err)
	}
	// The rows beyond have names between those of the others.
	place := func(row int32) float64 {
		if row >= 5 {
			return float64(row) - 5.5
		}
		return float64(row)
	}
	l := s.Top(model.History{}, 4, hybrid.Filter{Ties: func(a, b int32) int {
		return int(math.Copysign(1, place(a)-place(b)))
	}})
	defer l.Release()
	want := []rank.Ranked{{Row: 5}, {Row: 0}, {Row: 6}, {Row: 1}}
	if diff := cmp.Diff(want, l.Ranked); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestTopAllocatesItsAnswerOnly(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 1))
	als := factors{"als", make([]float32, 8*500), 8}
	for i := range als.v {
		als.v[i] = random.Float32()
	}
	m := hybrid.Equal([]string{"als"}, hybrid.ZScore)
	s, err := m.BindIndex([]model.Scorer{als}, hybrid.NewIndex([]model.Scorer{als}))
	if err != nil {
		t.Fatal(err)
	}
	h := model.History{Rows: []int32{3, 4}, Weights: []float32{1, 2}}
	seen := []int32{3, 4}
	// Under the race detector pools drop some of what they are given.
	if got := testing.AllocsPerRun(100, func() { s.Top(h, 10, hybrid.Filter{Seen: seen}).Release() }); got > 12 {
		t.Errorf("%v allocations, want at most 12", got)
	}
}
