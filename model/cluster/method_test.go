package cluster_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/model/cluster"
)

var methods = []cluster.Method{cluster.KMeansMethod, cluster.MixtureMethod, cluster.DBSCANMethod}

// by fits the three kinds of people with a method.
func by(t testing.TB, method cluster.Method, x []float64, old *cluster.Model, workers int) *cluster.Model {
	t.Helper()
	cfg := config(3)
	cfg.Method, cfg.MinPoints, cfg.Workers, cfg.SilhouetteRows = method, 8, workers, 300
	m, _, err := cluster.Fit(t.Context(), x, dims, cfg, old, nil)
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return m
}

func TestEveryMethodGivesTheSameBytesForAnyNumberOfWorkers(t *testing.T) {
	x := groups(1, 300, 500, 400) // two blocks
	for _, method := range methods {
		var first []byte
		for workers := 1; workers <= 8; workers++ {
			b, err := by(t, method, x, nil, workers).MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = b
			}
			if !bytes.Equal(b, first) {
				t.Errorf("%s: %d workers give other bytes than 1", method, workers)
			}
		}
	}
}

func TestEveryMethodTellsTheKindsApartAndSurvivesSaving(t *testing.T) {
	x := groups(1, 90, 130, 110)
	for _, method := range methods {
		m := by(t, method, x, nil, 0)
		rare, often, elder := []float64{2, 20}, []float64{300, 20}, []float64{40, 70}
		seen := map[int32]bool{}
		for _, v := range [][]float64{rare, often, elder} {
			a := m.Assign(v, cluster.None, .1)
			if seen[a.Cluster] || !m.Has(a.Cluster) || !(a.Confidence > .3 && a.Confidence <= 1) {
				t.Errorf("%s: %v is in %+v, as is another kind", method, v, a)
			}
			seen[a.Cluster] = true
		}
		b, err := m.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]byte{true: 1, false: 2}[method == cluster.KMeansMethod]; b[0] != want {
			t.Errorf("%s: written as version %d; want %d", method, b[0], want)
		}
		var loaded cluster.Model
		if err := loaded.UnmarshalBinary(b); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		if diff := cmp.Diff(m, &loaded); diff != "" {
			t.Errorf("%s (-saved +loaded):\n%s", method, diff)
		}
		for n := range b {
			if err := new(cluster.Model).UnmarshalBinary(b[:n]); err == nil {
				t.Fatalf("%s: the first %d of %d bytes were accepted", method, n, len(b))
			}
		}
		again := by(t, method, groups(77, 130, 110, 90), m, 0)
		for _, v := range [][]float64{rare, often, elder} {
			if got, want := again.Assign(v, cluster.None, 0).Cluster, m.Assign(v, cluster.None, 0).Cluster; got != want {
				t.Errorf("%s: retrained, people like %v were %d and are %d", method, v, want, got)
			}
		}
	}
}

func TestTheModelKnowsItsRows(t *testing.T) {
	x := groups(1, 90, 200, 130)
	for i := 0; i < len(x); i += 2 { // other spreads by group
		x[i+1] += float64(i%5) * x[i+1] / 20
	}
	for _, method := range methods {
		m := by(t, method, x, nil, 0)
		sizes, squares := map[int32]int64{}, map[int32]float64{}
		for i := 0; i < len(x); i += 2 {
			a := m.Assign(x[i:i+2], cluster.None, 0)
			sizes[a.Cluster]++
			squares[a.Cluster] += a.Distance * a.Distance
		}
		for i, number := range m.Numbers {
			if sizes[number] != m.Sizes[i] {
				t.Errorf("%s: %d rows come to %d, which had %d", method, sizes[number], number, m.Sizes[i])
			}
			// The mean squared distance by the own covariance is the number of dimensions.
			if mean := squares[number] / float64(sizes[number]); method == cluster.MixtureMethod && math.Abs(mean-2) > .01 {
				t.Errorf("%s: the mean squared distance in %d is %v; want 2", method, number, mean)
			}
		}
	}
}

// halves is a mixture on a line: N(0, 1) of weight 3/4 and N(4, 2²) of 1/4.
func halves() *cluster.Model {
	m := onLine(0, 4)
	m.Method, m.Weights, m.Factors = cluster.MixtureMethod, []float64{.75, .25}, []float64{1, 2}
	b, _ := m.MarshalBinary()
	var loaded cluster.Model
	if err := loaded.UnmarshalBinary(b); err != nil {
		panic(err)
	}
	return &loaded
}

func TestAMixtureAssignsByPosterior(t *testing.T) {
	m := halves()
	posterior := func(x float64) float64 { // of the first
		a, b := .75*math.Exp(-x*x/2), .25/2*math.Exp(-(x-4)*(x-4)/8)
		return a / (a + b)
	}
	for _, x := range []float64{-3, 0, 1.5, 2.4, 3, 9} {
		p := posterior(x)
		want, confidence := int32(1), p
		if p < .5 {
			want, confidence = 2, 1-p
		}
		a := m.Assign([]float64{x}, cluster.None, .1)
		if a.Cluster != want || math.Abs(a.Confidence-confidence) > 1e-12 {
			t.Errorf("%v is in %+v; want %d with posterior %v", x, a, want, confidence)
		}
		// Who is in the other one stays while its posterior is nine tenths of this one's.
		if a := m.Assign([]float64{x}, 3-want, .1); (a.Cluster == 3-want) != ((1-confidence)/confidence >= .9) {
			t.Errorf("%v, who was in %d, is in %d; its posterior is %v", x, 3-want, a.Cluster, 1-confidence)
		}
	}
	near := 0.0 // the place where both are alike
	for step := 2.0; step > 1e-12; step /= 2 {
		if posterior(near+step) > .5 {
			near += step
		}
	}
	if m.Assign([]float64{near + .01}, 1, .1).Cluster != 1 || m.Assign([]float64{near - .01}, 2, .1).Cluster != 2 || m.Assign([]float64{near + .01}, 1, 0).Cluster != 2 {
		t.Error("close to the border people do not stay where they are, or do without a margin")
	}
}

func TestDBSCANAssignsToTheNearestCoreWithinTheRadius(t *testing.T) {
	m := onLine(0, 10)
	m.Method, m.Radius = cluster.DBSCANMethod, 2
	m.Cores, m.CoreOf = &cluster.Tree{Points: []float64{-1, 0, 1, 9, 10}, Split: make([]int32, 5), Dims: 1}, []int32{0, 0, 0, 1, 1}
	for _, c := range []struct {
		x       float64
		current int32
		want    int32
	}{
		{.4, cluster.None, 1}, {3, cluster.None, 1}, {3.1, cluster.None, cluster.Outlier}, {7, cluster.None, 2},
		{3.1, 1, 1}, {3.2, 1, 1}, {3.3, 1, cluster.Outlier}, // 2/.9 from the last core
		{3.1, 2, cluster.Outlier}, {3.1, 77, cluster.Outlier}, {3.1, cluster.Outlier, cluster.Outlier}, {math.NaN(), cluster.None, 1},
	} {
		if got := m.Assign([]float64{c.x}, c.current, .1); got.Cluster != c.want {
			t.Errorf("%v, who was in %d, is in %+v; want %d", c.x, c.current, got, c.want)
		}
	}
	m.Radius = 6 // both groups reach the middle
	for _, c := range []struct {
		x             float64
		current, want int32
	}{{5, cluster.None, 1}, {5.1, cluster.None, 2}, {5.1, 1, 1}, {5.3, 1, 2}, {4.9, 2, 2}, {4.7, 2, 1}} {
		if got := m.Assign([]float64{c.x}, c.current, .1); got.Cluster != c.want {
			t.Errorf("%v, who was in %d, is in %+v; want %d", c.x, c.current, got, c.want)
		}
	}
}
