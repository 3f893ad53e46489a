package hybrid_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/model"
	"kindred/model/hybrid"
	"kindred/model/rank"
)

// factors is a linear component: q is the weighted sum of the history's vectors.
type factors struct {
	name string
	v    []float32
	f    int
}

func (s factors) Name() string              { return s.name }
func (s factors) Items() int                { return len(s.v) / s.f }
func (s factors) Vectors() ([]float32, int) { return s.v, s.f }
func (s factors) row(i int32) []float32     { return s.v[int(i)*s.f : (int(i)+1)*s.f] }
func (s factors) dot(q []float32, i int) (sum float32) {
	for j, y := range s.row(int32(i)) {
		sum += q[j] * y
	}
	return sum
}

func (s factors) Query(h model.History, q []float32) bool {
	clear(q)
	for i, row := range h.Rows {
		for j, y := range s.row(row) {
			q[j] += h.Weights[i] * y
		}
	}
	return len(h.Rows) > 0
}

func (s factors) Score(h model.History, dst []float32) bool {
	q := make([]float32, s.f)
	said := s.Query(h, q)
	for i := range dst {
		dst[i] = s.dot(q, i)
	}
	return said
}

// neighbours is a sparse component: each item has a few others it speaks for.
type neighbours struct {
	name string
	near [][]int32
	sims [][]float32
}

func (s neighbours) Name() string { return s.name }
func (s neighbours) Items() int   { return len(s.near) }

func (s neighbours) ScoreSparse(h model.History, into *model.SparseScores) bool {
	said := false
	for i, row := range h.Rows {
		into.AddScaled(s.near[row], h.Weights[i], s.sims[row])
		said = said || len(s.near[row]) > 0
	}
	return said
}

func (s neighbours) Score(h model.History, dst []float32) bool {
	into := model.NewSparseScores(len(dst))
	said := s.ScoreSparse(h, into)
	for i := range dst {
		dst[i] = into.At(int32(i))
	}
	return said
}

// lazy is neighbours that leave out every row but each fifth and those from fitted
// on, unless they must not.
type lazy struct {
	neighbours
	fitted int32
}

func (s lazy) Prepare() {}

func (s lazy) Ask(h model.History, into *model.SparseScores) model.Opinion {
	all := model.NewSparseScores(s.Items())
	if !s.ScoreSparse(h, all) || len(all.Rows()) < 4 {
		return nil
	}
	o := &opinion{scores: all, n: s.Items()}
	for row := range int32(s.Items()) {
		x := all.At(row)
		if row%5 == 0 || row >= s.fitted {
			into.Add(row, near(row, x))
		} else {
			o.rest = max(o.rest, float64(x))
		}
		o.most = max(o.most, float64(x))
		o.mean += float64(all.At(row)) / float64(s.Items())
	}
	for row := range int32(s.Items()) {
		d := float64(all.At(row)) - o.mean
		o.variance += d * d / float64(s.Items())
	}
	return o
}

// near is a score as it is after rounding: a little off.
func near(row int32, x float32) float32 { return x * (1 + 4e-6*float32(row%3-1)) }

type opinion struct {
	scores                     *model.SparseScores
	n                          int
	mean, variance, rest, most float64
}

func (o *opinion) Moments() (mean, variance float64) { return o.mean, o.variance }
func (o *opinion) Rest() float64                     { return o.rest }
func (o *opinion) Most() float64                     { return o.most }
func (o *opinion) Score(row int32) float64           { return float64(o.scores.At(row)) }
func (o *opinion) Complete(into *model.SparseScores) {
	into.Reset()
	into.Fill(o.n)
	for row := range int32(o.n) {
		into.Add(row, near(row, o.scores.At(row)))
	}
	o.rest = 0
}
func (o *opinion) Release() { o.scores = nil } // used after that it panics

// everybody is a constant component.
type everybody struct {
	name   string
	scores []float32
}

func (s everybody) Name() string        { return s.name }
func (s everybody) Items() int          { return len(s.scores) }
func (s everybody) Constant() []float32 { return s.scores }
func (s everybody) Score(_ model.History, dst []float32) bool {
	copy(dst, s.scores)
	return len(dst) > 0
}

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
	same := rapid.IntRange(0, 5).Draw(t, "all items alike") == 0
	als := factors{"als", make([]float32, 3*s.n), 3}
	popular := everybody{"popular", make([]float32, s.n)}
	for i := range als.v {
		if als.v[i] = coarse() + 1; same {
			als.v[i] = .3
		}
	}
	for i := range popular.scores {
		if popular.scores[i] = coarse(); same {
			popular.scores[i] = .1
		}
	}
	near := func(name string, rows int) neighbours {
		out := neighbours{name, make([][]int32, rows), make([][]float32, rows)}
		for i := range rows {
			for range random.IntN(6) {
				out.near[i] = append(out.near[i], int32(random.IntN(rows)))
				out.sims[i] = append(out.sims[i], coarse()+1)
			}
		}
		return out
	}
	// What content says of known rows is the same before and after it was extended, but
	// nothing here relies on it.
	s.known = []model.Scorer{als, near("itemitem", s.n), near("content", s.n), popular}
	later := func(s neighbours) model.Scorer { return s }
	if rapid.Bool().Draw(t, "content is deferred") {
		n := int32(s.n)
		later = func(s neighbours) model.Scorer { return lazy{s, n} }
		s.known[2] = later(s.known[2].(neighbours))
	}
	s.joined = slices.Clone(s.known)
	for i, c := range s.known {
		if s.rows == s.n {
			break
		}
		if c.Name() == "content" {
			s.joined[i] = later(near("content", s.rows))
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

// crowd is a shelf of many rows of few kinds: all rows of a kind are the same in every component,
// and some kinds have no history, or nothing but popularity.
func crowd(random *rand.Rand, deferred bool) *shelf {
	const n, beyond, kinds = 4000, 30, 25
	s := &shelf{n: n, rows: n + beyond}
	of := make([]int, s.rows)
	members := make([][]int32, kinds)
	for row := range of {
		of[row] = random.IntN(kinds)
		members[of[row]] = append(members[of[row]], int32(row))
	}
	kind := make([][]float32, kinds)
	for i := range kind {
		kind[i] = []float32{random.Float32(), random.Float32() - .5, random.Float32()}
		if i%4 == 0 {
			clear(kind[i]) // nobody used them
		}
	}
	als, popular := factors{"als", make([]float32, 0, 3*n), 3}, everybody{"popular", make([]float32, n)}
	for row := range n {
		als.v = append(als.v, kind[of[row]]...)
		popular.scores[row] = float32(of[row]%3) / 7
	}
	near := func(name string, rows int, first int, seed uint64) neighbours {
		random := rand.New(rand.NewPCG(seed, 2))
		out := neighbours{name, make([][]int32, rows), make([][]float32, rows)}
		for i := range rows {
			for k := first; k < kinds; k += 1 + random.IntN(9) {
				sim := random.Float32()
				for _, row := range members[k] {
					if int(row) < rows {
						out.near[i], out.sims[i] = append(out.near[i], row), append(out.sims[i], sim)
					}
				}
			}
		}
		return out
	}
	content := func(rows int) model.Scorer {
		if c := near("content", rows, 0, 7); deferred {
			return lazy{c, n}
		} else {
			return c
		}
	}
	itemitem := near("itemitem", n, 20, 9)
	s.known = []model.Scorer{als, itemitem, content(n), popular}
	s.joined = []model.Scorer{hybrid.Pad(als, s.rows), hybrid.Pad(itemitem, s.rows), content(s.rows), hybrid.Pad(popular, s.rows)}
	return s
}

func TestTopAndScoreRankAlikeWhereRowsTie(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 1))
	for _, deferred := range []bool{false, true} {
		s := crowd(random, deferred)
		index := hybrid.NewIndex(s.known)
		categories := []*hybrid.RowSet{nil}
		for _, every := range []int32{1, 3, 9, 200} {
			set := rank.NewSet(s.n)
			for row := int32(0); int(row) < s.n; row += every {
				set.Add(row)
			}
			categories = append(categories, index.Category(set))
		}
		m := hybrid.Equal([]string{"als", "itemitem", "content", "popular"}, hybrid.ZScore)
		for _, names := range [][]string{m.Components, {"als", "content"}, {"itemitem", "content"}, {"popular"}, {"itemitem", "popular"}} {
			only, err := m.Only(names...)
			if err != nil {
				t.Fatal(err)
			}
			scorer, err := only.BindIndex(s.joined, index)
			if err != nil {
				t.Fatal(err)
			}
			for size := range 8 {
				var h model.History
				for _, row := range random.Perm(s.rows)[:size] {
					h.Rows, h.Weights = append(h.Rows, int32(row)), append(h.Weights, float32(1+random.IntN(3)))
				}
				for i, k := range []int{1, 10, 300} {
					f := hybrid.Filter{Seen: h.Rows, Only: categories[(size+i)%len(categories)]}
					l := scorer.Top(h, k, f)
					same(t, l, scorer, s, h, k, f, func(row int32) bool {
						return !slices.Contains(h.Rows, row) && (f.Only == nil || row >= int32(s.n) || f.Only.Has(row))
					})
					l.Release()
				}
			}
		}
	}
}

func TestACategoryIsPackedAfterItsFirstUse(t *testing.T) {
	s := crowd(rand.New(rand.NewPCG(12, 1)), false)
	index := hybrid.NewIndex(s.known)
	scorer, err := hybrid.Equal([]string{"als"}, hybrid.ZScore).BindIndex(s.joined, index)
	if err != nil {
		t.Fatal(err)
	}
	half, all := rank.NewSet(s.n), rank.NewSet(s.n)
	for row := range int32(s.n) {
		all.Add(row)
		if row%2 == 0 {
			half.Add(row)
		}
	}
	h := model.History{Rows: []int32{1, 2, 3, 4}, Weights: []float32{1, 1, 1, 1}}
	packs := func(set *hybrid.RowSet) bool {
		first := set.Mask()
		for i := range 200 {
			f := hybrid.Filter{Only: set}
			l := scorer.Top(h, 10, f)
			same(t, l, scorer, s, h, 10, f, func(row int32) bool { return row >= int32(s.n) || set.Has(row) })
			l.Release()
			if set.Mask() != first {
				return i > 0
			}
			time.Sleep(time.Millisecond)
		}
		return false
	}
	if category := index.Category(half); !packs(category) || !packs(index.Category(half)) {
		t.Error("a category was not packed, or at its first use")
	}
	if packs(index.RowSet(half)) || packs(index.Category(all)) {
		t.Error("a set that is no category was packed, or one of most rows")
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
