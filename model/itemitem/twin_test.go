package itemitem_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"kindred/model"
	"kindred/model/itemitem"
	"kindred/model/modeltest"
	"kindred/model/sparse"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// random is a matrix in which some pairs of items share nobody.
func random(rows, cols int, seed uint64) *sparse.CSR {
	r := rand.New(rand.NewPCG(seed, 2))
	var t []sparse.Triple
	for u := range rows {
		for i := range cols - 1 { // nobody uses the last item
			if r.Float64() < 0.25 {
				t = append(t, sparse.Triple{Row: int32(u), Col: int32(i), Val: float32(1 + r.IntN(5))})
			}
		}
	}
	return sparse.FromTriples(rows, cols, t)
}

// textbook is the matrix s of the package comment, dense, cut by sorting.
func textbook(x *sparse.CSR, cfg itemitem.Config) [][]float64 {
	v := make([][]float64, x.Rows)
	for u := range v {
		v[u] = make([]float64, x.Cols)
		cols, vals := x.Row(u)
		for i, c := range cols {
			v[u][c] = float64(vals[i])
			if cfg.Binary {
				v[u][c] = 1
			}
			v[u][c] /= math.Pow(float64(len(cols)), cfg.PersonExponent)
		}
	}
	dot := func(i, j int) (s float64) {
		for u := range v {
			s += v[u][i] * v[u][j]
		}
		return s
	}
	s := make([][]float64, x.Cols)
	for i := range s {
		s[i] = make([]float64, x.Cols)
		for j := range s[i] {
			if d := dot(i, j); i != j && d > 0 {
				s[i][j] = d / (math.Pow(dot(i, i), cfg.Asymmetry)*math.Pow(dot(j, j), 1-cfg.Asymmetry) + cfg.Shrink)
			}
		}
	}
	// Cut: the values of one row, or of one column, that are below the K-th largest.
	for a := range s {
		at := func(b int) *float64 {
			if cfg.Cut == itemitem.CutPast {
				return &s[b][a]
			}
			return &s[a][b]
		}
		order := make([]int, len(s))
		for b := range order {
			order[b] = b
		}
		slices.SortStableFunc(order, func(p, q int) int {
			switch vp, vq := float32(*at(p)), float32(*at(q)); {
			case vp > vq:
				return -1
			case vp < vq:
				return 1
			}
			return 0
		})
		for _, b := range order[min(cfg.Neighbours, len(order)):] {
			*at(b) = 0
		}
	}
	return s
}

func configs() map[string]itemitem.Config {
	few := itemitem.Default()
	few.Neighbours = 4
	shrunk := itemitem.Config{Neighbours: 3, Cut: itemitem.CutPast, Shrink: 7, Asymmetry: 0.8, Binary: true}
	past := itemitem.Cosine()
	past.Neighbours = 5
	return map[string]itemitem.Config{"default": itemitem.Default(), "few": few, "cosine": itemitem.Cosine(), "past": past, "shrunk": shrunk}
}

func TestSimilaritiesAreThoseOfTheTextbook(t *testing.T) {
	x := random(40, 18, 1)
	for name, cfg := range configs() {
		t.Run(name, func(t *testing.T) {
			m, want := fit(t, x, cfg), textbook(x, cfg)
			dst := make([]float32, x.Cols)
			for i := range x.Cols {
				m.Similar(int32(i), dst)
				for j, got := range dst {
					if math.Abs(float64(got)-want[i][j]) > 1e-6 {
						t.Errorf("similarity of target %d to %d = %v, want %v", i, j, got, want[i][j])
					}
				}
			}
		})
	}
}

func TestScoresAreWeightedSumsAndCausesTheirSummands(t *testing.T) {
	x := random(40, 18, 2)
	for name, cfg := range configs() {
		t.Run(name, func(t *testing.T) {
			m, s := fit(t, x, cfg), textbook(x, cfg)
			h := model.History{Rows: []int32{7, 2, 11}, Weights: []float32{3, 0.5, 1}}
			got := make([]float32, x.Cols)
			if !m.Score(h, got) {
				t.Fatal("Score reports false")
			}
			for i := range got {
				want, sum := 0.0, 0.0
				for k, j := range h.Rows {
					r := float64(h.Weights[k])
					if cfg.Binary {
						r = 1
					}
					want += r * s[i][j]
				}
				for _, c := range m.Explain(h).Causes(int32(i), 3) {
					sum += c.Share
				}
				if math.Abs(float64(got[i])-want) > 1e-5 || math.Abs(sum-want) > 1e-5 {
					t.Errorf("score of item %d = %v, causes add up to %v, want %v", i, got[i], sum, want)
				}
			}
		})
	}
}

func TestTheSameBytesForAnyWorkerCount(t *testing.T) {
	x := random(60, 40, 3)
	var want []byte
	for _, workers := range []int{1, 2, 7, 0} {
		cfg := itemitem.Default()
		cfg.Workers, cfg.Neighbours = workers, 6
		b, err := fit(t, x, cfg).MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = b
		}
		if !slices.Equal(b, want) {
			t.Errorf("%d workers give other bytes than 1", workers)
		}
	}
}

func TestAnItemNobodyUsedSaysNothing(t *testing.T) {
	m := fit(t, random(30, 10, 4), itemitem.Default())
	dst := make([]float32, 10)
	if m.Score(model.History{Rows: []int32{9}, Weights: []float32{1}}, dst) || m.Similar(9, dst) {
		t.Errorf("scores %v from an item nobody used", dst)
	}
	if rows, _ := m.Neighbours(9); len(rows) != 0 {
		t.Errorf("neighbours %v of an item nobody used", rows)
	}
	if none := fit(t, sparse.FromTriples(0, 0, nil), itemitem.Default()); none.Items() != 0 {
		t.Errorf("%d items of an empty matrix", none.Items())
	}
}

func TestFitRefusesWhatItCannotUse(t *testing.T) {
	good := random(5, 4, 5)
	change := func(f func(*itemitem.Config)) itemitem.Config {
		cfg := itemitem.Default()
		f(&cfg)
		return cfg
	}
	for name, c := range map[string]struct {
		x    *sparse.CSR
		cfg  itemitem.Config
		want string
	}{
		"neighbours": {good, change(func(c *itemitem.Config) { c.Neighbours = 0 }), "itemitem.neighbours"},
		"cut":        {good, change(func(c *itemitem.Config) { c.Cut = "" }), "itemitem.cut"},
		"shrink":     {good, change(func(c *itemitem.Config) { c.Shrink = math.NaN() }), "itemitem.shrink"},
		"asymmetry":  {good, change(func(c *itemitem.Config) { c.Asymmetry = 1.5 }), "itemitem.asymmetry"},
		"person":     {good, change(func(c *itemitem.Config) { c.PersonExponent = -1 }), "itemitem.person_exponent"},
		"workers":    {good, change(func(c *itemitem.Config) { c.Workers = -1 }), "itemitem.workers"},
		"method":     {good, change(func(c *itemitem.Config) { c.Method = "EASE" }), "itemitem.method"},
		"lambda":     {good, change(func(c *itemitem.Config) { c.Regularization = math.Inf(1) }), "itemitem.regularization"},
		"no lambda":  {good, itemitem.EASE(0), "itemitem.regularization is 0"},
		"dropout":    {good, change(func(c *itemitem.Config) { c.Dropout = 1 }), "itemitem.dropout"},
		"memory":     {good, change(func(c *itemitem.Config) { c.MemoryBytes = 1000 }), "itemitem.memory_bytes"},
		"parts":      {good, change(func(c *itemitem.Config) { c.PartItems = -1 }), "itemitem.part_items"},
		"matrix":     {&sparse.CSR{Rows: 3}, itemitem.Default(), "do not fit together"},
		"strength":   {sparse.FromTriples(1, 1, []sparse.Triple{{Val: 0}}), itemitem.Default(), "row 0 column 0"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := itemitem.Fit(t.Context(), c.x, c.cfg, nil); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Fit = %v, want an error with %q", err, c.want)
			}
		})
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := itemitem.Fit(cancelled, good, itemitem.Default(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Fit after cancel = %v, want context.Canceled", err)
	}
	var reported []int
	if _, err := itemitem.Fit(t.Context(), good, itemitem.Cosine(), func(done, total int) { reported = append(reported, done, total) }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{4, 4}, reported); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}

func TestUnmarshalNamesWhatIsWrong(t *testing.T) {
	// One item each: version, flags, n, then count, rows, similarities.
	encoded := func(b ...byte) []byte { return append([]byte{1, 0, 2, 0, 0, 0}, b...) }
	one, half := []byte{1, 0, 0, 0}, []byte{0, 0, 0, 0x3f}
	none := []byte{0, 0, 0, 0}
	join := func(parts ...[]byte) []byte { return encoded(slices.Concat(parts...)...) }
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"nothing":      {nil, "no bytes"},
		"version":      {[]byte{7}, "version 7"},
		"short":        {[]byte{1, 0, 0}, "header"},
		"flags":        {[]byte{1, 4, 0, 0, 0, 0}, "flags 4"},
		"huge n":       {[]byte{1, 0, 255, 255, 255, 255}, "do not hold"},
		"missing item": {join(one, one, half), "item 1 is missing"},
		"huge count":   {join([]byte{255, 255, 255, 255}, none), "do not fit"},
		"zero":         {join(one, one, none, none), "similarity 0"},
		"row":          {join(one, []byte{9, 0, 0, 0}, half, none), "column 9"},
		"trailing":     {join(none, none, none), "4 bytes after"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := new(itemitem.Model).UnmarshalBinary(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("UnmarshalBinary = %v, want an error with %q", err, c.want)
			}
		})
	}
	if err := new(itemitem.Model).UnmarshalBinary(join(one, one, half, none)); err != nil {
		t.Errorf("a good model was refused: %v", err)
	}
}

func TestUnmarshalNamesWhatIsWrongInEASE(t *testing.T) {
	good, err := fit(t, random(20, 6, 8), itemitem.EASE(2)).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if good[0] != 2 {
		t.Fatalf("version %d", good[0])
	}
	const report, lists = 6, 6 + 36
	change := func(at int, b ...byte) []byte {
		return append(append(slices.Clone(good[:at]), b...), good[at+len(b):]...)
	}
	first := lists + 4 + 4*int(good[lists]) // the first similarity
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"short":     {good[:20], "header"},
		"dense":     {change(report, 7), "7 of 6 items"},
		"parts":     {change(report+8, 255, 255, 255, 255), "of 6 items"},
		"kept":      {change(report+12, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f), "finite"},
		"condition": {change(report+20+7, 0xc0), "finite"},
		"zero":      {change(first, 0, 0, 0, 0), "item 0: similarity 0"},
		"NaN":       {change(first, 0, 0, 0xc0, 0x7f), "item 0: similarity 0"},
		"cosine":    {append([]byte{1}, good[1:]...), "item"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := new(itemitem.Model).UnmarshalBinary(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("UnmarshalBinary = %v, want an error with %q", err, c.want)
			}
		})
	}
}

// TestACosineIsWrittenAsBefore pins the bytes of the first version, which earlier builds read.
func TestACosineIsWrittenAsBefore(t *testing.T) {
	x := sparse.FromTriples(2, 2, []sparse.Triple{{Row: 0, Col: 0, Val: 1}, {Row: 0, Col: 1, Val: 1}, {Row: 1, Col: 0, Val: 1}})
	for name, method := range map[string]string{"named": itemitem.MethodCosine, "left out": ""} {
		cfg := itemitem.Cosine()
		cfg.Method, cfg.Binary = method, true
		got, err := fit(t, x, cfg).MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		const half = "\xf3\x04\x35\x3f" // 1/√2
		want := "\x01\x01\x02\x00\x00\x00" + "\x01\x00\x00\x00\x01\x00\x00\x00" + half + "\x01\x00\x00\x00\x00\x00\x00\x00" + half
		if string(got) != want {
			t.Errorf("%s: bytes %x, want %x", name, got, want)
		}
	}
}

func FuzzUnmarshalBinary(f *testing.F) {
	seeds := configs()
	seeds["ease"] = itemitem.EASE(1)
	for name, cfg := range seeds {
		m, err := itemitem.Fit(context.Background(), modeltest.Checkerboard(5), cfg, nil)
		if err != nil {
			f.Fatal(name, err)
		}
		b, err := m.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := new(itemitem.Model)
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
	x := sparse.FromTriples(3, 3, []sparse.Triple{
		{Row: 0, Col: 0, Val: 1}, {Row: 0, Col: 1, Val: 1}, {Row: 1, Col: 0, Val: 1}, {Row: 1, Col: 1, Val: 1}, {Row: 2, Col: 2, Val: 1},
	})
	m, err := itemitem.Fit(context.Background(), x, itemitem.Cosine(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	scores := make([]float32, 3)
	m.Score(model.History{Rows: []int32{0}, Weights: []float32{2}}, scores)
	fmt.Println(scores)
	// Output: [0 2 0]
}
