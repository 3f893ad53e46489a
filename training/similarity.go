package training

import (
	"kindred/model/content"
)

// similarity compares items by the cosine of their TF-IDF vectors, for
// intra-list diversity; nil when no item has any words or tags. It is fitted on
// the whole catalogue, whatever the content component's configuration.
func similarity(docs [][]string) func(a, b int32) float64 {
	some := false
	for _, d := range docs {
		some = some || len(d) > 0
	}
	if !some {
		return nil
	}
	m, err := content.Fit(docs, content.Default())
	if err != nil {
		return nil
	}
	return func(a, b int32) float64 { return cosine(m.ItemVector(a), m.ItemVector(b)) }
}

// cosine is the inner product of two vectors of length 1, terms rising.
func cosine(a, b content.Vector) float64 {
	sum := 0.0
	for i, j := 0, 0; i < len(a.Terms) && j < len(b.Terms); {
		switch {
		case a.Terms[i] < b.Terms[j]:
			i++
		case a.Terms[i] > b.Terms[j]:
			j++
		default:
			sum += float64(a.Weights[i]) * float64(b.Weights[j])
			i++
			j++
		}
	}
	return sum
}
