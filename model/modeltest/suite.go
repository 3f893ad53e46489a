package modeltest

import (
	"bytes"
	"encoding"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/model"
	"kindred/model/rank"
	"kindred/model/sparse"
)

// Options says what the suite may expect of a scorer.
type Options struct {
	// Decode reads what the scorer's MarshalBinary wrote. Required.
	Decode func([]byte) (model.Scorer, error)
	// Impersonal scorers (popularity) give everybody the same scores: they speak to
	// people without a history, and the checkerboard asks nothing of them.
	Impersonal bool
	// Tolerance is the relative error allowed between scores that differ only in
	// the order of additions; 0 means 1e-3.
	Tolerance float64
}

// Fitter trains a scorer on people × items strengths.
type Fitter func(t *testing.T, x *sparse.CSR, seed uint64) model.Scorer

const size = 20 // people and items of the fixture

// Run checks every promise of model.Scorer, and of model.Explainer,
// model.SimilarScorer and the capabilities model.Linear, model.Sparse and
// model.Constant where the scorer is one, on fits of fit.
func Run(t *testing.T, fit Fitter, opt Options) {
	t.Helper()
	if opt.Tolerance == 0 {
		opt.Tolerance = 1e-3
	}
	s := &suite{fit: fit, opt: opt}
	t.Run("has a name and as many items as it was given", s.shape)
	t.Run("scores are finite for every person", s.finite)
	t.Run("somebody nobody has met is told so, with zeros", s.unknown)
	t.Run("the checkerboard is completed", s.checkerboard)
	t.Run("renumbered items get their scores at their new rows", s.permuted)
	t.Run("the order of a history does not matter", s.order)
	t.Run("the same seed gives the same bytes", s.seeded)
	t.Run("a saved scorer scores as before", s.saved)
	t.Run("refuses bytes that were cut off or added to", s.damaged)
	t.Run("inputs are left as they were", s.untouched)
	t.Run("scores concurrently", s.concurrent)
	t.Run("causes are past items, largest first, at most k", s.causes)
	t.Run("similar items are of the same colour", s.similar)
	t.Run("what a capability tells is what it scores", s.capabilities)
}

// suite holds what the checks share.
type suite struct {
	fit Fitter
	opt Options
}

// score asks for all scores of a history, into memory full of rubbish.
func score(m model.Scorer, h model.History) ([]float32, bool) {
	dst := slices.Repeat([]float32{float32(math.NaN())}, m.Items())
	ok := m.Score(h, dst)
	return dst, ok
}

func (s *suite) shape(t *testing.T) {
	m := s.fit(t, Checkerboard(size), 1)
	if m.Name() == "" || m.Items() != size {
		t.Fatalf("Name, Items = %q, %d; want a name, %d", m.Name(), m.Items(), size)
	}
}

func (s *suite) finite(t *testing.T) {
	x := Checkerboard(size)
	m := s.fit(t, x, 1)
	one := model.History{Rows: []int32{3}, Weights: []float32{1e-6}}
	heavy := model.History{Rows: []int32{3, 4}, Weights: []float32{1e6, 1}}
	for _, h := range []model.History{HistoryOf(x, 0), HistoryOf(x, 1), one, heavy, {}} {
		scores, _ := score(m, h)
		for i, v := range scores {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				t.Fatalf("history %v: score of item %d is %v", h, i, v)
			}
		}
	}
}

func (s *suite) unknown(t *testing.T) {
	m := s.fit(t, Checkerboard(size), 1)
	scores, ok := score(m, model.History{})
	if s.opt.Impersonal {
		if !ok {
			t.Fatal("an impersonal scorer has nothing to say to a newcomer")
		}
		return
	}
	if ok || !slices.Equal(scores, make([]float32, size)) {
		t.Fatalf("Score(nobody) = %v, %v; want zeros, false", scores, ok)
	}
}

func (s *suite) checkerboard(t *testing.T) {
	if s.opt.Impersonal {
		return
	}
	x := Checkerboard(size)
	m := s.fit(t, x, 1)
	for u := range size {
		h := HistoryOf(x, u)
		scores, ok := score(m, h)
		best := rank.TopK(scores, 1, nil, rank.SetOf(size, h.Rows))
		if !ok || len(best) != 1 || int(best[0].Row) != u {
			t.Fatalf("person %d: best unseen item %v, %v; want item %d\nscores %v", u, best, ok, u, scores)
		}
	}
}

// permuted fits the same people on renumbered items. Random starts differ row by row, so
// what must agree is the answer, not the digits.
func (s *suite) permuted(t *testing.T) {
	if s.opt.Impersonal {
		return
	}
	x := Checkerboard(size)
	moved := func(i int32) int32 { return (i*7 + 3) % size }
	var triples []sparse.Triple
	for u := range size {
		cols, vals := x.Row(u)
		for i, c := range cols {
			triples = append(triples, sparse.Triple{Row: int32(u), Col: moved(c), Val: vals[i]})
		}
	}
	y := sparse.FromTriples(size, size, triples)
	m := s.fit(t, y, 1)
	for u := range size {
		h := HistoryOf(y, u)
		scores, _ := score(m, h)
		best := rank.TopK(scores, 1, nil, rank.SetOf(size, h.Rows))
		if len(best) != 1 || best[0].Row != moved(int32(u)) {
			t.Fatalf("person %d: best unseen item %v; want item %d", u, best, moved(int32(u)))
		}
	}
}

func (s *suite) order(t *testing.T) {
	x := Checkerboard(size)
	m := s.fit(t, x, 1)
	h := HistoryOf(x, 5)
	for i := range h.Weights {
		h.Weights[i] = float32(1 + i%3)
	}
	want, _ := score(m, h)
	back := model.History{Rows: slices.Clone(h.Rows), Weights: slices.Clone(h.Weights)}
	slices.Reverse(back.Rows)
	slices.Reverse(back.Weights)
	got, _ := score(m, back)
	s.close(t, got, want)
}

func (s *suite) seeded(t *testing.T) {
	x := Checkerboard(size)
	a, b := encode(t, s.fit(t, x, 7)), encode(t, s.fit(t, x, 7))
	if !bytes.Equal(a, b) {
		t.Fatal("two fits with seed 7 encode differently")
	}
}

func (s *suite) saved(t *testing.T) {
	x := Checkerboard(size)
	m := s.fit(t, x, 1)
	b := encode(t, m)
	loaded, err := s.opt.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if loaded.Name() != m.Name() || loaded.Items() != m.Items() {
		t.Fatalf("decoded %q with %d items; want %q with %d", loaded.Name(), loaded.Items(), m.Name(), m.Items())
	}
	for u := range size {
		want, wantOK := score(m, HistoryOf(x, u))
		got, gotOK := score(loaded, HistoryOf(x, u))
		if diff := cmp.Diff(want, got); diff != "" || gotOK != wantOK {
			t.Fatalf("person %d: decoded scorer differs (-want +got):\n%s", u, diff)
		}
	}
	if again := encode(t, loaded); !bytes.Equal(again, b) {
		t.Fatal("a decoded scorer encodes differently")
	}
}

func (s *suite) damaged(t *testing.T) {
	b := encode(t, s.fit(t, Checkerboard(size), 1))
	for n := range len(b) {
		if _, err := s.opt.Decode(b[:n:n]); err == nil {
			t.Fatalf("the first %d of %d bytes were accepted", n, len(b))
		}
	}
	if _, err := s.opt.Decode(append(slices.Clone(b), 0)); err == nil {
		t.Fatal("a byte too many was accepted")
	}
}

func (s *suite) untouched(t *testing.T) {
	x, want := Checkerboard(size), Checkerboard(size)
	m := s.fit(t, x, 1)
	if diff := cmp.Diff(want, x); diff != "" {
		t.Fatalf("Fit changed its matrix (-want +got):\n%s", diff)
	}
	h := HistoryOf(x, 3)
	before := encode(t, m)
	score(m, h)
	if e, ok := m.(model.Explainer); ok {
		e.Explain(h).Causes(4, 3)
	}
	if sim, ok := m.(model.SimilarScorer); ok {
		sim.Similar(2, make([]float32, size))
	}
	if diff := cmp.Diff(HistoryOf(x, 3), h); diff != "" {
		t.Fatalf("a question changed the history (-want +got):\n%s", diff)
	}
	if !bytes.Equal(before, encode(t, m)) {
		t.Fatal("a question changed the scorer")
	}
}

func (s *suite) concurrent(t *testing.T) {
	x := Checkerboard(size)
	m := s.fit(t, x, 1)
	var wait sync.WaitGroup
	for u := range size {
		want, _ := score(m, HistoryOf(x, u))
		for range 2 {
			wait.Go(func() {
				if got, _ := score(m, HistoryOf(x, u)); !slices.Equal(got, want) {
					t.Errorf("person %d: scores differ when asked concurrently", u)
				}
			})
		}
	}
	wait.Wait()
}

func (s *suite) causes(t *testing.T) {
	x := Checkerboard(size)
	m := s.fit(t, x, 1)
	e, ok := m.(model.Explainer)
	if !ok {
		return
	}
	h := HistoryOf(x, 6)
	explanation := e.Explain(h)
	defer explanation.Release()
	for _, k := range []int{-1, 0, 1, 3, 1000} {
		got := explanation.Causes(6, k)
		if len(got) > max(k, 0) {
			t.Fatalf("k = %d: %d causes", k, len(got))
		}
		for i, c := range got {
			if !slices.Contains(h.Rows, c.Row) || math.IsNaN(c.Share) || math.IsInf(c.Share, 0) {
				t.Fatalf("k = %d: cause %v is no past item with a finite share", k, c)
			}
			if i > 0 && c.Share > got[i-1].Share {
				t.Fatalf("k = %d: causes %v are not largest first", k, got)
			}
		}
	}
	if got := e.Explain(model.History{}).Causes(6, 3); len(got) != 0 {
		t.Fatalf("nobody's score is explained by %v", got)
	}
	// Neither earlier questions nor other people's explanations, released or not, show.
	want := slices.Clone(explanation.Causes(6, size))
	if len(want) == 0 {
		t.Fatal("nothing explains item 6")
	}
	for range 3 {
		other := e.Explain(HistoryOf(x, 3))
		other.Causes(3, size)
		explanation.Causes(4, size)
		if got := explanation.Causes(6, size); !slices.Equal(got, want) {
			t.Fatalf("asked again, causes are %v, they were %v", got, want)
		}
		other.Release()
		again := e.Explain(h)
		if got := again.Causes(6, size); !slices.Equal(got, want) {
			t.Fatalf("prepared again, causes are %v, they were %v", got, want)
		}
		again.Release()
	}
}

func (s *suite) similar(t *testing.T) {
	m := s.fit(t, Checkerboard(size), 1)
	sim, ok := m.(model.SimilarScorer)
	if !ok {
		return
	}
	dst := slices.Repeat([]float32{float32(math.NaN())}, size)
	if !sim.Similar(4, dst) {
		t.Fatal("item 4 is like no other")
	}
	self := rank.SetOf(size, []int32{4})
	for _, r := range rank.TopK(dst, 3, nil, self) {
		if r.Row%2 != 0 {
			t.Fatalf("item %d is among the most similar to item 4: %v", r.Row, dst)
		}
	}
}

// close fails when two score vectors differ by more than the tolerance of the largest.
func (s *suite) close(t *testing.T, got, want []float32) {
	t.Helper()
	largest := 0.0
	for _, v := range want {
		largest = max(largest, math.Abs(float64(v)))
	}
	for i := range want {
		if d := math.Abs(float64(got[i] - want[i])); d > s.opt.Tolerance*largest {
			t.Fatalf("item %d: score %v, want %v", i, got[i], want[i])
		}
	}
}

// encode is the scorer's binary form.
func encode(t *testing.T, m model.Scorer) []byte {
	t.Helper()
	e, ok := m.(encoding.BinaryMarshaler)
	if !ok {
		t.Fatalf("%s has no MarshalBinary", m.Name())
	}
	b, err := e.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
