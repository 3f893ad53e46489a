package compact

import (
	"math/bits"
	"unsafe"
)

const (
	chunkWords = 1 << 16 // of 8 bytes: 512 KiB
	maxWords   = chunkWords / 2
)

// arena hands out blocks of 8-byte words from large chunks. A block is addressed by
// the number of its first word; 0 is no block. The chunks hold no pointers, so the
// garbage collector does not look into them, and blocks are returned by hand: a free
// block holds the number of the next free one of its size.
type arena struct {
	chunks [][]uint64
	next   uint32 // first word never handed out
	free   [classes]uint32
	used   int // words in blocks that are in use, for Bytes
}

// classes of sizes: every number of words to 16, then eight a doubling, so that at
// most an eighth of a block is idle.
const classes = 17 + 8*12

// class is the smallest class of at least n words, and its size.
func class(n int) (c, words int) {
	if n <= 16 {
		return n, n
	}
	shift := bits.Len(uint(n-1)) - 4 // n−1 is 8 to 15 of 2^shift
	k := (n-1)>>shift + 1            // 9 to 16
	return 16 + 8*(shift-1) + k - 8, k << shift
}

// take returns a block of at least n words, 0 < n ≤ maxWords, and how many it has.
// What it holds is arbitrary.
func (a *arena) take(n int) (block uint32, words int) {
	c, words := class(n)
	a.used += words
	if block = a.free[c]; block != 0 {
		a.free[c] = uint32(*a.word(block))
		return block, words
	}
	if a.next == 0 {
		a.next = 1
	}
	if int(a.next>>16) < len(a.chunks) && int(a.next%chunkWords)+words > chunkWords { // the rest is too short
		a.next = (a.next>>16 + 1) << 16
	}
	if int(a.next>>16) == len(a.chunks) {
		a.chunks = append(a.chunks, make([]uint64, chunkWords))
	}
	block = a.next
	a.next += uint32(words)
	return block, words
}

// put returns a block of the given words, which must be what take said.
func (a *arena) put(block uint32, words int) {
	c, _ := class(words)
	a.used -= words
	*a.word(block) = uint64(a.free[c])
	a.free[c] = block
}

// room is the bytes that it holds, free blocks among them.
func (a *arena) room() int { return 8 * chunkWords * len(a.chunks) }

func (a *arena) word(block uint32) *uint64 { return &a.chunks[block>>16][block%chunkWords] }

// list is a slice of numbers in an arena.
type list struct {
	block uint32
	n     uint16
	words uint16 // of the block; 0 for none
}

// view is the elements of l; it is good until l grows, shrinks or is dropped.
func (l *list) view(a *arena) []uint64 {
	if l.block == 0 {
		return nil
	}
	return unsafe.Slice(a.word(l.block), int(l.n))
}

// resize makes l hold n elements, keeping the first ones; new ones are arbitrary.
func (l *list) resize(a *arena, n int) []uint64 {
	if n > int(l.words) || n < int(l.words)/2 {
		from := *l
		*l = list{}
		if n > 0 {
			block, words := a.take(n)
			*l = list{block, uint16(n), uint16(words)}
			copy(l.view(a), from.view(a))
		}
		from.drop(a)
	}
	l.n = uint16(n)
	return l.view(a)
}

func (l *list) insert(a *arena, i int, x uint64) {
	all := l.resize(a, int(l.n)+1)
	copy(all[i+1:], all[i:len(all)-1])
	all[i] = x
}

// drop empties l and gives its block back.
func (l *list) drop(a *arena) {
	if l.block != 0 {
		a.put(l.block, int(l.words))
	}
	*l = list{}
}
