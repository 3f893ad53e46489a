package compact

import (
	"bytes"
	"cmp"
	"math"
	"strings"

	"kindred/data"
	"kindred/features/window"
)

// narrow is a data.HistoryItem without a rating whose count and weight are small whole
// numbers, as nearly all are: 16 bytes. A person's history is in reversed order,
// oldest first, and all narrow or all wide.
type narrow struct {
	item   Symbol
	last   stamp
	kinds  uint16
	count  uint16
	weight int16
}

// wide is any data.HistoryItem.
type wide struct {
	weight, value float64
	last, rated   int64
	item          Symbol
	count         uint32
	kinds         uint16
}

// Act is one act of a person on an item.
type Act struct {
	Item   Symbol
	Kind   data.Kind
	At     int64
	Weight float64
	Value  float64 // of a rating
}

// HistoryLen is the number of items.
func (p *Person) HistoryLen() int { return p.len(inHistory) }

// AddHistory adds one act to the person's relation with the item, and keeps the
// newest limit items. Fits(a.At) must hold, and HistoryLen be at most limit.
func (s *Store) AddHistory(p *Person, a Act, limit int) {
	if p.Flags&wideHistory == 0 {
		if s.addNarrow(p, a, limit) {
			return
		}
		s.widen(p)
	}
	s.addWide(p, a, limit)
}

// addNarrow reports false, and changes nothing, where the result is not narrow.
func (s *Store) addNarrow(p *Person, a Act, limit int) bool {
	all := view[narrow](s, p, inHistory)
	one := narrow{item: a.Item, last: stamped(a.At, 0), kinds: 1 << a.Kind, count: 1, weight: int16(a.Weight)}
	if a.Kind == data.Rating || math.Float64bits(float64(one.weight)) != math.Float64bits(a.Weight) {
		return false
	}
	marks := s.viewMarks(p)
	i := len(all)
	old := findNarrow(all, marks, a.Item)
	if old >= 0 {
		was := &all[old]
		weight := int(was.weight) + int(one.weight)
		if weight != int(int16(weight)) || was.count == math.MaxUint16 {
			return false
		}
		one.kinds, one.count, one.weight = one.kinds|was.kinds, was.count+1, int16(weight)
		at := max(a.At, was.last.time())
		one.last = stamped(at, 0)
		for i = len(all); i > old+1 && s.usedAfter(all[i-1].item, all[i-1].last.time(), a.Item, at); i-- {
		}
		// Older ones stay; those between the old place and the new move down.
		copy(all[old:i-1], all[old+1:i])
		all[i-1] = one
		if marks != nil {
			copy(marks[old:i-1], marks[old+1:i])
			marks[i-1] = markOf(a.Item)
		}
		return true
	}
	for ; i > 0 && s.usedAfter(all[i-1].item, all[i-1].last.time(), a.Item, a.At); i-- {
	}
	if len(all)-i >= limit {
		return true // older than all of a full history
	}
	if len(all) < limit {
		insert(s, p, inHistory, i, one)
		s.mark(p, i)
		return true
	}
	copy(all, all[1:i])
	all[i-1] = one
	if marks != nil {
		copy(marks, marks[1:i])
		marks[i-1] = markOf(a.Item)
	}
	return true
}

// markOf is the mark of an item. Symbols are numbers in a row: their last bytes are
// spread evenly.
func markOf(item Symbol) byte { return byte(item) }

// mark writes the marks of the items from the i-th on, or, where there were none until
// now, of all.
func (s *Store) mark(p *Person, i int) {
	marks := s.viewMarks(p)
	if len(marks) <= markedFrom {
		i = 0
	}
	if i < len(marks) {
		for k, h := range view[narrow](s, p, inHistory)[i:] {
			marks[i+k] = markOf(h.item)
		}
	}
}

// findNarrow is the place of an item; −1 where it is not. It looks at the newest few
// first.
func findNarrow(all []narrow, marks []byte, item Symbol) int {
	k := len(all)
	oldest := 0
	if marks != nil {
		oldest = k - nearestItems
	}
	for k--; k >= oldest && all[k].item != item; k-- {
	}
	if k >= oldest || marks == nil {
		return k
	}
	for to := oldest; to > 0; {
		from := max(0, to-farItems)
		for k := from; ; k++ {
			next := bytes.IndexByte(marks[k:to], markOf(item))
			if next < 0 {
				break
			}
			if k += next; all[k].item == item {
				return k
			}
		}
		to = from
	}
	return -1
}

// nearestItems are those that are looked at without their marks, and farItems the
// others that are looked at together, since what was used lately is used again.
const (
	nearestItems = 16
	farItems     = 256
)

// usedAfter reports whether an item used at time t stands nearer to the end than one
// that was used at time u: data.Profile orders by newest use, then by item.
func (s *Store) usedAfter(item Symbol, t int64, other Symbol, u int64) bool {
	if t != u {
		return t > u
	}
	return s.Symbols.Text(item) < s.Symbols.Text(other)
}

func (s *Store) addWide(p *Person, a Act, limit int) {
	all := view[wide](s, p, inHistory)
	one := wide{item: a.Item, kinds: 1 << a.Kind, count: 1, weight: a.Weight, last: a.At}
	if a.Kind == data.Rating {
		one.value, one.rated = a.Value, a.At
	}
	old := -1
	for k := len(all) - 1; k >= 0; k-- {
		if all[k].item == a.Item {
			old = k
			break
		}
	}
	if old >= 0 {
		one = mergeWide(all[old], one)
		copy(all[old:], all[old+1:])
		all = all[:len(all)-1]
	}
	i := len(all)
	for ; i > 0 && s.usedAfter(all[i-1].item, all[i-1].last, one.item, one.last); i-- {
	}
	switch {
	case old >= 0: // there is room
		all = all[:len(all)+1]
		copy(all[i+1:], all[i:])
		all[i] = one
	case len(all)-i >= limit: // older than all of a full history
	case len(all) < limit:
		insert(s, p, inHistory, i, one)
	default:
		copy(all, all[1:i])
		all[i-1] = one
	}
}

// mergeWide adds two relations to the same item. The newest rating stays; of two at
// the same time, the higher.
func mergeWide(a, b wide) wide {
	out := wide{item: a.item, kinds: a.kinds | b.kinds, count: a.count + b.count,
		weight: window.Bounded(window.Bounded(a.weight) + window.Bounded(b.weight)), last: max(a.last, b.last)}
	const rating = 1 << data.Rating
	rated := a
	if b.kinds&rating != 0 && (a.kinds&rating == 0 || b.rated > a.rated || b.rated == a.rated && b.value > a.value) {
		rated = b
	}
	out.value, out.rated = rated.value, rated.rated
	return out
}

// widen gives every entry its wide form.
func (s *Store) widen(p *Person) {
	from := append(s.scratch.history[:0], view[narrow](s, p, inHistory)...)
	s.scratch.history = from
	s.drop(p, inHistory)
	p.Flags |= wideHistory
	to := resize[wide](s, p, inHistory, len(from))
	for i, h := range from {
		to[i] = wide{weight: float64(h.weight), last: h.last.time(), item: h.item, count: uint32(h.count), kinds: h.kinds}
	}
}

// packHistory takes over the history of a profile, for which fitHistory holds.
func (s *Store) packHistory(p *Person, all []data.HistoryItem) {
	small := true
	for _, h := range all {
		small = small && h.Count <= math.MaxUint16 && !h.Has(data.Rating) && h.Value == 0 && h.Rated == 0 && Fits(h.Last) &&
			math.Abs(h.Weight) <= math.MaxInt16 && math.Float64bits(float64(int16(h.Weight))) == math.Float64bits(h.Weight)
	}
	if small {
		p.Flags &^= wideHistory
		out := resize[narrow](s, p, inHistory, len(all))
		for k, h := range all {
			out[len(all)-1-k] = narrow{item: s.Symbols.Of(string(h.Item)), last: stamped(h.Last, 0), kinds: h.Kinds, count: uint16(h.Count), weight: int16(h.Weight)}
		}
		s.mark(p, 0)
		return
	}
	p.Flags |= wideHistory
	out := resize[wide](s, p, inHistory, len(all))
	for k, h := range all {
		out[len(all)-1-k] = wide{weight: h.Weight, value: h.Value, last: h.Last, rated: h.Rated, item: s.Symbols.Of(string(h.Item)), count: h.Count, kinds: h.Kinds}
	}
}

func fitHistory(all []data.HistoryItem) bool {
	for k := range all {
		if k > 0 && cmp.Or(cmp.Compare(all[k].Last, all[k-1].Last), strings.Compare(string(all[k-1].Item), string(all[k].Item))) >= 0 {
			return false // not in order, or an item twice
		}
	}
	return len(all) <= maxPart
}

// unpackHistory appends the history of p to dst, newest first.
func (s *Store) unpackHistory(p *Person, dst []data.HistoryItem) []data.HistoryItem {
	if p.Flags&wideHistory == 0 {
		all := view[narrow](s, p, inHistory)
		for k := len(all) - 1; k >= 0; k-- {
			h := &all[k]
			dst = append(dst, data.HistoryItem{Item: data.ItemID(s.Symbols.Text(h.item)), Kinds: h.kinds, Count: uint32(h.count), Weight: float64(h.weight), Last: h.last.time()})
		}
		return dst
	}
	all := view[wide](s, p, inHistory)
	for k := len(all) - 1; k >= 0; k-- {
		h := &all[k]
		dst = append(dst, data.HistoryItem{Item: data.ItemID(s.Symbols.Text(h.item)), Kinds: h.kinds, Count: h.count,
			Value: h.value, Rated: h.rated, Weight: h.weight, Last: h.last})
	}
	return dst
}

// Ratings are how many items the person has rated and the sum of their ratings, each
// bounded to ±scale, newest first.
func (s *Store) Ratings(p *Person, scale float64) (n int, sum float64) {
	if p.Flags&wideHistory == 0 {
		return 0, 0
	}
	all := view[wide](s, p, inHistory)
	for k := len(all) - 1; k >= 0; k-- {
		if h := &all[k]; h.kinds&(1<<data.Rating) != 0 {
			n++
			sum += math.Max(-scale, math.Min(h.value, scale))
		}
	}
	return n, sum
}
