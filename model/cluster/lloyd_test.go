package cluster

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnEmptyClusterTakesTheFarthestRow(t *testing.T) {
	r := newRows([]float64{0, 1, 10, 12}, 1, 1)
	// Both further centroids are so far out that no row comes to them.
	got, err := r.lloyd(t.Context(), []float64{5, 100, 200}, Default())
	if err != nil {
		t.Fatal(err)
	}
	if got.K != 3 || got.Inertia != 0.5 {
		t.Errorf("%d clusters with inertia %v; want 3 with .5: 0 and 1, 10, 12", got.K, got.Inertia)
	}
}

func TestAClusterThatCannotBeFilledIsDropped(t *testing.T) {
	r := newRows([]float64{3, 3, 3}, 1, 1)
	got, err := r.lloyd(t.Context(), []float64{3, 9}, Default())
	if err != nil {
		t.Fatal(err)
	}
	if got.K != 1 || len(got.Centroids) != 1 || len(got.Sizes) != 1 {
		t.Errorf("clusters %+v; want one", got)
	}
}

func TestSeedsFallIntoEveryGroup(t *testing.T) {
	var x []float64
	for i := range 3000 { // three groups, spread over several blocks; the last has three rows only
		switch {
		case i%1000 == 999:
			x = append(x, 1e6)
		default:
			x = append(x, float64(i%2)*1000+float64(i)/1e4)
		}
	}
	r := newRows(x, 1, 2)
	for start := range uint64(20) {
		seeds, err := r.seeds(t.Context(), 3, 1, start)
		if err != nil {
			t.Fatal(err)
		}
		groups := map[int]bool{}
		for _, s := range seeds {
			groups[int(s)/500] = true
		}
		if len(groups) != 3 {
			t.Errorf("start %d: seeds %v leave a group out", start, seeds)
		}
	}
}

func TestDrawIsInProportionToTheWeights(t *testing.T) {
	r := newRows(make([]float64, 2*block), 1, 1)
	weights := make([]float64, r.n)
	weights[3], weights[block], weights[block+7] = 1, 2, 1
	blocks := []float64{1, 3}
	for at, want := range map[float64]int{0: 3, 0.99: 3, 1: block, 2.99: block, 3: block + 7, 3.99: block + 7, 4.5: block + 7} {
		if got := r.draw(at, weights, blocks); got != want {
			t.Errorf("draw(%v) = row %d; want %d", at, got, want)
		}
	}
}

func TestInertiaElbow(t *testing.T) {
	cases := []struct {
		inertia []float64
		want    int
	}{
		{[]float64{100, 50, 10, 9, 8}, 2},
		{[]float64{100, 10, 9}, 1},
		{[]float64{5}, 0},
		{[]float64{5, 4}, 0},
		{[]float64{5, 5, 5}, 0},
	}
	for _, c := range cases {
		t.Run(fmt.Sprint(c.inertia), func(t *testing.T) {
			k := []int{2, 3, 4, 5, 6}[:len(c.inertia)]
			if diff := cmp.Diff(c.want, elbow(k, c.inertia)); diff != "" {
				t.Errorf("index (-want +got):\n%s", diff)
			}
		})
	}
}
