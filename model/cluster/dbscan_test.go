package cluster

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// textbookDBSCAN grows groups from cores (Ester et al., 1996), over all pairs; a border row goes to its nearest core.
func textbookDBSCAN(x []float64, dims int, radius float64, minPoints int) (labels []int32, core []bool) {
	n := len(x) / dims
	row := func(i int) []float64 { return x[i*dims : (i+1)*dims] }
	near := make([][]int, n)
	for i := range n {
		for j := range n {
			if squared(row(i), row(j)) <= radius*radius {
				near[i] = append(near[i], j)
			}
		}
		core = append(core, len(near[i]) >= minPoints)
	}
	labels = slices.Repeat([]int32{Outlier}, n)
	next := int32(0)
	for i := range n {
		if !core[i] || labels[i] != Outlier {
			continue
		}
		labels[i] = next
		for queue := []int{i}; len(queue) > 0; queue = queue[1:] {
			for _, j := range near[queue[0]] {
				if core[j] && labels[j] == Outlier {
					labels[j] = next
					queue = append(queue, j)
				}
			}
		}
		next++
	}
	for i := range n {
		best := -1
		for _, j := range near[i] {
			if core[i] || !core[j] {
				continue
			}
			a := squared(row(i), row(j))
			if best >= 0 {
				if b := squared(row(i), row(best)); a > b || a == b && slices.Compare(row(j), row(best)) >= 0 {
					continue
				}
			}
			best = j
		}
		if best >= 0 {
			labels[i] = labels[best]
		}
	}
	return labels, core
}

// scattered draws rows on a coarse grid, so that distances tie, in some dimensions.
func scattered(t *rapid.T) (x []float64, dims int, cfg Config) {
	dims = rapid.IntRange(1, 4).Draw(t, "dims")
	n := rapid.IntRange(1, 150).Draw(t, "rows")
	grain := rapid.SampledFrom([]float64{1, 4, 1000}).Draw(t, "grain")
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	for i := range n * dims {
		x = append(x, float64(int((float64(i/dims%3)*2+random.NormFloat64())*grain))/grain)
	}
	cfg = Default()
	cfg.Radius = rapid.SampledFrom([]float64{.25, .5, 1, 2}).Draw(t, "radius")
	cfg.MinPoints = rapid.IntRange(2, 8).Draw(t, "min_points")
	return x, dims, cfg
}

func TestDBSCANIsTheTextbooks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, dims, cfg := scattered(t)
		labels, core := textbookDBSCAN(x, dims, cfg.Radius, cfg.MinPoints)
		got, err := DBSCAN(ctx, x, dims, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Core, core) || !slices.Equal(got.Labels, labels) {
			t.Fatalf("labels %v\nwant   %v", got.Labels, labels)
		}
	})
}

func TestDBSCANDoesNotDependOnTheOrderOfRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, dims, cfg := scattered(t)
		n := len(x) / dims
		order := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 2)).Perm(n)
		var shuffled []float64
		for _, i := range order {
			shuffled = append(shuffled, x[i*dims:(i+1)*dims]...)
		}
		a, err := DBSCAN(ctx, x, dims, cfg)
		if err != nil {
			t.Fatal(err)
		}
		b, err := DBSCAN(ctx, shuffled, dims, cfg)
		if err != nil {
			t.Fatal(err)
		}
		became := map[int32]int32{Outlier: Outlier}
		for at, i := range order {
			if a.Core[i] != b.Core[at] {
				t.Fatalf("row %d is a core: %v, and in another place %v", i, a.Core[i], b.Core[at])
			}
			if g, known := became[a.Labels[i]]; known && g != b.Labels[at] || (a.Labels[i] == Outlier) != (b.Labels[at] == Outlier) {
				t.Fatalf("row %d of group %d is now of %d, others of %d", i, a.Labels[i], b.Labels[at], g)
			}
			became[a.Labels[i]] = b.Labels[at]
		}
	})
}

func TestDBSCANOverManyRowsIsTheTextbooks(t *testing.T) {
	x := cigars(5, 700, 3, 3) // more than the joining's first notes
	for i := range x {
		x[i] += float64(i%7) / 10
	}
	for _, radius := range []float64{.3, .6, 3} {
		cfg := Default()
		cfg.Radius, cfg.MinPoints = radius, 6
		labels, _ := textbookDBSCAN(x, 3, radius, 6)
		got, err := DBSCAN(t.Context(), x, 3, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Labels, labels) {
			t.Errorf("radius %v: labels differ from the textbook's", radius)
		}
	}
}

func TestABorderRowBetweenTwoGroupsGoesToTheLesserCore(t *testing.T) {
	cfg := Default()
	cfg.Radius, cfg.MinPoints = 2, 6
	x := append(append(slices.Repeat([]float64{-1}, 5), 0, 2, 4), slices.Repeat([]float64{5}, 5)...) // 2 is no core
	for range 2 {
		got, err := DBSCAN(t.Context(), x, 1, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if at := slices.Index(x, 2); got.K != 2 || got.Labels[at] != got.Labels[slices.Index(x, 0)] {
			t.Errorf("rows %v: labels %v; want 2 with 0", x, got.Labels)
		}
		slices.Reverse(x)
	}
}

func TestALongChainIsOneGroup(t *testing.T) {
	cfg := Default()
	cfg.Radius, cfg.MinPoints = 1, 2
	var x []float64
	for i := range 5000 {
		x = append(x, .9*float64(i))
	}
	got, err := DBSCAN(t.Context(), x, 1, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got.K != 1 || got.Outliers != 0 {
		t.Errorf("%d groups and %d outliers; want one chain", got.K, got.Outliers)
	}
}

func TestTheRadiusIsChosenSoThatLinesAreFound(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var x []float64
	for i := range 900 { // three dense lines and a little noise around
		x = append(x, float64(i%3)*30+.2*random.NormFloat64(), 20*random.Float64())
	}
	for range 30 {
		x = append(x, 90*random.Float64()-15, 60*random.Float64()-20)
	}
	cfg := Default()
	cfg.Method, cfg.MinPoints = DBSCANMethod, 5
	r, choice, err := Find(t.Context(), x, 2, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.K < 3 || r.Density.Radius != choice.Radius[choice.At] || len(choice.Reach) != 101 || !slices.IsSorted(choice.Reach) {
		t.Errorf("%d groups with radius %v of %v; want 3 or more", r.K, r.Density.Radius, choice.Radius)
	}
	for c := range 3 {
		if r.Labels[c] == Outlier || r.Labels[c] == r.Labels[(c+1)%3] {
			t.Errorf("line %d is group %d, line %d is %d", c, r.Labels[c], (c+1)%3, r.Labels[(c+1)%3])
		}
	}
}

func BenchmarkDBSCAN(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	var x []float64
	for i := range 100_000 {
		for range 8 {
			x = append(x, float64(i%5)*6+random.NormFloat64())
		}
	}
	for _, radius := range []float64{1.4, 1.9, 3.8} {
		b.Run(fmt.Sprintf("100000x8/radius=%v", radius), func(b *testing.B) {
			cfg := Default()
			cfg.Radius = radius
			for b.Loop() {
				if _, err := DBSCAN(b.Context(), x, 8, cfg); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
