package livetest

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"kindred/data"
	"kindred/model/als"
	"kindred/model/artifact"
	"kindred/model/content"
	"kindred/model/itemitem"
	"kindred/model/popular"
	"kindred/model/retrieve/retrievetest"
	"kindred/model/sparse"
	"kindred/model/vocab"
)

// The large shop's texts: as many words as a vocabulary of products has, the r-th most
// frequent used in proportion to 1/(r+2).
const (
	largeWords = 200_000
	largeText  = 25
)

// Large is a shop of n items, up to millions, with a model of all of them. The item
// factors are not fitted but drawn, with norms of log-normal spread .6; itemitem is
// the cosine of what n/5 people used, 20 items each; the texts are words by Zipf's law. Items
// have no texts of their own, for brevity: only the model has read them.
func Large(t testing.TB, n, factors int) (*Shop, *artifact.Bundle) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s := &Shop{Items: make([]data.Item, n)}
	keys, docs := make([]string, n), make([][]string, n)
	random := rand.New(rand.NewPCG(3, uint64(n)))
	names := make([]string, largeWords)
	for i := range names {
		names[i] = fmt.Sprint("w", i)
	}
	for i := range s.Items {
		s.Items[i] = data.Item{
			ID: ID(i), Title: fmt.Sprintf("Item %d", i), Categories: []string{fmt.Sprintf("department %d", i%departments)},
			Price: float64(1 + i%90), Currency: "EUR",
		}
		keys[i], docs[i] = string(s.Items[i].ID), make([]string, largeText)
		for j := range docs[i] {
			rank := 2 * math.Pow(largeWords/2, random.Float64()) // density 1/r from 2 on
			docs[i][j] = names[min(largeWords-1, int(rank)-2)]
		}
	}
	var triples []sparse.Triple
	var events []popular.Event
	for p := range n / 5 {
		for _, i := range s.Taste(p, 20) {
			triples = append(triples, sparse.Triple{Row: int32(p), Col: int32(i), Val: 1})
			events = append(events, popular.Event{Row: int32(i), Weight: 1, At: Noon.UnixMilli() - int64(p%100_000)*1000})
		}
	}
	b := &artifact.Bundle{Meta: artifact.Meta{Created: Noon}}
	var err error
	b.Items, err = vocab.New(keys)
	must(err)
	b.ALS, err = withFactors(t, retrievetest.Vectors(n, factors, .6, 5), factors)
	must(err)
	b.ItemItem, err = itemitem.Fit(t.Context(), sparse.FromTriples(n/5, n, triples), itemitem.Cosine(), nil)
	must(err)
	b.Content, err = content.Fit(docs, content.Default())
	must(err)
	b.Popular = popular.Fit(n, events, Noon.UnixMilli(), popular.Default())
	return s, b
}

// withFactors is an als model with the given item factors: a small fit's encoding with
// others put in.
func withFactors(t testing.TB, items []float32, f int) (*als.Model, error) {
	t.Helper()
	cfg := als.Default()
	cfg.Factors, cfg.Iterations = f, 1
	small, err := als.Fit(t.Context(), sparse.FromTriples(1, 1, []sparse.Triple{{Val: 1}}), cfg, nil, nil)
	if err != nil {
		return nil, err
	}
	b, err := small.MarshalBinary()
	if err != nil {
		return nil, err
	}
	b = b[:len(b)-4*f] // up to the factors; the number of items is the header's second one
	binary.LittleEndian.PutUint32(b[6:], uint32(len(items)/f))
	for _, x := range items {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	m := new(als.Model)
	return m, m.UnmarshalBinary(b)
}
