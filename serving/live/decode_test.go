package live

import (
	"slices"
	"testing"

	"kindred/features"
	"kindred/model/artifact"
	"kindred/model/vocab"
)

func TestALiveHistoryIsWeighedAsTheModelWasTrained(t *testing.T) {
	items, err := vocab.New([]string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		weights map[string]float64
		want    []float32
	}{
		{"summed", map[string]float64{"view": 2}, []float32{10, .5}},
		{"every preference the same", map[string]float64{"view": 2, "binary": 1}, []float32{1, 1}},
		{"binary said not to be", map[string]float64{"binary": 0}, []float32{10, .5}},
	} {
		p, err := PartsOf(&artifact.Bundle{Items: items, Meta: artifact.Meta{Weights: tt.weights}})
		if err != nil {
			t.Fatal(err)
		}
		s := &Snapshot{Parts: p}
		h := s.History([]features.Preference{{Item: "b", Weight: 10}, {Item: "a", Weight: .5}})
		if !slices.Equal(h.Weights, tt.want) {
			t.Errorf("%s: weights %v, want %v", tt.name, h.Weights, tt.want)
		}
	}
}
