package compact

import (
	"math/bits"
	"slices"
)

// IDKey addresses a set of message ids: a person's, of a day or, for imported ones, of a
// bucket.
type IDKey struct {
	Who      Ref
	Day      int32
	Imported bool
}

// idSet is one of a person's sets: sorted hashes in the arena, or, above smallIDs, in
// the big set whose number is in ids.block.
type idSet struct {
	day      int32
	imported bool
	changed  bool // since MarkSaved
	isBig    bool
	ids      list
}

const smallIDs = 64

func (s *Store) idSet(k IDKey) *idSet {
	all := view[idSet](s, s.At(k.Who), inIDs)
	for i := len(all) - 1; i >= 0; i-- { // the newest day is asked for most
		if all[i].day == k.Day && all[i].imported == k.Imported {
			return &all[i]
		}
	}
	return nil
}

// KnowsIDs reports whether there is a set, which may be empty.
func (s *Store) KnowsIDs(k IDKey) bool { return s.idSet(k) != nil }

// HasID reports whether a set has the id.
func (s *Store) HasID(k IDKey, id uint64) bool {
	set := s.idSet(k)
	switch {
	case set == nil:
		return false
	case set.isBig:
		return s.big[set.ids.block].has(id)
	}
	_, found := searchIDs(set.ids.view(&s.arena), id)
	return found
}

// AddIDs adds ids to a set, which it makes if need be. It reports whether the set
// changed for the first time since MarkSaved.
func (s *Store) AddIDs(k IDKey, ids ...uint64) (first bool) {
	set := s.makeIDs(k)
	for _, id := range ids {
		if s.addID(set, id) && !set.changed {
			set.changed, first = true, true
		}
	}
	return first
}

// LoadIDs makes a set of what is stored, sorted, unless there is one.
func (s *Store) LoadIDs(k IDKey, ids []uint64) {
	if s.idSet(k) != nil {
		return
	}
	set := s.makeIDs(k)
	if len(ids) <= smallIDs {
		copy(set.ids.resize(&s.arena, len(ids)), ids)
		return
	}
	s.setBig(set, newBigSet(ids))
}

// AddNewID adds an id to the set of a person's day. known reports that it was there,
// first that the set changed for the first time since MarkSaved. It looks once for
// what HasID and AddIDs look for twice.
func (s *Store) AddNewID(k IDKey, id uint64) (known, first bool) {
	set := s.makeIDs(k)
	if !s.addID(set, id) {
		return true, false
	}
	first = !set.changed
	set.changed = true
	return false, first
}

func (s *Store) makeIDs(k IDKey) *idSet {
	if set := s.idSet(k); set != nil {
		return set
	}
	p := s.At(k.Who)
	insert(s, p, inIDs, p.len(inIDs), idSet{day: k.Day, imported: k.Imported})
	return s.idSet(k)
}

func (s *Store) addID(set *idSet, id uint64) bool {
	if set.isBig {
		return s.big[set.ids.block].add(id)
	}
	all := set.ids.view(&s.arena)
	i, found := searchIDs(all, id)
	if found {
		return false
	}
	if len(all) < smallIDs {
		set.ids.insert(&s.arena, i, id)
		return true
	}
	b := newBigSet(all)
	b.add(id)
	set.ids.drop(&s.arena)
	s.setBig(set, b)
	return true
}

// setBig makes an empty set a big one.
func (s *Store) setBig(set *idSet, b *bigSet) {
	set.isBig = true
	if n := len(s.idleBig); n > 0 {
		set.ids.block, s.idleBig = s.idleBig[n-1], s.idleBig[:n-1]
		s.big[set.ids.block] = b
	} else {
		set.ids.block = uint32(len(s.big))
		s.big = append(s.big, b)
	}
}

// searchIDs is the place of an id among sorted ones, or where it would be. Ids are
// hashes, so no step can be foreseen, and none is a jump.
func searchIDs(all []uint64, id uint64) (i int, found bool) {
	for n := len(all); n > 0; {
		half, before := (n+1)/2, 0
		if all[i+half-1] < id {
			before = 1
		}
		i += half & -before
		n -= half
	}
	return i, i < len(all) && all[i] == id
}

// AppendIDs appends the ids of a set to dst, sorted.
func (s *Store) AppendIDs(dst []uint64, k IDKey) []uint64 {
	set := s.idSet(k)
	switch {
	case set == nil:
		return dst
	case set.isBig:
		for _, c := range s.big[set.ids.block].chunks {
			dst = append(dst, c...)
		}
		return dst
	}
	return append(dst, set.ids.view(&s.arena)...)
}

// MarkSaved says that a set is stored as it is.
func (s *Store) MarkSaved(k IDKey) {
	if set := s.idSet(k); set != nil {
		set.changed = false
	}
}

// DropIDs forgets all sets of a person.
func (s *Store) DropIDs(r Ref) {
	p := s.At(r)
	for _, set := range view[idSet](s, p, inIDs) {
		s.freeIDs(set)
	}
	s.drop(p, inIDs)
}

// DropIDsBefore forgets the sets of days before day; imported ids are kept for good.
func (s *Store) DropIDsBefore(r Ref, day int32) {
	p := s.At(r)
	for i := 0; i < p.len(inIDs); {
		if set := view[idSet](s, p, inIDs)[i]; !set.imported && set.day < day {
			s.freeIDs(set)
			s.remove(p, inIDs, i, i+1)
			continue
		}
		i++
	}
}

func (s *Store) freeIDs(set idSet) {
	if set.isBig {
		s.big[set.ids.block] = nil
		s.idleBig = append(s.idleBig, set.ids.block)
		return
	}
	set.ids.drop(&s.arena)
}

// bigSet is a sorted set in chunks, of people who send thousands of messages a day.
// most holds the last id of every chunk, beside each other.
type bigSet struct {
	chunks [][]uint64
	most   []uint64
}

const chunkIDs = 256

// newBigSet is the set of some ids, which are sorted. Its chunks have room.
func newBigSet(ids []uint64) *bigSet {
	b := &bigSet{}
	for part := range slices.Chunk(ids, 3*chunkIDs/4) {
		b.chunks = append(b.chunks, append(make([]uint64, 0, chunkIDs), part...))
		b.most = append(b.most, part[len(part)-1])
	}
	return b
}

// find is the chunk and the place in it where id is, or would be. Ids are hashes, so
// it begins where id would be if they were spread evenly.
func (b *bigSet) find(id uint64) (c, i int, found bool) {
	hi, _ := bits.Mul64(id, uint64(len(b.most)))
	c = int(hi)
	for c > 0 && b.most[c-1] >= id {
		c--
	}
	for c < len(b.most)-1 && b.most[c] < id {
		c++
	}
	low, chunk := uint64(0), b.chunks[c]
	if c > 0 {
		low = b.most[c-1]
	}
	if id > low && id < b.most[c] { // between two ends, and few steps from its share of the way
		i = min(int(float64(id-low)/float64(b.most[c]-low)*float64(len(chunk))), len(chunk)-1)
	} else if id > low {
		i = len(chunk) - 1
	}
	for i < len(chunk) && chunk[i] < id {
		i++
	}
	for i > 0 && chunk[i-1] >= id {
		i--
	}
	return c, i, i < len(chunk) && chunk[i] == id
}

func (b *bigSet) has(id uint64) bool {
	_, _, found := b.find(id)
	return found
}

func (b *bigSet) add(id uint64) bool {
	c, i, found := b.find(id)
	if found {
		return false
	}
	if len(b.chunks[c]) == chunkIDs {
		const half = chunkIDs / 2
		upper := append(make([]uint64, 0, chunkIDs), b.chunks[c][half:]...)
		b.chunks[c] = b.chunks[c][:half]
		b.chunks = slices.Insert(b.chunks, c+1, upper)
		b.most = slices.Insert(b.most, c, b.chunks[c][half-1])
		if i > half {
			c, i = c+1, i-half
		}
	}
	b.chunks[c] = slices.Insert(b.chunks[c], i, id)
	b.most[c] = max(b.most[c], id)
	return true
}

// IDBytes is about what all sets take in memory. Cost is O(people).
func (s *Store) IDBytes() int {
	n := 0
	s.Everybody(func(_ Ref, p *Person) {
		n += p.len(inIDs) * widths[inIDs]
		for _, set := range view[idSet](s, p, inIDs) {
			if !set.isBig {
				n += 8 * int(set.ids.words)
				continue
			}
			for _, c := range s.big[set.ids.block].chunks {
				n += 8*cap(c) + 32
			}
		}
	})
	return n
}
