package compact

import (
	"hash/maphash"
	"unsafe"
)

// Symbol stands for a text, or for a pair of texts: an item, an event's name, a facet
// and its value. 0 is the empty text.
type Symbol uint32

// Symbols gives texts numbers, and keeps every text it has met once. The texts and
// the table hold no pointers that the garbage collector would have to follow.
type Symbols struct {
	seed  maphash.Seed // of the table; no order or output depends on it
	table []uint32     // symbol by hash, open addressing; 0 is empty
	known []symbol     // [0] is the empty text
	text  [][]byte     // chunks, never moved, never written twice
	room  int          // bytes of all chunks

	salts    [4]salt // of the first texts asked for last
	nextSalt int
	touched  uint32 // see Likely
}

// salt is what the first text of a pair does to the hash.
type salt struct {
	text string // of the symbols
	bits uint64
}

type symbol struct {
	hash  uint32
	chunk uint32
	at    uint32
	n     uint32 // bytes of both texts
	split uint32 // bytes of the first of a pair
	facet Symbol // the first of a pair
}

const textChunk = 1 << 16

func newSymbols() Symbols {
	return Symbols{seed: maphash.MakeSeed(), table: make([]uint32, 64), known: make([]symbol, 1)}
}

// Len is the number of symbols.
func (s *Symbols) Len() int { return len(s.known) }

// Of is the symbol of a text.
func (s *Symbols) Of(text string) Symbol {
	if text == "" {
		return 0
	}
	return s.find("", text, 0)
}

// Pair is the symbol of two texts.
func (s *Symbols) Pair(facet, value string) Symbol {
	if facet == "" {
		return s.Of(value) // reads back as the same pair
	}
	for i := range s.salts {
		if s.salts[i].text == facet {
			return s.find(facet, value, s.salts[i].bits)
		}
	}
	bits := maphash.String(s.seed, facet) | 1
	x := s.find(facet, value, bits)
	s.salts[s.nextSalt%len(s.salts)] = salt{s.Text(s.known[x].facet), bits}
	s.nextSalt++
	return x
}

// hash is where a text, or a pair, is in the table.
func (s *Symbols) hash(second string, salt uint64) uint32 {
	return uint32((maphash.String(s.seed, second) ^ salt*0x9e3779b97f4a7c15) >> 32)
}

func (s *Symbols) find(first, second string, salt uint64) Symbol {
	hash := s.hash(second, salt)
	mask := uint32(len(s.table) - 1)
	i := hash & mask
	for ; s.table[i] != 0; i = (i + 1) & mask {
		k := &s.known[s.table[i]]
		if k.hash == hash && int(k.n) == len(first)+len(second) && int(k.split) == len(first) {
			if b := s.bytes(k); string(b[:k.split]) == first && string(b[k.split:]) == second {
				return Symbol(s.table[i])
			}
		}
	}
	k := symbol{hash: hash, n: uint32(len(first) + len(second)), split: uint32(len(first)), facet: s.Of(first)}
	k.chunk, k.at = s.keep(first, second)
	x := uint32(len(s.known))
	s.known = append(s.known, k)
	if 4*len(s.known) > 3*len(s.table) {
		s.grow()
		return Symbol(x)
	}
	for mask, i = uint32(len(s.table)-1), hash&uint32(len(s.table)-1); s.table[i] != 0; i = (i + 1) & mask { // Of may have added one
	}
	s.table[i] = x
	return Symbol(x)
}

// grow doubles the table and files everything anew.
func (s *Symbols) grow() {
	s.table = make([]uint32, 2*len(s.table))
	mask := uint32(len(s.table) - 1)
	for x := 1; x < len(s.known); x++ {
		i := s.known[x].hash & mask
		for ; s.table[i] != 0; i = (i + 1) & mask {
		}
		s.table[i] = uint32(x)
	}
}

// keep copies two texts side by side.
func (s *Symbols) keep(first, second string) (chunk, at uint32) {
	n := len(first) + len(second)
	last := len(s.text) - 1
	if last < 0 || len(s.text[last])+n > cap(s.text[last]) {
		s.text = append(s.text, make([]byte, 0, max(textChunk, n)))
		s.room += max(textChunk, n)
		last++
	}
	at = uint32(len(s.text[last]))
	s.text[last] = append(append(s.text[last], first...), second...)
	return uint32(last), at
}

func (s *Symbols) bytes(k *symbol) []byte { return s.text[k.chunk][k.at : k.at+k.n] }

// Text is the text of a symbol, of a pair both. It may be kept: it shares memory with
// the Symbols, which never changes it.
func (s *Symbols) Text(x Symbol) string {
	if x == 0 {
		return ""
	}
	b := s.bytes(&s.known[x])
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// Texts are the two texts of a pair.
func (s *Symbols) Texts(x Symbol) (facet, value string) {
	text, split := s.Text(x), s.known[x].split
	return text[:split], text[split:]
}

// length is the bytes of the text or texts.
func (s *Symbols) length(x Symbol) int { return int(s.known[x].n) }

// Bytes is about what the symbols take in memory.
func (s *Symbols) Bytes() int {
	n := 4*cap(s.table) + int(unsafe.Sizeof(symbol{}))*cap(s.known)
	for _, t := range s.text {
		n += cap(t)
	}
	return n
}
