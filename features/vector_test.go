package features

import (
	"math"
	"testing"

	"kindred/data"
)

func TestFocusIsTheStrongestCategorysShareOfAll(t *testing.T) {
	for _, c := range []struct {
		name string
		sums []float64
		want float64
	}{
		{"nobody's", nil, math.NaN()},
		{"disliked only", []float64{-3, 0}, math.NaN()},
		{"a specialist's", []float64{0, 5, -2}, 1},
		{"a browser's", []float64{1, 2, 4, 1}, .5},
	} {
		if got := focusOf(c.sums); got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%s focus is %v, want %v", c.name, got, c.want)
		}
	}
	var p data.Profile
	for i, s := range []float64{3, -1, 8, .5} {
		p.Affinities = append(p.Affinities, data.Affinity{Facet: focusFacet, Value: string(rune('a' + i)), Decayed: data.Decayed{S: s, T: 1}})
	}
	top, all := TopAffinities(p, focusFacet, 1, 10), 0.0
	for _, x := range top {
		all += x.Share
	}
	got := Vector(p, 1)[len(dimensions)-1]
	if want := top[0].Share / all; math.Abs(got-want) > 1e-12 {
		t.Errorf("by TopAffinities it is %v; Vector says %v", want, got)
	}
}
