package als_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/model"
	"kindred/model/als"
	"kindred/model/modeltest"
	"kindred/model/sparse"
)

func TestSharesAddUpToTheScore(t *testing.T) {
	x := modeltest.Checkerboard(16)
	for name, cfg := range configs() {
		t.Run(name, func(t *testing.T) {
			m := fit(t, x, cfg)
			h := modeltest.HistoryOf(x, 5)
			for i := range h.Weights {
				h.Weights[i] = float32(1 + i%4)
			}
			scores := make([]float32, 16)
			m.Score(h, scores)
			explanation := m.Explain(h)
			defer explanation.Release()
			for item, want := range scores {
				sum := 0.0
				causes := explanation.Causes(int32(item), len(h.Rows))
				for _, c := range causes {
					sum += c.Share
				}
				if math.Abs(sum-float64(want)) > 1e-5 || len(causes) != len(h.Rows) {
					t.Errorf("item %d: %d shares add up to %v, the score is %v", item, len(causes), sum, want)
				}
			}
		})
	}
}

func TestCausesAreTheLargestShares(t *testing.T) {
	x := modeltest.Checkerboard(24)
	m := fit(t, x, configs()["cg"])
	h := modeltest.HistoryOf(x, 5)
	for i := range h.Weights {
		h.Weights[i] = float32(1 + i%3) // and equal shares among them
	}
	explanation := m.Explain(h)
	defer explanation.Release()
	for item := range int32(24) {
		all := slices.Clone(explanation.Causes(item, 1000))
		want := model.Largest(slices.Clone(all), len(all))
		for _, k := range []int{-1, 0, 1, 3, len(all) - 1, len(all)} {
			if diff := cmp.Diff(want[:max(0, k)], append([]model.Cause{}, explanation.Causes(item, k)...)); diff != "" || len(all) != len(h.Rows) {
				t.Fatalf("%d causes of item %d, %d asked for (-want +got):\n%s", len(all), item, k, diff)
			}
		}
	}
}

func TestTheQueryIsTheFoldIn(t *testing.T) {
	x := modeltest.Checkerboard(12)
	m := fit(t, x, configs()["cg"])
	h := modeltest.HistoryOf(x, 3)
	want, err := m.FoldIn(h.Rows, h.Weights)
	if err != nil {
		t.Fatal(err)
	}
	v, f := m.Vectors()
	q := slices.Repeat([]float32{7}, m.Factors())
	if ok := m.Query(h, q); !ok || !slices.Equal(q, want) || f != m.Factors() || !slices.Equal(v[3*f:4*f], m.ItemFactors(3)) {
		t.Errorf("Query = %v, %v, want %v; %d factors of %d items", q, ok, want, f, len(v)/f)
	}
	for name, cold := range map[string]model.History{"nobody": {}, "a row too many": {Rows: []int32{12}, Weights: []float32{1}}} {
		q := slices.Repeat([]float32{7}, m.Factors())
		if m.Query(cold, q) || !slices.Equal(q, make([]float32, m.Factors())) {
			t.Errorf("%s: Query wrote %v and did not report false", name, q)
		}
	}
	if got := testing.AllocsPerRun(20, func() { m.Query(h, q) }); got > 0 && !als.Raced {
		t.Errorf("Query allocates %v times, want 0", got)
	}
}

func TestFoldInNamesWhatItCannotUse(t *testing.T) {
	m := fit(t, modeltest.Checkerboard(8), configs()["cg"])
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, c := range map[string]struct {
		rows []int32
		r    []float32
		want string
	}{
		"lengths":      {[]int32{1, 2}, []float32{1}, "2 rows and 1 weights"},
		"no rows":      {nil, []float32{1}, "0 rows and 1 weights"},
		"row too high": {[]int32{8}, []float32{1}, "row 8"},
		"row negative": {[]int32{-1}, []float32{1}, "row -1"},
		"weight zero":  {[]int32{1}, []float32{0}, "positive"},
		"weight NaN":   {[]int32{1}, []float32{nan}, "positive"},
		"weight Inf":   {[]int32{1}, []float32{inf}, "positive"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := m.FoldIn(c.rows, c.r); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("FoldIn = %v, want an error with %q", err, c.want)
			}
			dst := slices.Repeat([]float32{1}, 8)
			if m.Score(model.History{Rows: c.rows, Weights: c.r}, dst) || !slices.Equal(dst, make([]float32, 8)) {
				t.Errorf("Score wrote %v and did not report false", dst)
			}
		})
	}
	w, err := m.FoldIn(nil, nil)
	if err != nil || len(w) != m.Factors() || slices.Max(w) != 0 {
		t.Errorf("FoldIn(nobody) = %v, %v; want zeros", w, err)
	}
	free := configs()["hkv"]
	free.Regularization = 0
	flat := fit(t, sparse.FromTriples(1, 1, []sparse.Triple{{Val: 1}}), free)
	if _, err := flat.FoldIn([]int32{0}, []float32{1}); !errors.Is(err, als.ErrSingular) {
		t.Errorf("FoldIn without regularization = %v, want ErrSingular", err)
	}
}

func TestSimilarIsACosine(t *testing.T) {
	m := fit(t, modeltest.Checkerboard(12), configs()["cg"])
	rows := make([][]float32, 12)
	for i := range rows {
		rows[i] = make([]float32, 12)
		m.Similar(int32(i), rows[i])
	}
	for i := range rows {
		for j := range rows {
			if v := rows[i][j]; math.Abs(float64(v)) > 1+1e-5 || math.Abs(float64(v-rows[j][i])) > 1e-6 || i == j && math.Abs(float64(v)-1) > 1e-5 {
				t.Errorf("Similar(%d)[%d] = %v, the other way round %v", i, j, v, rows[j][i])
			}
		}
	}
}

func TestUnmarshalNamesWhatIsWrong(t *testing.T) {
	good, err := fit(t, modeltest.Checkerboard(6), configs()["cg"]).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	change := func(at int, v ...byte) []byte {
		b := slices.Clone(good)
		copy(b[at:], v)
		return b
	}
	nan := binary.LittleEndian.AppendUint64(nil, math.Float64bits(math.NaN()))
	inf := binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(math.Inf(1))))
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"nothing":       {nil, "no bytes"},
		"version":       {change(0, 2), "version 2"},
		"short":         {good[:20], "header"},
		"objective":     {change(1, 7), "objective 7"},
		"no factors":    {change(2, 0), "do not hold"},
		"huge factors":  {change(2, 255, 255, 255, 255), "do not hold"},
		"huge items":    {change(6, 255, 255, 255, 255), "do not hold"},
		"header number": {change(10, nan...), "header number 0"},
		"factor":        {change(len(good)-4, inf...), "of item 5"},
		"trailing":      {append(slices.Clone(good), 1), "do not hold"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := new(als.Model).UnmarshalBinary(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("UnmarshalBinary = %v, want an error with %q", err, c.want)
			}
		})
	}
}

func FuzzUnmarshalBinary(f *testing.F) {
	cfg := als.Default()
	cfg.Factors = 2
	for _, n := range []int{1, 4} {
		m, err := als.Fit(context.Background(), modeltest.Checkerboard(n), cfg, nil, nil)
		if err != nil {
			f.Fatal(err)
		}
		b, err := m.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := new(als.Model)
		if m.UnmarshalBinary(b) != nil {
			return
		}
		again, err := m.MarshalBinary()
		if err != nil || !slices.Equal(again, b) {
			t.Fatalf("round trip of %v gives %v, %v", b, again, err)
		}
		if m.Items() == 0 {
			return
		}
		h := model.History{Rows: []int32{0}, Weights: []float32{1}}
		dst := make([]float32, m.Items())
		m.Score(h, dst)
		m.Similar(0, dst)
		m.Explain(h).Causes(0, 1)
	})
}

func ExampleFit() {
	// Two people use items 0 and 1, two use items 2 and 3.
	x := sparse.FromTriples(4, 4, []sparse.Triple{
		{Row: 0, Col: 0, Val: 1}, {Row: 0, Col: 1, Val: 1}, {Row: 1, Col: 0, Val: 1}, {Row: 1, Col: 1, Val: 1},
		{Row: 2, Col: 2, Val: 1}, {Row: 2, Col: 3, Val: 1}, {Row: 3, Col: 2, Val: 1}, {Row: 3, Col: 3, Val: 1},
	})
	cfg := als.Default()
	cfg.Factors = 2
	m, err := als.Fit(context.Background(), x, cfg, nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	// Somebody new used item 2 only.
	scores := make([]float32, 4)
	m.Score(model.History{Rows: []int32{2}, Weights: []float32{1}}, scores)
	fmt.Println(scores[3] > scores[0], scores[3] > scores[1])
	// Output: true true
}

func BenchmarkScore(b *testing.B) {
	const n = 10000
	random := rand.New(rand.NewPCG(1, 1))
	var t []sparse.Triple
	for i := range int32(n) {
		t = append(t, sparse.Triple{Row: i % 500, Col: i, Val: 1}, sparse.Triple{Row: int32(random.IntN(500)), Col: (i + 1) % n, Val: 1})
	}
	x := sparse.FromTriples(500, n, t)
	for _, f := range []int{64, 128} {
		cfg := als.Default()
		cfg.Factors, cfg.Iterations = f, 1
		m, err := als.Fit(b.Context(), x, cfg, nil, nil)
		if err != nil {
			b.Fatal(err)
		}
		for _, used := range []int{20, 200, 2000} {
			h := model.History{}
			for i := range int32(used) {
				h.Rows, h.Weights = append(h.Rows, i*5), append(h.Weights, 1)
			}
			dst := make([]float32, n)
			b.Run(fmt.Sprintf("f=%d/history=%d", f, used), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					m.Score(h, dst)
				}
			})
		}
	}
}
