package features

import (
	"encoding/binary"
	"errors"
	"math"

	"kindred/data"
	"kindred/features/window"
	"kindred/model/popular"
)

// The keys of popularity counters: the prefix, then the item's id or the category.
const (
	ItemCounter     = "i/"
	CategoryCounter = "c/"
)

// count adds weight w at event time at to the popularity of the item and of its
// categories. Dislike is personal: it makes nothing less popular.
func (f *fold) count(item data.ItemID, categories []string, at int64, w float64) {
	if w <= 0 {
		return
	}
	f.bump(ItemCounter+string(item), at, w)
	for _, c := range categories {
		f.bump(CategoryCounter+c, at, w)
	}
}

func (f *fold) bump(key string, at int64, w float64) {
	cfg := popular.Default()
	c := f.m.counters[key]
	c.Short = c.Short.Add(w, at, cfg.ShortHalfLife)
	c.Long = c.Long.Add(w, at, cfg.HalfLife)
	c.Short.S, c.Long.S = window.Bounded(c.Short.S), window.Bounded(c.Long.S)
	f.m.counters[key] = c
	f.m.counted[key] = struct{}{}
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
