package compact

import (
	"cmp"
	"unsafe"

	"kindred/data"
)

// Store holds people. It is not safe for concurrent use.
type Store struct {
	Symbols Symbols
	shape   Shape
	sizes   [2]sizes // narrow and wide
	now, at clock    // of the last reading, of the last event

	arena  arena
	chunks [][]Person
	made   Ref   // the least ref never used; 0 is nobody
	idle   []Ref // forgotten ones
	people int

	table []entry // by key, open addressing
	gone  int     // entries of forgotten people

	rich    map[Ref]*data.Profile // what has no compact form, or is open
	rules   [][]byte              // by Ref, as far as there are any: state of the segment rules
	foreign map[Ref]data.ProfileID
	big     []*bigSet
	idleBig []uint32
	strings pool
	scratch scratch
	touched uint64 // see Touch
}

type entry struct {
	ref Ref
	tag uint32 // bits of the key that the place does not depend on
}

const peopleChunk = 1 << 10

// dead marks the entry of somebody forgotten.
const dead = ^Ref(0)

// NewStore returns an empty store of profiles with windows of the given shape.
func NewStore(shape Shape) *Store {
	return &Store{Symbols: newSymbols(), shape: shape, sizes: sizesOf(shape), made: 1, table: make([]entry, 64),
		rich: map[Ref]*data.Profile{}, foreign: map[Ref]data.ProfileID{}}
}

// Len is the number of people.
func (s *Store) Len() int { return s.people }

// At is the person of a ref. The pointer is good until the person is forgotten.
func (s *Store) At(r Ref) *Person { return &s.chunks[r/peopleChunk][r%peopleChunk] }

// Find is the person with the profile id, or 0.
func (s *Store) Find(id data.ProfileID) Ref {
	key, isForeign := keyOf(id)
	return s.find(key, isForeign)
}

func (s *Store) find(key [2]uint64, isForeign bool) Ref {
	mask := uint32(len(s.table) - 1)
	for i := uint32(key[1]) & mask; s.table[i].ref != 0; i = (i + 1) & mask {
		if e := s.table[i]; e.tag == uint32(key[0]) && e.ref != dead {
			if p := s.At(e.ref); p.id == key && p.Flags&foreign != 0 == isForeign {
				return e.ref
			}
		}
	}
	return 0
}

// Add makes an empty profile for an id that Find does not know.
func (s *Store) Add(id data.ProfileID) Ref {
	key, isForeign := keyOf(id)
	if 8*(s.people+s.gone) >= 7*len(s.table) {
		s.rehash()
	}
	r := s.made
	if n := len(s.idle); n > 0 {
		r, s.idle = s.idle[n-1], s.idle[:n-1]
	} else {
		s.made++
		if int(r/peopleChunk) == len(s.chunks) {
			s.chunks = append(s.chunks, make([]Person, peopleChunk))
		}
	}
	p := s.At(r)
	*p = Person{id: key, Flags: inUse}
	if isForeign {
		p.Flags |= foreign
		s.foreign[r] = data.ProfileID([]byte(id)) // a copy
		s.rich[r] = &data.Profile{ID: s.foreign[r]}
	} else {
		p.Flags |= Plain
		p.size = emptySize
	}
	s.people++
	s.file(key, r)
	return r
}

func (s *Store) file(key [2]uint64, r Ref) {
	mask := uint32(len(s.table) - 1)
	i := uint32(key[1]) & mask
	for s.table[i].ref != 0 {
		i = (i + 1) & mask
	}
	s.table[i] = entry{r, uint32(key[0])}
}

// rehash files everybody anew, in a larger table unless most of the old one were dead.
func (s *Store) rehash() {
	size := len(s.table)
	if 2*s.people >= size {
		size *= 2
	}
	s.table, s.gone = make([]entry, size), 0
	for r := Ref(1); r < s.made; r++ {
		if p := s.At(r); p.Flags&inUse != 0 {
			s.file(p.id, r)
		}
	}
}

// Forget removes a person and everything about them.
func (s *Store) Forget(r Ref) {
	p := s.At(r)
	mask := uint32(len(s.table) - 1)
	i := uint32(p.id[1]) & mask
	for s.table[i].ref != r {
		i = (i + 1) & mask
	}
	s.table[i].ref = dead
	s.gone++
	s.empty(p)
	s.DropIDs(r)
	delete(s.rich, r)
	s.SetSegments(r, nil)
	delete(s.foreign, r)
	*p = Person{}
	s.idle = append(s.idle, r)
	s.people--
}

// empty gives back what the compact profile holds in the arena.
func (s *Store) empty(p *Person) {
	for _, r := range view[recent](s, p, inRecents) {
		s.freeRecent(r)
	}
	for x := range parts {
		if x != inIDs {
			s.drop(p, x)
		}
	}
}

// Everybody calls fn for each person, in the order in which they were met.
func (s *Store) Everybody(fn func(Ref, *Person)) {
	for r := Ref(1); r < s.made; r++ {
		if p := s.At(r); p.Flags&inUse != 0 {
			fn(r, p)
		}
	}
}

// ID is the profile id of a person, in memory of its own.
func (s *Store) ID(r Ref) data.ProfileID {
	p := s.At(r)
	if p.Flags&foreign != 0 {
		return s.foreign[r]
	}
	var b [idBytes]byte
	return data.ProfileID(s.strings.of(appendID(b[:0], p.id)))
}

// Compare orders people by their profile ids.
func (s *Store) Compare(a, b Ref) int {
	p, q := s.At(a), s.At(b)
	if (p.Flags|q.Flags)&foreign != 0 {
		return cmp.Compare(s.ID(a), s.ID(b))
	}
	return cmp.Or(cmp.Compare(p.id[0], q.id[0]), cmp.Compare(p.id[1], q.id[1]))
}

// Bytes is about what the people take in memory, without the message ids and without
// those whose profile has no compact form.
func (s *Store) Bytes() int {
	return len(s.chunks)*peopleChunk*int(unsafe.Sizeof(Person{})) + len(s.table)*int(unsafe.Sizeof(entry{})) +
		8*s.arena.used + s.Symbols.Bytes()
}

// richBytes is what somebody without a compact form is taken for: the history of a
// busy person.
const richBytes = 64 << 10

// Room is about what the store holds of memory: what Bytes counts, what was given back
// to the arena and is not used again yet, and a guess at those without a compact form. It
// shrinks by nobody's being forgotten.
func (s *Store) Room() int {
	return s.Bytes() + s.arena.room() - 8*s.arena.used + richBytes*len(s.rich)
}

// looseFrom is how much room the arena may hold that is mostly idle.
const looseFrom = 8 << 20

// Loose reports whether most of what the arena holds is blocks of sizes that nobody needs
// any more: where everybody's lists grow alike, each size is left behind by all. Then it
// is as well to load people anew. That happens as often as their lists grow by a third.
func (s *Store) Loose() bool {
	room := s.arena.room()
	return room > looseFrom && 8*s.arena.used < room/3
}

// pool makes small strings without an allocation for each: they share chunks that are
// never written twice and live as long as any of their strings.
type pool struct{ chunk []byte }

const poolChunk = 1 << 14

// of is a string with the bytes of b.
func (p *pool) of(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(p.chunk)+len(b) > cap(p.chunk) {
		if len(b) > poolChunk/8 {
			return string(b)
		}
		p.chunk = make([]byte, 0, poolChunk)
	}
	at := len(p.chunk)
	p.chunk = append(p.chunk, b...)
	return unsafe.String(&p.chunk[at], len(b))
}
