package live

import (
	"fmt"
	"testing"
	"time"

	"kindred/data"
	"kindred/features"
	"kindred/model"
	"kindred/model/popular"
	"kindred/model/vocab"
)

// BenchmarkPut is what one changed item costs a snapshot of a million: of an item the
// model knows, with another title, price, category or hidden; and of one beyond the
// model, of a thousand.
func BenchmarkPut(b *testing.B) {
	const known, beyond = 1_000_000, 1000
	keys, counts := make([]string, known), make([]popular.Counts, known)
	all := changes{version: 1}
	for i := range known + beyond {
		it := data.Item{ID: data.ItemID(fmt.Sprintf("k%07d", i)), Title: "a", Categories: []string{fmt.Sprint(i % 50)}, Price: float64(i % 90)}
		if i >= known {
			it.ID = data.ItemID(fmt.Sprintf("n%07d", i))
		} else {
			keys[i] = string(it.ID)
			counts[i].Long.S = float64(i)
		}
		all.upserts = append(all.upserts, it)
	}
	items, err := vocab.New(keys)
	if err != nil {
		b.Fatal(err)
	}
	parts := Parts{Items: items, Weights: features.DefaultWeights(), Scorers: []model.Scorer{popular.FromCounts(counts, 0, popular.Default())}}
	s, err := build("m-1", parts, all, time.Time{})
	if err != nil {
		b.Fatal(err)
	}
	of := func(row int, change func(*data.Item)) data.Item {
		it := all.upserts[row]
		change(&it)
		return it
	}
	for name, it := range map[string]data.Item{
		"title":    of(5, func(it *data.Item) { it.Title = "b" }),
		"price":    of(5, func(it *data.Item) { it.Price = 7 }),
		"category": of(5, func(it *data.Item) { it.Categories = []string{"7"} }),
		"hidden":   of(5, func(it *data.Item) { it.Hidden = true }),
		"beyond":   of(known+5, func(it *data.Item) { it.Title = "b" }),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.with(changes{upserts: []data.Item{it}, version: 2}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
