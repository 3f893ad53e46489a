package livetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"kindred/data"
	analyze "kindred/features/content"
	"kindred/model/als"
	"kindred/model/artifact"
	"kindred/model/content"
	"kindred/model/itemitem"
	"kindred/model/popular"
	"kindred/model/sparse"
	"kindred/model/vocab"
)

// Noon is the shop's time.
var Noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const (
	departments = 40    // groups of items that people have a taste for
	words       = 4_000 // of the texts
	itemWords   = 25    // of one text
	people      = 2_000
	used        = 40 // items of one person
)

// Shop is a catalog and what people like in it.
type Shop struct {
	Items []data.Item // ids rise
}

// New stocks n items.
func New(n int) *Shop {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	s := &Shop{Items: make([]data.Item, n)}
	for i := range s.Items {
		var text strings.Builder
		for range itemWords { // a third are the department's own words
			if word := random.IntN(words); random.IntN(3) == 0 {
				fmt.Fprintf(&text, "w%d ", word/departments*departments+i%departments)
			} else {
				fmt.Fprintf(&text, "w%d ", int(float64(word)*random.Float64()))
			}
		}
		s.Items[i] = data.Item{
			ID: ID(i), Title: fmt.Sprintf("Item %d of w%d", i, i%departments), Text: text.String(),
			Categories: []string{fmt.Sprintf("department %d", i%departments)}, Price: float64(1 + i%90), Currency: "EUR",
		}
	}
	return s
}

// ID is the i-th item's id.
func ID(i int) data.ItemID { return data.ItemID(fmt.Sprintf("item-%07d", i)) }

// Taste is what person number p used: size distinct items, most of them of three
// departments, the first items of the catalog more often than the last.
func (s *Shop) Taste(p, size int) []int {
	random := rand.New(rand.NewPCG(2, uint64(p)))
	n, taken := len(s.Items), make(map[int]bool, size)
	var out []int
	for len(out) < min(size, n) {
		i := int(float64(n) * math.Pow(random.Float64(), 2))
		if random.IntN(5) > 0 {
			i = i/departments*departments + (p*7+random.IntN(3))%departments
		}
		if len(out) >= size/2 { // a long history goes beyond the departments
			i = random.IntN(n)
		}
		if i < n && !taken[i] {
			taken[i] = true
			out = append(out, i)
		}
	}
	return out
}

// Model fits als with the given number of factors, itemitem, content and popular to
// the first known items of the catalog; the blend counts all the same.
func (s *Shop) Model(t testing.TB, known, factors int) *artifact.Bundle {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var triples []sparse.Triple
	var events []popular.Event
	for p := range people {
		for _, i := range s.Taste(p, used) {
			if i < known {
				triples = append(triples, sparse.Triple{Row: int32(p), Col: int32(i), Val: 1})
				events = append(events, popular.Event{Row: int32(i), Weight: 1, At: Noon.UnixMilli() - int64(p)*1000})
			}
		}
	}
	keys, docs := make([]string, known), make([][]string, known)
	for i, it := range s.Items[:known] {
		keys[i], docs[i] = string(it.ID), analyze.Tokens(it)
	}
	x := sparse.FromTriples(people, known, triples)
	cfg := als.Default()
	cfg.Factors, cfg.Iterations = factors, 2
	b := &artifact.Bundle{Meta: artifact.Meta{Created: Noon}}
	var err error
	b.Items, err = vocab.New(keys)
	must(err)
	b.ALS, err = als.Fit(t.Context(), x, cfg, nil, nil)
	must(err)
	b.ItemItem, err = itemitem.Fit(t.Context(), x, itemitem.Default(), nil)
	must(err)
	b.Content, err = content.Fit(docs, content.Default())
	must(err)
	b.Popular = popular.Fit(known, events, Noon.UnixMilli(), popular.Default())
	return b
}

// Percentiles reports the median and the 99th percentile of some durations, in
// microseconds, of what is given as a word. It sorts them.
func Percentiles(b *testing.B, what string, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	at := func(share float64) float64 {
		return float64(took[int(share*float64(len(took)-1))]) / float64(time.Microsecond)
	}
	b.ReportMetric(at(.5), what+"-p50-µs")
	b.ReportMetric(at(.99), what+"-p99-µs")
}
