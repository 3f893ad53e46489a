package features

import (
	"encoding/binary"
	"errors"
	"math"

	"kindred/data"
	"kindred/features/compact"
	"kindred/features/window"
	"kindred/model/popular"
)

// The keys of popularity counters: the prefix, then the item's id or the category.
const (
	ItemCounter     = "i/"
	CategoryCounter = "c/"
)

// counters are the popularity sums of a partition: by key, and, so that an event need
// not make keys, by the symbols of items and of categories.
type counters struct {
	byKey      map[string]uint32 // place in all
	all        []counter
	items      []uint32 // by symbol; 0 is not known yet
	categories []uint32 // by the symbol of the pair
	changed    []uint32 // since the last commit
	dropped    []string // since the last commit; they may be counted again since
}

type counter struct {
	key     string
	counts  popular.Counts
	changed bool
}

func newCounters() counters {
	return counters{byKey: map[string]uint32{}, all: make([]counter, 1)}
}

// unbind forgets which symbols are whose.
func (c *counters) unbind() { clear(c.items); clear(c.categories) }

// of is the place of the counter with the key, which it makes if need be.
func (c *counters) of(key []byte) uint32 {
	if i, ok := c.byKey[string(key)]; ok {
		return i
	}
	i := uint32(len(c.all))
	c.all = append(c.all, counter{key: string(key)})
	c.byKey[c.all[i].key] = i
	return i
}

// bind is the place that by holds for a symbol, or else that of prefix and name.
func (c *counters) bind(by *[]uint32, x compact.Symbol, prefix, name string, scratch *[]byte) uint32 {
	if int(x) >= len(*by) {
		*by = append(*by, make([]uint32, int(x)+1-len(*by)+len(*by)/4)...)
	}
	if (*by)[x] == 0 {
		*scratch = append(append((*scratch)[:0], prefix...), name...)
		(*by)[x] = c.of(*scratch)
	}
	return (*by)[x]
}

// touch reads the counters of items, so that their cache misses overlap.
func (c *counters) touch(items []compact.Symbol) (sum int64) {
	for _, x := range items {
		if int(x) < len(c.items) {
			counter := &c.all[c.items[x]]
			sum += counter.counts.Short.T + int64(len(counter.key))
			if counter.changed {
				sum++
			}
		}
	}
	return sum
}

// count adds weight w at event time at to the popularity of the item and of its
// categories. Dislike is personal: it makes nothing less popular.
func (f *fold) count(item data.ItemID, categories []string, at int64, w float64) {
	if w <= 0 {
		return
	}
	c := &f.m.counters
	f.bump(c.of([]byte(ItemCounter+string(item))), at, w)
	for _, category := range categories {
		f.bump(c.of([]byte(CategoryCounter+category)), at, w)
	}
}

// countItem is count for an item whose symbol is known, and countCategory for a category.
func (f *fold) countItem(x compact.Symbol, item string, at int64, w float64) {
	c := &f.m.counters
	f.bump(c.bind(&c.items, x, ItemCounter, item, &f.m.scratch.key), at, w)
}

func (f *fold) countCategory(pair compact.Symbol, category string, at int64, w float64) {
	c := &f.m.counters
	f.bump(c.bind(&c.categories, pair, CategoryCounter, category, &f.m.scratch.key), at, w)
}

func (f *fold) bump(i uint32, at int64, w float64) {
	c := &f.m.counters.all[i]
	c.counts.Short = c.counts.Short.Add(w, at, f.b.popular.ShortHalfLife)
	c.counts.Long = c.counts.Long.Add(w, at, f.b.popular.HalfLife)
	c.counts.Short.S, c.counts.Long.S = window.Bounded(c.counts.Short.S), window.Bounded(c.counts.Long.S)
	if !c.changed {
		c.changed = true
		f.m.counters.changed = append(f.m.counters.changed, i)
	}
}

// SetCounter puts a stored counter into memory, before the first Fold.
func (m *Memory) SetCounter(key string, c popular.Counts) {
	m.counters.all[m.counters.of([]byte(key))].counts = c
}

// Counters calls fn with every popularity counter changed since the last Commit, in
// order: zero Counts for one that was dropped, which may come again with others.
func (m *Memory) Counters(fn func(key string, c popular.Counts)) {
	for _, key := range m.counters.dropped {
		fn(key, popular.Counts{})
	}
	for _, i := range m.counters.changed {
		fn(m.counters.all[i].key, m.counters.all[i].counts)
	}
}

const counterVersion = 1

// AppendCounts appends the bytes of a counter to dst: a version byte, then for the
// short and the long sum the value (8 bytes, big endian) and its time (signed varint).
func AppendCounts(dst []byte, c popular.Counts) []byte {
	dst = append(dst, counterVersion)
	for _, d := range []popular.Decayed{c.Short, c.Long} {
		dst = binary.BigEndian.AppendUint64(dst, math.Float64bits(d.S))
		dst = binary.AppendVarint(dst, d.T)
	}
	return dst
}

var errCounter = errors.New("popularity counter: malformed, or written by a newer build")

// DecodeCounts is the inverse of AppendCounts.
func DecodeCounts(b []byte) (popular.Counts, error) {
	var c popular.Counts
	if len(b) == 0 || b[0] != counterVersion {
		return c, errCounter
	}
	b = b[1:]
	for _, d := range []*popular.Decayed{&c.Short, &c.Long} {
		if len(b) < 9 {
			return popular.Counts{}, errCounter
		}
		d.S = math.Float64frombits(binary.BigEndian.Uint64(b))
		t, n := binary.Varint(b[8:])
		if n <= 0 {
			return popular.Counts{}, errCounter
		}
		d.T, b = t, b[8+n:]
	}
	if len(b) != 0 {
		return popular.Counts{}, errCounter
	}
	return c, nil
}
