package content_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"kindred/model"
	"kindred/model/content"
	"kindred/model/modeltest"
	"kindred/model/sparse"
)

var near = cmpopts.EquateApprox(0, 1e-6)

// all keeps every term.
func all() content.Config { return content.Config{MinDocs: 1, MaxDocShare: 1, ProfileTerms: 128} }

func fit(t testing.TB, cfg content.Config, docs ...[]string) *content.Model {
	t.Helper()
	m, err := content.Fit(docs, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestScorerKeepsItsPromises(t *testing.T) {
	modeltest.Run(t, func(t *testing.T, x *sparse.CSR, _ uint64) model.Scorer {
		docs := make([][]string, x.Cols)
		for u := range x.Rows { // an item says who used it: its colour, and more
			cols, _ := x.Row(u)
			for _, c := range cols {
				docs[c] = append(docs[c], fmt.Sprint("user", u), fmt.Sprint("colour", u%2))
			}
		}
		return fit(t, content.Default(), docs...)
	}, modeltest.Options{Decode: func(b []byte) (model.Scorer, error) {
		m := new(content.Model)
		return m, m.UnmarshalBinary(b)
	}})
}

func TestVectorIsTheFormulas(t *testing.T) {
	m := fit(t, all(), []string{"lamp", "desk", "lamp"}, []string{"desk"}, []string{"chair", "desk"})
	idfLamp, idfDesk := math.Log(4./2)+1, math.Log(4./4)+1
	lamp, desk := (1+math.Log(2))*idfLamp, 1*idfDesk
	length := math.Hypot(lamp, desk)
	want := content.Vector{Terms: []int32{1, 2}, Weights: []float32{float32(desk / length), float32(lamp / length)}}
	if diff := cmp.Diff(want, m.ItemVector(0), near); diff != "" {
		t.Errorf("vector (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, m.Vector([]string{"lamp", "unheard of", "desk", "lamp"}), near); diff != "" {
		t.Errorf("vector of tokens (-want +got):\n%s", diff)
	}
	if got := m.Vector([]string{"unheard of"}); len(got.Terms) != 0 {
		t.Errorf("vector of an unknown word is %v", got)
	}
	for i, want := range []string{"chair", "desk", "lamp"} {
		if got := m.Term(int32(i)); got != want || m.Terms() != 3 {
			t.Errorf("term %d of %d is %q; want %q", i, m.Terms(), got, want)
		}
	}
}

func TestRareAndCommonTermsAreDropped(t *testing.T) {
	docs := [][]string{{"a", "once", "half"}, {"a", "twice", "half"}, {"a", "twice", ""}, {"a"}}
	m := fit(t, content.Default(), docs...)
	if m.Terms() != 2 || m.Term(0) != "half" || m.Term(1) != "twice" {
		t.Errorf("%d terms, first %q; want half and twice", m.Terms(), m.Term(0))
	}
}

// random documents over a small vocabulary, and a history over them.
func random(seed uint64, items, words int) ([][]string, model.History) {
	r := rand.New(rand.NewPCG(seed, 3))
	docs := make([][]string, items)
	for i := range docs {
		for range r.IntN(12) {
			docs[i] = append(docs[i], fmt.Sprint("w", r.IntN(words)))
		}
	}
	var h model.History
	for _, row := range r.Perm(items)[:1+r.IntN(min(items, 8))] {
		h.Rows = append(h.Rows, int32(row))
		h.Weights = append(h.Weights, float32(r.Float64()*5+.1))
	}
	return docs, h
}

// textbook is the score by dense vectors: cosine of the cut profile and each item.
func textbook(m *content.Model, h model.History, cut int) []float64 {
	dense := func(v content.Vector) []float64 {
		d := make([]float64, m.Terms())
		for i, t := range v.Terms {
			d[t] = float64(v.Weights[i])
		}
		return d
	}
	p := make([]float64, m.Terms())
	for i, row := range h.Rows {
		for t, w := range dense(m.ItemVector(row)) {
			p[t] += float64(h.Weights[i]) * w
		}
	}
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] > p[b]:
			return -1
		case p[a] < p[b]:
			return 1
		}
		return 0
	})
	for _, t := range order[min(cut, len(order)):] {
		p[t] = 0
	}
	length := 0.0
	for _, w := range p {
		length += w * w
	}
	scores := make([]float64, m.Items())
	for i := range scores {
		for t, w := range dense(m.ItemVector(int32(i))) {
			if length > 0 {
				scores[i] += w * p[t] / math.Sqrt(length)
			}
		}
	}
	return scores
}

func TestScoreIsTheTextbooksAndItsCausesSumToIt(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		docs, h := random(rapid.Uint64().Draw(rt, "seed"), rapid.IntRange(1, 30).Draw(rt, "items"), rapid.IntRange(1, 60).Draw(rt, "words"))
		cfg := all()
		cfg.ProfileTerms = rapid.SampledFrom([]int{1, 2, 5, 128}).Draw(rt, "profile terms")
		m := fit(t, cfg, docs...)
		got := make([]float32, m.Items())
		ok := m.Score(h, got)
		want := textbook(m, h, cfg.ProfileTerms)
		e := m.Explain(h).(*content.Explanation)
		defer e.Release()
		for i, w := range want {
			if math.Abs(float64(got[i])-w) > 1e-5 {
				rt.Fatalf("item %d: score %v, textbook %v", i, got[i], w)
			}
			byItem, byTerm := 0.0, 0.0
			for _, c := range e.Causes(int32(i), 100) {
				byItem += c.Share
			}
			for _, s := range e.Terms(int32(i), 1000) {
				byTerm += s.Share
			}
			if math.Abs(byItem-w) > 1e-5 || math.Abs(byTerm-w) > 1e-5 {
				rt.Fatalf("item %d: score %v, past items sum to %v, terms to %v", i, w, byItem, byTerm)
			}
		}
		empty := !slices.ContainsFunc(want, func(w float64) bool { return w > 0 })
		if ok == empty {
			rt.Fatalf("Score reports %v with scores %v", ok, want)
		}
	})
}

func TestEquallyStrongTermsAreCutInTermOrder(t *testing.T) {
	cfg := all()
	cfg.ProfileTerms = 1
	m := fit(t, cfg, []string{"m", "n"}, []string{"a", "b"}, []string{"y", "z"})
	for _, rows := range [][]int32{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}} {
		h := model.History{Rows: rows, Weights: []float32{1, 1, 1}}
		if got := m.Explain(h).(*content.Explanation).Terms(1, 5); len(got) != 1 || got[0].Text != "a" {
			t.Errorf("history %v: the profile says %+v of item 1; want a alone", rows, got)
		}
	}
}

func TestAHistoryThatSaysNothingIsCold(t *testing.T) {
	m := fit(t, all(), []string{"lamp"}, nil)
	dst := []float32{9, 9}
	if m.Score(model.History{Rows: []int32{1}, Weights: []float32{1}}, dst) || dst[0] != 0 {
		t.Errorf("Score = true or %v; want false and zeros", dst)
	}
	if m.Similar(1, dst) {
		t.Error("an item without words is similar to others")
	}
}

func TestSimilarIsTheCosine(t *testing.T) {
	m := fit(t, all(), []string{"lamp", "desk"}, []string{"lamp", "desk"}, []string{"desk"}, []string{"chair"})
	dst := make([]float32, 4)
	if !m.Similar(0, dst) {
		t.Fatal("nothing is similar")
	}
	if diff := cmp.Diff([]float32{1, 1, m.ItemVector(0).Weights[0], 0}, dst, near); diff != "" {
		t.Errorf("similarities (-want +got):\n%s", diff)
	}
	shared := m.SharedTerms(0, 2, 5)
	if len(shared) != 1 || shared[0].Text != "desk" || math.Abs(shared[0].Share-float64(dst[2])) > 1e-6 {
		t.Errorf("shared terms %+v; want desk with %v", shared, dst[2])
	}
}

func TestExtendDescribesNewItemsInOldTerms(t *testing.T) {
	docs := [][]string{{"lamp", "desk"}, {"desk", "chair"}}
	m := fit(t, all(), docs...)
	before, _ := m.MarshalBinary()
	grown := m.Extend([][]string{{"lamp", "brand new"}, nil})
	if grown.Items() != 4 || m.Items() != 2 {
		t.Fatalf("%d and %d items; want 4 and 2", grown.Items(), m.Items())
	}
	dst := make([]float32, 4)
	if !grown.Score(model.History{Rows: []int32{0}, Weights: []float32{1}}, dst) || !(dst[2] > dst[1]) || dst[3] != 0 {
		t.Errorf("scores %v; want the new lamp above the old chair, and nothing for the wordless", dst)
	}
	if after, _ := m.MarshalBinary(); !bytes.Equal(before, after) {
		t.Error("Extend changed the model it extends")
	}
	if diff := cmp.Diff(m.ItemVector(1), grown.ItemVector(1)); diff != "" {
		t.Errorf("old item (-before +after):\n%s", diff)
	}
	// Appending twice, and saving in between, is appending once.
	twice := grown.Extend([][]string{{"chair", "chair"}})
	b, err := twice.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var saved content.Model
	if err := saved.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*content.Model{"twice": twice, "saved": &saved} {
		h := model.History{Rows: []int32{2, 4}, Weights: []float32{1, 2}}
		got, want := make([]float32, 5), make([]float32, 5)
		if !m.Score(h, got) || !fit(t, all(), docs...).Extend([][]string{{"lamp"}, nil, {"chair", "chair"}}).Score(h, want) || !slices.Equal(got, want) {
			t.Errorf("%s: scores %v; want %v", name, got, want)
		}
		sparse := model.NewSparseScores(5)
		m.ScoreSparse(h, sparse)
		for i, want := range want {
			if got := sparse.At(int32(i)); got != want {
				t.Errorf("%s: row %d scores %v sparsely; want %v", name, i, got, want)
			}
		}
	}
}

func TestConfigIsRefusedByFieldName(t *testing.T) {
	for field, change := range map[string]func(*content.Config){
		"min_docs":      func(c *content.Config) { c.MinDocs = 0 },
		"max_doc_share": func(c *content.Config) { c.MaxDocShare = math.NaN() },
		"profile_terms": func(c *content.Config) { c.ProfileTerms = 0 },
	} {
		cfg := content.Default()
		change(&cfg)
		if _, err := content.Fit(nil, cfg); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v; want an error that names it", field, err)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	m, _ := content.Fit([][]string{{"lamp", "desk"}, {"desk"}, nil}, all())
	seed, _ := m.MarshalBinary()
	f.Add(seed)
	f.Fuzz(func(t *testing.T, b []byte) {
		var m content.Model
		if m.UnmarshalBinary(b) != nil {
			return
		}
		if again, err := m.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("round trip changed the bytes: %v", err)
		}
		dst := make([]float32, m.Items())
		var h model.History
		for i := range min(3, m.Items()) {
			h.Rows, h.Weights = append(h.Rows, int32(i)), append(h.Weights, 1)
		}
		m.Score(h, dst)
		if m.Items() > 0 {
			m.Explain(h).(*content.Explanation).Terms(0, 3)
		}
	})
}

// BenchmarkScore is a request of somebody with 200 items, in a catalogue of 20,000
// items with 60 words each.
func BenchmarkScore(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	zipf := rand.NewZipf(r, 1.1, 10, 50_000)
	docs := make([][]string, 20_000)
	for i := range docs {
		for range 60 {
			docs[i] = append(docs[i], fmt.Sprint(zipf.Uint64()))
		}
	}
	m := fit(b, content.Default(), docs...)
	var h model.History
	for i := range int32(200) {
		h.Rows, h.Weights = append(h.Rows, i*97), append(h.Weights, 1)
	}
	dst := make([]float32, m.Items())
	for b.Loop() {
		m.Score(h, dst)
	}
}

func ExampleExplanation_Terms() {
	docs := [][]string{{"space", "robot"}, {"space", "opera"}, {"garden", "flower"}}
	m, err := content.Fit(docs, content.Config{MinDocs: 1, MaxDocShare: 1, ProfileTerms: 128})
	if err != nil {
		fmt.Println(err)
		return
	}
	liked := model.History{Rows: []int32{0}, Weights: []float32{1}}
	for _, term := range m.Explain(liked).(*content.Explanation).Terms(1, 3) {
		fmt.Printf("%s %.2f\n", term.Text, term.Share)
	}
	// Output: space 0.37
}
