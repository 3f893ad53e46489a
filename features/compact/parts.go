package compact

import "unsafe"

// part is one of the lists of a person. They lie one after the other in one block of
// the arena, in this order: those whose elements are whole words first, so that every
// element is aligned, and those that are large and grow at their end before those that
// change in the middle, so that little moves.
type part uint8

const (
	inClusters   part = iota // []cluster
	inIDs                    // []idSet
	inHistory                // []narrow or []wide; the largest
	inRecents                // []recent
	inAffinities             // []affinity
	inWindows                // []uint16
	inPapers                 // []byte
	parts
)

// Behind the parts are the marks of a long narrow history: a byte for each item, which
// tells most others apart, so that one of thousands is found by the search for a byte,
// which is assembly. How many there are follows from the history.
const markedFrom = 256

// marks is how many marks there are.
func (p *Person) marks() int {
	if n := p.len(inHistory); n >= markedFrom && p.Flags&wideHistory == 0 {
		return n
	}
	return 0
}

// viewMarks are the marks; they are good as long as a view.
func (s *Store) viewMarks(p *Person) []byte {
	n := p.marks()
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Add(s.block(p), p.start(parts))), n)
}

// widths are the bytes of an element; a history may be wide.
var widths = [parts]int{int(unsafe.Sizeof(cluster{})), int(unsafe.Sizeof(idSet{})), int(unsafe.Sizeof(narrow{})),
	int(unsafe.Sizeof(recent{})), int(unsafe.Sizeof(affinity{})), 2, 1}

const wideWidth = int(unsafe.Sizeof(wide{}))

// maxPart is how many elements a part can have, and maxBlock how many bytes a block.
const (
	maxPart  = 1<<16 - 1
	maxBlock = 8 * maxWords
)

func (p *Person) len(x part) int { return int(p.lens[x]) }

func (p *Person) width(x part) int {
	if x == inHistory && p.Flags&wideHistory != 0 {
		return wideWidth
	}
	return widths[x]
}

// start is where the part begins in the block; start(parts) is where the last one ends.
func (p *Person) start(x part) int {
	at := 0
	for i := range x {
		at += int(p.lens[i]) * p.width(i)
	}
	return at
}

// block is the first byte of the person's block.
func (s *Store) block(p *Person) unsafe.Pointer { return unsafe.Pointer(s.arena.word(p.block)) }

// view is the elements of a part; it is good until any part of the person grows or shrinks.
func view[T any](s *Store, p *Person, x part) []T {
	if p.lens[x] == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Add(s.block(p), p.start(x))), int(p.lens[x]))
}

// splice replaces cut elements of a part, from the i-th on, by add arbitrary ones. Where
// the history changes, its marks are arbitrary afterwards from the i-th on.
func (s *Store) splice(p *Person, x part, i, cut, add int) {
	width, start, marks := p.width(x), p.start(x), p.marks()
	end := p.start(parts) + marks
	at := start + i*width
	grow := (add - cut) * width
	tail := end - at - cut*width
	p.lens[x] += uint16(add - cut)
	if more := p.marks() - marks; more != 0 {
		grow += more
		tail += min(more, 0)
	}
	need := (end + grow + 7) / 8
	if need > int(p.words) || need < int(p.words)/2 || need == 0 && p.words > 0 {
		from, words := p.block, int(p.words)
		p.block, p.words = 0, 0
		if need > 0 {
			block, got := s.arena.take(need)
			p.block, p.words = block, uint16(got)
		}
		if from != 0 {
			old := unsafe.Slice((*byte)(unsafe.Pointer(s.arena.word(from))), end)
			if need > 0 {
				b := unsafe.Slice((*byte)(s.block(p)), end+grow)
				copy(b[:at], old)
				copy(b[at+add*width:], old[at+cut*width:][:tail])
			}
			s.arena.put(from, words)
		}
		return
	}
	if tail > 0 && add != cut {
		b := unsafe.Slice((*byte)(s.block(p)), max(end, end+grow))
		copy(b[at+add*width:], b[at+cut*width:][:tail])
	}
}

// resize makes a part hold n elements, keeping the first ones; new ones are arbitrary.
func resize[T any](s *Store, p *Person, x part, n int) []T {
	if have := p.len(x); n > have {
		s.splice(p, x, have, 0, n-have)
	} else if n < have {
		s.splice(p, x, n, have-n, 0)
	}
	return view[T](s, p, x)
}

// insert puts an element before the i-th.
func insert[T any](s *Store, p *Person, x part, i int, one T) {
	s.splice(p, x, i, 0, 1)
	view[T](s, p, x)[i] = one
}

// remove takes the elements from i up to j out.
func (s *Store) remove(p *Person, x part, i, j int) { s.splice(p, x, i, j-i, 0) }

// drop empties a part.
func (s *Store) drop(p *Person, x part) { s.splice(p, x, 0, p.len(x), 0) }
