package madeup

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"kindred/model/als"
	"kindred/model/artifact"
	"kindred/model/content"
	"kindred/model/hybrid"
	"kindred/model/itemitem"
	"kindred/model/popular"
	"kindred/model/retrieve/retrievetest"
	"kindred/model/vocab"
)

// Config is the size and shape of the model.
type Config struct {
	Items      int
	Factors    int
	Spread     float64 // deviation of the logarithm of the norms
	Neighbours int     // of an item in itemitem
	Prefix     string  // an item's id is this and a number from 1
	Seed       uint64
	Now        time.Time
}

// Default is 27 k items, as many as MovieLens 20M has.
func Default() Config {
	return Config{Items: 27_000, Factors: 64, Spread: .6, Neighbours: 100, Prefix: "item-", Seed: 1}
}

// Validate names what makes no sense.
func (c Config) Validate() error {
	switch {
	case c.Items < 1 || c.Items > 20_000_000:
		return fmt.Errorf("items is %d; use 1 to 20000000", c.Items)
	case c.Factors < 1 || c.Factors > 1024:
		return fmt.Errorf("factors is %d; use 1 to 1024", c.Factors)
	case !(c.Spread >= 0 && c.Spread <= 3):
		return fmt.Errorf("spread is %v; use 0 to 3", c.Spread)
	case c.Neighbours < 0 || c.Neighbours > 1000:
		return fmt.Errorf("neighbours is %d; use 0 to 1000", c.Neighbours)
	}
	return nil
}

// categories is how many the items share.
const categories = 50

// maker draws the parts of a model.
type maker struct {
	Config
	items  *vocab.Vocab
	number []int // by row: the item's, from 1
}

// bundle makes the whole model. It is a function of the configuration.
func (c Config) bundle() (*artifact.Bundle, error) {
	ids := make([]string, c.Items)
	for i := range ids {
		ids[i] = c.Prefix + strconv.Itoa(i+1)
	}
	names, err := vocab.New(ids)
	if err != nil {
		return nil, err
	}
	m := maker{Config: c, items: names, number: make([]int, c.Items)}
	for row, id := range names.Keys() {
		m.number[row], _ = strconv.Atoi(strings.TrimPrefix(id, c.Prefix))
	}
	b := &artifact.Bundle{Items: names, ALS: new(als.Model), ItemItem: new(itemitem.Model), Popular: m.popular()}
	b.Meta.Created, b.Meta.Watermark, b.Meta.Seed, b.Meta.Items, b.Meta.Dataset = c.Now, c.Now, c.Seed, int64(c.Items), "made up"
	b.Meta.Weights = map[string]float64{"view": 1, "click": 1, "add_to_cart": 3, "purchase": 5}
	if err := b.ALS.UnmarshalBinary(m.als()); err != nil {
		return nil, err
	}
	if err := b.ItemItem.UnmarshalBinary(m.itemItem()); err != nil {
		return nil, err
	}
	if b.Content, err = content.Fit(m.docs(), content.Default()); err != nil {
		return nil, err
	}
	b.Hybrid = &hybrid.Model{
		Components: []string{"als", "itemitem", "content", "popular"}, Normalization: hybrid.ZScore, Weights: []float64{.6, .25, .1, .05},
	}
	return b, b.Validate()
}

// als is version 1 of the encoding of als.Model: objective ials, λ .007, a0 .3, ν 1, scale 1.
func (m maker) als() []byte {
	factors := retrievetest.Vectors(m.Items, m.Factors, m.Spread, m.Seed)
	b := make([]byte, 0, 42+4*len(factors))
	b = append(b, 1, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(m.Factors))
	b = binary.LittleEndian.AppendUint32(b, uint32(m.Items))
	for _, v := range []float64{.007, .3, 1, 1} {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	for _, v := range factors {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// itemItem is version 1 of the encoding of itemitem.Model: for each item, random others.
func (m maker) itemItem() []byte {
	k := min(m.Neighbours, m.Items-1)
	b := make([]byte, 0, 6+m.Items*(4+8*k))
	b = append(b, 1, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(m.Items))
	random := rand.New(rand.NewPCG(m.Seed, 1))
	near := make([]int32, 0, k)
	for range m.Items {
		near = near[:0]
		for len(near) < k { // neighbours that are drawn twice are drawn again
			for len(near) < k {
				near = append(near, random.Int32N(int32(m.Items)))
			}
			slices.Sort(near)
			near = slices.Compact(near)
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(k))
		for _, row := range near {
			b = binary.LittleEndian.AppendUint32(b, uint32(row))
		}
		for range near {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(.01+.3*random.Float32()*random.Float32()))
		}
	}
	return b
}

// popular gives item k the k-th part of the first's weight.
func (m maker) popular() *popular.Model {
	now := m.Now.UnixMilli()
	counts := make([]popular.Counts, m.Items)
	for row, k := range m.number {
		weight := 1 + 1e6/float64(k)
		counts[row] = popular.Counts{Short: popular.Decayed{S: weight / 14, T: now}, Long: popular.Decayed{S: weight, T: now}}
	}
	return popular.FromCounts(counts, now, popular.Default())
}

// docs are a handful of words an item.
func (m maker) docs() [][]string {
	docs := make([][]string, m.Items)
	for row, k := range m.number {
		docs[row] = m.words(k)
	}
	return docs
}

// words are those of item k: its category's and four of 3000.
func (m maker) words(k int) []string {
	random := rand.New(rand.NewPCG(m.Seed, uint64(k)<<8))
	words := []string{"category:" + category(k)}
	for range 4 {
		words = append(words, "word"+strconv.Itoa(random.IntN(3000)))
	}
	return words
}

// category is item k's.
func category(k int) string { return "category-" + strconv.Itoa(k%categories) }
