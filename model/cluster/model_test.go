package cluster_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/model/cluster"
)

// onLine is a model with unscaled centroids at the given places of a line.
func onLine(places ...float64) *cluster.Model {
	m := &cluster.Model{
		Names:     []string{"x"},
		Scaler:    &cluster.Scaler{Log: []bool{false}, Mean: []float64{0}, Deviation: []float64{1}},
		Centroids: places, Sizes: make([]int64, len(places)), Rows: 10, Inertia: 1, Next: int32(len(places)) + 1,
	}
	for i := range places {
		m.Numbers = append(m.Numbers, int32(i)+1)
	}
	return m
}

func TestAssignStaysUnlessAnotherIsClearlyNearer(t *testing.T) {
	m := onLine(0, 10)
	cases := []struct {
		name    string
		x       float64
		current int32
		want    cluster.Assignment
	}{
		{"nobody yet: the nearest", 4, cluster.None, cluster.Assignment{Cluster: 1, Distance: 4, Confidence: 1 - 4./6}},
		{"in the middle: the lower number", 5, cluster.None, cluster.Assignment{Cluster: 1, Distance: 5}},
		{"stays though the other is a little nearer", 5.2, 1, cluster.Assignment{Cluster: 1, Distance: 5.2}},
		{"and from the other side", 4.8, 2, cluster.Assignment{Cluster: 2, Distance: 5.2}},
		{"moves when it is 10 % nearer", 5.3, 1, cluster.Assignment{Cluster: 2, Distance: 4.7, Confidence: 1 - 4.7/5.3}},
		{"a number the model does not have is nobody", 5.2, 99, cluster.Assignment{Cluster: 2, Distance: 4.8, Confidence: 1 - 4.8/5.2}},
		{"a missing value is the mean", math.NaN(), cluster.None, cluster.Assignment{Cluster: 1, Distance: 0, Confidence: 1}},
		{"so is an infinite one", math.Inf(1), cluster.None, cluster.Assignment{Cluster: 1, Distance: 0, Confidence: 1}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := m.Assign([]float64{c.x}, c.current, cluster.DefaultHysteresis)
			near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-12 })
			if diff := cmp.Diff(c.want, got, near); diff != "" {
				t.Errorf("Assign(%v, %d) (-want +got):\n%s", c.x, c.current, diff)
			}
		})
	}
}

func TestHysteresisEndsExactlyAtItsBound(t *testing.T) {
	m := onLine(0, 10)
	// d(new) < 0.9·d(old) holds from x = 10/1.9 on.
	bound := 10 / 1.9
	if got := m.Assign([]float64{bound - 1e-9}, 1, .1).Cluster; got != 1 {
		t.Errorf("just below the bound: cluster %d; want 1", got)
	}
	if got := m.Assign([]float64{bound + 1e-9}, 1, .1).Cluster; got != 2 {
		t.Errorf("just above the bound: cluster %d; want 2", got)
	}
	if got := m.Assign([]float64{5.0001}, 1, 0).Cluster; got != 2 {
		t.Errorf("without hysteresis: cluster %d; want 2", got)
	}
}

func TestConfidenceOfTheOnlyClusterIsOneAndOfTwinsZero(t *testing.T) {
	if got := onLine(3).Assign([]float64{8}, cluster.None, .1).Confidence; got != 1 {
		t.Errorf("only cluster: %v; want 1", got)
	}
	if got := onLine(3, 3).Assign([]float64{3}, cluster.None, .1).Confidence; got != 0 {
		t.Errorf("two centroids in one place: %v; want 0", got)
	}
}

func TestScalerStandardises(t *testing.T) {
	x := []float64{
		1, math.E - 1, 7, math.NaN(),
		3, 0, 7, math.Inf(1),
		5, math.NaN(), 7, math.NaN(),
		7, -4, 7, math.NaN(), // a negative amount counts as 0 under the logarithm
	}
	s, err := cluster.FitScaler(x, []bool{false, true, false, false})
	if err != nil {
		t.Fatal(err)
	}
	want := &cluster.Scaler{
		Log:  []bool{false, true, false, false},
		Mean: []float64{4, 1. / 3, 7, 0}, Deviation: []float64{math.Sqrt(5), math.Sqrt(2) / 3, 1, 1},
	}
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-12 })
	if diff := cmp.Diff(want, s, near); diff != "" {
		t.Fatalf("scaler (-want +got):\n%s", diff)
	}
	z, back := make([]float64, 4), make([]float64, 4)
	s.Transform(z, x[:4])
	s.Invert(back, z)
	if diff := cmp.Diff([]float64{1, math.E - 1, 7, 0}, back, near); diff != "" {
		t.Errorf("there and back (-want +got):\n%s", diff)
	}
	if _, err := cluster.FitScaler(x[:5], s.Log); err == nil {
		t.Error("a row and a quarter was accepted")
	}
}

func TestScalerSurvivesAbsurdValues(t *testing.T) {
	x := []float64{math.MaxFloat64, -math.MaxFloat64, 1, 2}
	s, err := cluster.FitScaler(x, []bool{false})
	if err != nil {
		t.Fatal(err)
	}
	z := make([]float64, 4)
	s.Transform(z, x)
	for i, v := range append(z, s.Mean[0], s.Deviation[0]) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("value %d became %v", i, v)
		}
	}
}

// dims names the two dimensions of the fits below.
var dims = []cluster.Dim{{Name: "visits", Log: true}, {Name: "age"}}

func fit(t testing.TB, x []float64, k int, old *cluster.Model) *cluster.Model {
	t.Helper()
	m, _, err := cluster.Fit(t.Context(), x, dims, config(k), old, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// groups are rows of three kinds of people: n0 young and rare, n1 young and often, n2 old.
func groups(seed uint64, n0, n1, n2 int) (x []float64) {
	for g, n := range []int{n0, n1, n2} {
		centre := [][]float64{{2, 20}, {300, 20}, {40, 70}}[g]
		rows, _ := blobs(seed+uint64(g), n, []float64{0, 0})
		for i := 0; i < len(rows); i += 2 {
			x = append(x, centre[0]*math.Exp(rows[i]/10), centre[1]+3*rows[i+1])
		}
	}
	return x
}

func TestFirstNumbersFollowSize(t *testing.T) {
	m := fit(t, groups(1, 30, 90, 60), 3, nil)
	if diff := cmp.Diff([]int64{90, 60, 30}, m.Sizes); diff != "" {
		t.Errorf("sizes by number (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int32{1, 2, 3}, m.Numbers); diff != "" || m.Next != 4 {
		t.Errorf("numbers, next %d (-want +got):\n%s", m.Next, diff)
	}
	raw := make([]float64, 2)
	if !m.Centroid(1, raw) || math.Abs(raw[0]-300) > 30 || math.Abs(raw[1]-20) > 2 {
		t.Errorf("centroid 1 in raw units is %v; want about [300 20]", raw)
	}
	if m.Centroid(9, raw) {
		t.Error("there is a centroid 9")
	}
}

func TestNumbersSurviveRetraining(t *testing.T) {
	old := fit(t, groups(1, 30, 90, 60), 3, nil)
	rare, often, elder := []float64{2, 20}, []float64{300, 20}, []float64{40, 70}
	number := func(m *cluster.Model, x []float64) int32 { return m.Assign(x, cluster.None, 0).Cluster }

	t.Run("when sizes turn around and other people come", func(t *testing.T) {
		fresh := fit(t, groups(50, 200, 20, 70), 3, old)
		for _, x := range [][]float64{rare, often, elder} {
			if got, want := number(fresh, x), number(old, x); got != want {
				t.Errorf("people like %v were %d and are %d", x, want, got)
			}
		}
	})
	t.Run("when the dimensions change places and one is new", func(t *testing.T) {
		x := groups(9, 60, 60, 60)
		var y []float64
		for i := 0; i < len(x); i += 2 {
			y = append(y, x[i+1], math.NaN(), x[i])
		}
		fresh, _, err := cluster.Fit(t.Context(), y, []cluster.Dim{dims[1], {Name: "new"}, dims[0]}, config(3), old, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := number(fresh, []float64{70, 0, 40}), number(old, elder); got != want {
			t.Errorf("the elder were %d and are %d", want, got)
		}
	})
	t.Run("a group that is gone takes its number along", func(t *testing.T) {
		fresh := fit(t, groups(9, 60, 60, 0), 2, old)
		if fresh.Has(number(old, elder)) {
			t.Errorf("numbers %v still hold %d", fresh.Numbers, number(old, elder))
		}
		back := fit(t, groups(10, 60, 60, 60), 3, fresh)
		if got := number(back, elder); got != 4 {
			t.Errorf("the group that came back is %d; want 4, a number never used", got)
		}
		if got, want := number(back, rare), number(old, rare); got != want {
			t.Errorf("people like %v were %d and are %d", rare, want, got)
		}
	})
	t.Run("a new group gets a number never used, though one is free", func(t *testing.T) {
		x := groups(9, 60, 60, 0)
		for range 50 { // instead of the elder: children who come all the time
			x = append(x, 300_000, 5)
		}
		fresh := fit(t, x, 3, old)
		if got := number(fresh, []float64{300_000, 5}); got != 4 {
			t.Errorf("the new group is %d; want 4", got)
		}
	})
	t.Run("nothing in common: all new", func(t *testing.T) {
		fresh, _, err := cluster.Fit(t.Context(), []float64{1, 1, 9, 9}, []cluster.Dim{{Name: "other"}}, config(2), old, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]int32{4, 5}, fresh.Numbers); diff != "" || fresh.Next != 6 {
			t.Errorf("numbers, next %d (-want +got):\n%s", fresh.Next, diff)
		}
	})
}

func TestRetrainingOnTheSameRowsChangesNoNumber(t *testing.T) {
	x := groups(1, 30, 90, 60)
	old := fit(t, x, 3, nil)
	again := fit(t, x, 3, old)
	if diff := cmp.Diff(old, again); diff != "" {
		t.Errorf("model (-before +after):\n%s", diff)
	}
}

func TestHungarianIsNeverBeaten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, m := rapid.IntRange(1, 6).Draw(t, "rows"), rapid.IntRange(1, 6).Draw(t, "columns")
		cost := make([][]float64, n)
		for i := range cost {
			cost[i] = rapid.SliceOfN(rapid.Float64Range(-10, 10), m, m).Draw(t, "row")
		}
		got, taken, pairs := 0.0, map[int]bool{}, 0
		for i, j := range cluster.Hungarian(cost) {
			if j < 0 {
				continue
			}
			if taken[j] {
				t.Fatalf("column %d is taken twice", j)
			}
			taken[j] = true
			got += cost[i][j]
			pairs++
		}
		if want := cheapest(cost, 0, map[int]bool{}, min(n, m)); pairs != min(n, m) || math.Abs(got-want) > 1e-9 {
			t.Fatalf("%d pairs cost %v; %d can cost %v", pairs, got, min(n, m), want)
		}
	})
}

// cheapest tries every way to make the given number of pairs from row i on.
func cheapest(cost [][]float64, i int, taken map[int]bool, pairs int) float64 {
	if pairs == 0 {
		return 0
	}
	if len(cost)-i < pairs {
		return math.Inf(1)
	}
	best := cheapest(cost, i+1, taken, pairs)
	for j, c := range cost[i] {
		if !taken[j] {
			taken[j] = true
			best = min(best, c+cheapest(cost, i+1, taken, pairs-1))
			delete(taken, j)
		}
	}
	return best
}

func TestFitRefusesDimensionsWithoutNames(t *testing.T) {
	for _, dims := range [][]cluster.Dim{nil, {{Name: ""}}, {{Name: "a"}, {Name: "a"}}} {
		if _, _, err := cluster.Fit(t.Context(), []float64{1, 2}, dims, config(2), nil, nil); err == nil {
			t.Errorf("dimensions %v were accepted", dims)
		}
	}
}

func TestASavedModelAssignsAsBefore(t *testing.T) {
	m := fit(t, groups(1, 30, 90, 60), 3, nil)
	b, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var loaded cluster.Model
	if err := loaded.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, &loaded); diff != "" {
		t.Errorf("model (-saved +loaded):\n%s", diff)
	}
	for n := range b {
		if err := new(cluster.Model).UnmarshalBinary(b[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes were accepted", n, len(b))
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	m := onLine(1, 2)
	seed, _ := m.MarshalBinary()
	f.Add(seed)
	f.Add([]byte{1, 0})
	for _, method := range methods[1:] {
		b, _ := by(f, method, groups(1, 12, 12, 12), nil, 1).MarshalBinary()
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m cluster.Model
		if m.UnmarshalBinary(b) != nil {
			return
		}
		again, err := m.MarshalBinary()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("round trip changed the bytes: %v", err)
		}
		a := m.Assign(make([]float64, m.Dims()), 2, .1)
		if !slices.Contains(m.Numbers, a.Cluster) && !(m.Method == cluster.DBSCANMethod && a.Cluster == cluster.Outlier) || math.IsNaN(a.Confidence) {
			t.Fatalf("assigned to %+v", a)
		}
	})
}

func ExampleModel_Assign() {
	x := []float64{1, 2, 3, 101, 102, 103, 104}
	cfg := cluster.Default()
	cfg.K = 2
	m, _, err := cluster.Fit(context.Background(), x, []cluster.Dim{{Name: "purchases"}}, cfg, nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	a := m.Assign([]float64{5}, cluster.None, cluster.DefaultHysteresis)
	fmt.Printf("cluster %d of %d, confidence %.2f\n", a.Cluster, m.K(), a.Confidence)
	// Output: cluster 2 of 2, confidence 0.97
}
