package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"kindred/model/cluster"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// blobs draws n rows around each centre, with deviation 1.
func blobs(seed uint64, n int, centres ...[]float64) (x []float64, dims int) {
	random := rand.New(rand.NewPCG(seed, 4))
	for range n {
		for _, c := range centres {
			for _, v := range c {
				x = append(x, v+random.NormFloat64())
			}
		}
	}
	return x, len(centres[0])
}

func config(k int) cluster.Config {
	cfg := cluster.Default()
	cfg.K, cfg.Starts = k, 4
	return cfg
}

func kmeans(t testing.TB, x []float64, dims int, cfg cluster.Config) *cluster.Result {
	t.Helper()
	r, err := cluster.KMeans(t.Context(), x, dims, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestKMeansFindsGroupsThatAreApart(t *testing.T) {
	x, dims := blobs(1, 100, []float64{0, 0}, []float64{20, 0}, []float64{0, 20})
	r := kmeans(t, x, dims, config(3))
	for i, label := range r.Labels {
		if label != r.Labels[i%3] {
			t.Fatalf("row %d is in cluster %d, its group in %d", i, label, r.Labels[i%3])
		}
	}
	if diff := cmp.Diff([]int64{100, 100, 100}, r.Sizes); diff != "" {
		t.Errorf("sizes (-want +got):\n%s", diff)
	}
}

// optimum is the textbook: the least inertia over every way to label the rows.
func optimum(x []float64, dims, k int) float64 {
	n := len(x) / dims
	best := math.Inf(1)
	labels := make([]int, n)
	for {
		inertia := 0.0
		for c := range k {
			for d := range dims {
				sum, square, count := 0.0, 0.0, 0.0
				for i, label := range labels {
					if label == c {
						v := x[i*dims+d]
						sum, square, count = sum+v, square+v*v, count+1
					}
				}
				if count > 0 {
					inertia += square - sum*sum/count
				}
			}
		}
		best = min(best, inertia)
		i := 0
		for ; i < n; i++ {
			if labels[i]++; labels[i] < k {
				break
			}
			labels[i] = 0
		}
		if i == n {
			return best
		}
	}
}

func TestKMeansReachesTheOptimumOfSmallData(t *testing.T) {
	for seed := range uint64(10) {
		x, dims := blobs(seed, 3, []float64{0, 0}, []float64{2, 1}, []float64{1, 3})
		cfg := config(3)
		cfg.Starts = 30
		if got, want := kmeans(t, x, dims, cfg).Inertia, optimum(x, dims, 3); got > want+1e-9 || got < want-1e-9 {
			t.Errorf("seed %d: inertia %v; the optimum is %v", seed, got, want)
		}
	}
}

func TestKMeansResultHangsTogether(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dims, n := rapid.IntRange(1, 3).Draw(rt, "dims"), rapid.IntRange(1, 40).Draw(rt, "rows")
		// Few distinct values, so that points coincide and clusters run empty.
		x := rapid.SliceOfN(rapid.SampledFrom([]float64{-3, 0, 0, 1, 1.5, 100}), n*dims, n*dims).Draw(rt, "x")
		cfg := config(rapid.IntRange(1, n).Draw(rt, "k"))
		cfg.Starts, cfg.Seed = 1, rapid.Uint64().Draw(rt, "seed")
		r := kmeans(t, x, dims, cfg)

		distinct := map[string]bool{}
		for i := range n {
			distinct[fmt.Sprint(x[i*dims:(i+1)*dims])] = true
		}
		if want := min(cfg.K, len(distinct)); r.K != want {
			rt.Fatalf("%d clusters; want %d of %d distinct points", r.K, want, len(distinct))
		}
		if len(r.Centroids) != r.K*dims || len(r.Sizes) != r.K || len(r.Labels) != n {
			rt.Fatalf("shapes: %d centroid values, %d sizes, %d labels", len(r.Centroids), len(r.Sizes), len(r.Labels))
		}
		sizes := make([]int64, r.K)
		for _, label := range r.Labels {
			sizes[label]++
		}
		if diff := cmp.Diff(sizes, r.Sizes); diff != "" {
			rt.Fatalf("sizes (-counted +said):\n%s", diff)
		}
		if want := cluster.Inertia(x, dims, r.Centroids); math.Abs(r.Inertia-want) > 1e-6*(1+want) {
			rt.Fatalf("inertia %v; recounted %v", r.Inertia, want)
		}
	})
}

func TestSizesAndInertiaCountEveryBlock(t *testing.T) {
	x, dims := blobs(8, 1700, []float64{0, 0}, []float64{9, 0})
	r := kmeans(t, x, dims, config(2))
	if diff := cmp.Diff([]int64{1700, 1700}, r.Sizes); diff != "" {
		t.Errorf("sizes (-want +got):\n%s", diff)
	}
	if want := cluster.Inertia(x, dims, r.Centroids); math.Abs(r.Inertia-want) > 1e-6*want {
		t.Errorf("inertia %v; recounted %v", r.Inertia, want)
	}
	for c := range 2 { // each centroid is the mean of its rows
		for d := range dims {
			sum := 0.0
			for i, label := range r.Labels {
				if int(label) == c {
					sum += x[i*dims+d]
				}
			}
			if mean := sum / float64(r.Sizes[c]); math.Abs(r.Centroids[c*dims+d]-mean) > 1e-9 {
				t.Errorf("centroid %d, dimension %d is %v; the mean is %v", c, d, r.Centroids[c*dims+d], mean)
			}
		}
	}
}

func TestInertiaNeverRisesWithMoreIterations(t *testing.T) {
	x, dims := blobs(3, 60, []float64{0, 0}, []float64{2, 0}, []float64{0, 2}, []float64{3, 3})
	last := math.Inf(1)
	for iterations := 1; iterations < 30; iterations++ {
		cfg := config(4)
		cfg.Starts, cfg.MaxIterations = 1, iterations
		r := kmeans(t, x, dims, cfg)
		if r.Inertia > last+1e-9 {
			t.Fatalf("inertia rose from %v to %v at iteration %d", last, r.Inertia, iterations)
		}
		last = r.Inertia
	}
}

func TestSameBytesForAnyNumberOfWorkers(t *testing.T) {
	x, dims := blobs(5, 1500, []float64{0, 0}, []float64{2, 0}, []float64{0, 2})
	dim := []cluster.Dim{{Name: "a"}, {Name: "b"}}
	var want []byte
	for _, workers := range []int{1, 2, 5} {
		cfg := cluster.Default()
		cfg.Workers, cfg.MaxK, cfg.Starts, cfg.SilhouetteRows = workers, 4, 2, 300
		m, _, err := cluster.Fit(t.Context(), x, dim[:dims], cfg, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d workers give other bytes than 1", workers)
		}
	}
}

func TestKMeansRefusesWhatItCannotCluster(t *testing.T) {
	nan := []float64{1, 2, math.NaN(), 4}
	if _, err := cluster.KMeans(t.Context(), nan, 2, config(2), nil); err == nil || !strings.Contains(err.Error(), "row 1, dimension 0") {
		t.Errorf("NaN: %v; want an error that names row and dimension", err)
	}
	if _, err := cluster.KMeans(t.Context(), []float64{1, 2, 3}, 2, config(1), nil); err == nil {
		t.Error("one and a half rows were accepted")
	}
	if _, err := cluster.KMeans(t.Context(), []float64{1, 2}, 1, config(3), nil); !errors.Is(err, cluster.ErrTooFewRows) {
		t.Errorf("2 rows into 3: %v; want %v", err, cluster.ErrTooFewRows)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := cluster.KMeans(ctx, []float64{1, 2}, 1, config(1), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v; want %v", err, context.Canceled)
	}
}

func TestConfigIsRefusedByFieldName(t *testing.T) {
	for field, change := range map[string]func(*cluster.Config){
		"k is":            func(c *cluster.Config) { c.K = -1 },
		"min_k":           func(c *cluster.Config) { c.MinK = 1 },
		"max_k":           func(c *cluster.Config) { c.MaxK = 1 },
		"starts":          func(c *cluster.Config) { c.Starts = 0 },
		"max_iterations":  func(c *cluster.Config) { c.MaxIterations = 0 },
		"tolerance":       func(c *cluster.Config) { c.Tolerance = math.NaN() },
		"silhouette_rows": func(c *cluster.Config) { c.SilhouetteRows = 1 },
		"workers":         func(c *cluster.Config) { c.Workers = -1 },
	} {
		cfg := cluster.Default()
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v; want an error that names it", field, err)
		}
	}
}

// textbookSilhouette is Rousseeuw's definition, row by row.
func textbookSilhouette(x []float64, dims int, labels []int32, k int) float64 {
	n := len(labels)
	sum := 0.0
	for i := range n {
		mean := func(c int32) (float64, int) {
			total, count := 0.0, 0
			for j := range n {
				if j == i || labels[j] != c {
					continue
				}
				d := 0.0
				for q := range dims {
					d += (x[i*dims+q] - x[j*dims+q]) * (x[i*dims+q] - x[j*dims+q])
				}
				total, count = total+math.Sqrt(d), count+1
			}
			return total / float64(count), count
		}
		a, own := mean(labels[i])
		if own == 0 {
			continue
		}
		b := math.Inf(1)
		for c := range int32(k) {
			if c != labels[i] {
				if d, others := mean(c); others > 0 {
					b = min(b, d)
				}
			}
		}
		sum += (b - a) / max(a, b)
	}
	return sum / float64(n)
}

func TestSilhouetteIsTheTextbooks(t *testing.T) {
	x, dims := blobs(6, 30, []float64{0, 0}, []float64{3, 0}, []float64{0, 4})
	labels := kmeans(t, x, dims, config(3)).Labels
	labels[0] = 3 // alone in its cluster
	got, err := cluster.Silhouette(t.Context(), x, dims, labels, 4, config(3))
	if err != nil {
		t.Fatal(err)
	}
	if want := textbookSilhouette(x, dims, labels, 4); math.Abs(got-want) > 1e-12 {
		t.Errorf("silhouette %v; textbook %v", got, want)
	}
}

func TestSilhouetteOfASampleIsNearTheWhole(t *testing.T) {
	x, dims := blobs(6, 400, []float64{0, 0}, []float64{3, 0}, []float64{0, 4})
	cfg := config(3)
	labels := kmeans(t, x, dims, cfg).Labels
	whole, _ := cluster.Silhouette(t.Context(), x, dims, labels, 3, cfg)
	cfg.SilhouetteRows = 300
	part, err := cluster.Silhouette(t.Context(), x, dims, labels, 3, cfg)
	if err != nil || math.Abs(part-whole) > .05 || part == whole {
		t.Errorf("sample %v, %v; whole %v", part, err, whole)
	}
	if one, err := cluster.Silhouette(t.Context(), x, dims, make([]int32, 1200), 3, cfg); one != 0 || err != nil {
		t.Errorf("one cluster: %v, %v; want 0", one, err)
	}
}

func TestChooseKTakesTheBestSilhouetteAndShowsTheElbow(t *testing.T) {
	x, dims := blobs(2, 60, []float64{0, 0}, []float64{15, 0}, []float64{0, 15}, []float64{15, 15})
	cfg := config(0)
	var seen [][2]int
	choice, err := cluster.ChooseK(t.Context(), x, dims, cfg, func(done, total int) { seen = append(seen, [2]int{done, total}) })
	if err != nil {
		t.Fatal(err)
	}
	if choice.Best != 4 || choice.Elbow != 4 || choice.Result.K != 4 {
		t.Errorf("best %d, elbow %d, result %d; want 4\nsilhouette %v\ninertia %v",
			choice.Best, choice.Elbow, choice.Result.K, choice.Silhouette, choice.Inertia)
	}
	if diff := cmp.Diff([]int{2, 3, 4, 5, 6, 7, 8}, choice.K); diff != "" {
		t.Errorf("k (-want +got):\n%s", diff)
	}
	if len(seen) != 7 || seen[6] != [2]int{7, 7} {
		t.Errorf("progress %v; want 7 of 7 at the end", seen)
	}
}

func TestChooseKStopsAtTheDistinctPoints(t *testing.T) {
	choice, err := cluster.ChooseK(t.Context(), []float64{1, 1, 5, 5, 9, 9}, 1, config(0), nil)
	if err != nil || choice.Best != 3 || len(choice.K) != 2 {
		t.Fatalf("ChooseK = %+v, %v; want 3 of [2 3]", choice, err)
	}
	if _, err := cluster.ChooseK(t.Context(), []float64{7, 7, 7}, 1, config(0), nil); !errors.Is(err, cluster.ErrTooFewRows) {
		t.Errorf("one point: %v; want %v", err, cluster.ErrTooFewRows)
	}
	if _, err := cluster.ChooseK(t.Context(), nil, 1, config(0), nil); !errors.Is(err, cluster.ErrTooFewRows) {
		t.Errorf("no rows: %v; want %v", err, cluster.ErrTooFewRows)
	}
}
