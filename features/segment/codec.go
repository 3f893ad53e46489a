package segment

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
	"strings"
)

// A person's bytes are: a version byte; the version of the set that decided, 4 bytes; when to look
// again (varint, 0 never); how many memberships follow, each 4 bytes of segment, a byte of flags and
// the times it has; then slots, each 4 bytes of id, its length and its bytes. Both lists are
// in the order of their ids. Numbers are little endian, times signed varints, the first of a
// membership absolute and others as they are.
const (
	codecVersion   = 1
	headBytes      = 1 + 4 + 10 + 3
	maxMemberBytes = 4 + 1 + 3*10
	slotHeadBytes  = 4 + 3
)

// Flags of a membership.
const (
	flagIn = 1 << iota
	flagBlocked
	flagPending
	flagUntil
)

var errState = errors.New("segments of a person: malformed, or written by a newer build")

// part is where a slot's bytes lie.
type part struct{ from, to int }

// places finds rules or slots by their ids: a hash table of open addresses, a quarter full.
type places struct {
	at   []placed
	mask uint32
}

// placed is an id with its place in the set, counted from 1; 0 is a free address.
type placed struct {
	id    uint32
	place int32
}

func newPlaces(n int, id func(i int) uint32) places {
	size := uint32(4)
	for size < uint32(4*n) {
		size *= 2
	}
	p := places{make([]placed, size), size - 1}
	for i := range n {
		k := id(i) & p.mask
		for p.at[k].place != 0 {
			k = (k + 1) & p.mask
		}
		p.at[k] = placed{id(i), int32(i + 1)}
	}
	return p
}

func (p *places) find(id uint32) (place int, ok bool) {
	for k := id & p.mask; ; k = (k + 1) & p.mask {
		switch e := p.at[k]; {
		case e.place == 0:
			return 0, false
		case e.id == id:
			return int(e.place - 1), true
		}
	}
}

// load reads a person's bytes into w. Memberships and slots of rules that the set does not
// have are left out.
func (w *Work) load(state []byte) error {
	w.reset()
	w.state = state
	if len(state) == 0 {
		return nil
	}
	if len(state) < 5 || state[0] != codecVersion {
		return errState
	}
	w.decided = binary.LittleEndian.Uint32(state[1:])
	r := cursor{b: state, at: 5}
	w.due = r.varint()
	if w.due == 0 {
		w.due = never
	}
	members := r.at
	last := int64(-1)
	rises := func(id uint32) bool {
		ok := int64(id) > last
		last = int64(id)
		return ok
	}
	for range r.uvarint() {
		id, flags := r.word(), r.octet()
		var m member
		m.in, m.blocked = flags&flagIn != 0, flags&flagBlocked != 0
		if m.in {
			m.since = r.varint()
		}
		if flags&flagPending != 0 {
			m.pending = r.varint()
		}
		if flags&flagUntil != 0 {
			m.until = r.varint()
		}
		if r.bad || !rises(id) {
			return errState
		}
		if i, ok := w.set.ruleAt.find(id); ok {
			w.put(i, m)
		}
	}
	if w.memberBytes = state[members:r.at]; w.decided != w.set.version {
		w.moved = true // some may be of rules that are gone
	}
	last = -1
	for !r.bad && r.at < len(state) {
		id, size := r.word(), int(r.uvarint())
		if r.bad || size < 0 || size > len(state)-r.at || !rises(id) {
			return errState
		}
		if i, ok := w.set.slotAt.find(id); ok {
			w.parts[i] = part{r.at, r.at + size}
			w.present = append(w.present, i)
		}
		r.at += size
	}
	if r.bad {
		return errState
	}
	w.loadedKept, w.loadedPresent = len(w.kept), len(w.present)
	return nil
}

type cursor struct {
	b   []byte
	at  int
	bad bool
}

func (c *cursor) varint() int64 {
	x := c.uvarint()
	return int64(x>>1) ^ -int64(x&1)
}

// uvarint is binary.Uvarint; up to eight bytes it does without a loop.
func (c *cursor) uvarint() uint64 {
	if len(c.b)-c.at >= 8 && !c.bad {
		x := binary.LittleEndian.Uint64(c.b[c.at:])
		if ends := ^x & 0x8080808080808080; ends != 0 {
			n := bits.TrailingZeros64(ends) + 1 // bits of it
			c.at += n / 8
			x &= 0x7f7f7f7f7f7f7f7f >> (64 - n)
			x = x&0x007f007f007f007f | x&0x7f007f007f007f00>>1 // seven bits and seven
			x = x&0x00003fff00003fff | x&0x3fff00003fff0000>>2
			return x&0x0fffffff | x&0x0fffffff00000000>>4
		}
	}
	x, n := binary.Uvarint(c.b[min(c.at, len(c.b)):])
	c.take(n)
	if c.bad {
		return 0
	}
	return x
}

func (c *cursor) take(n int) {
	if n <= 0 {
		c.bad = true
		return
	}
	c.at += n
}

func (c *cursor) word() uint32 {
	if len(c.b)-c.at < 4 {
		c.bad = true
		return 0
	}
	c.at += 4
	return binary.LittleEndian.Uint32(c.b[c.at-4:])
}

func (c *cursor) octet() byte {
	if c.at >= len(c.b) {
		c.bad = true
		return 0
	}
	c.at++
	return c.b[c.at-1]
}

// save writes w's person. The result is w's until its next use.
func (w *Work) save() []byte {
	w.out, w.spare = w.spare, w.out
	b := append(w.out[:0], codecVersion)
	b = binary.LittleEndian.AppendUint32(b, w.set.version)
	due := w.due
	if due == never {
		due = 0
	}
	b = binary.AppendVarint(b, due)
	w.sortByID()
	if w.moved || len(w.memberBytes) == 0 {
		b = w.saveMembers(b)
	} else {
		b = append(b, w.memberBytes...)
	}
	for _, i := range w.present {
		bytes := w.state[w.parts[i].from:w.parts[i].to]
		if w.dirty[i] {
			w.scratch = w.set.slots[i].AppendBinary(w.scratch[:0], &w.states[i])
			bytes = w.scratch
		}
		if len(bytes) == 0 {
			continue
		}
		b = binary.LittleEndian.AppendUint32(b, w.set.slots[i].id)
		b = binary.AppendUvarint(b, uint64(len(bytes)))
		b = append(b, bytes...)
	}
	w.out = b
	return b
}

func (w *Work) saveMembers(b []byte) []byte {
	count := 0
	for _, i := range w.kept {
		if w.members[i] != (member{}) {
			count++
		}
	}
	b = binary.AppendUvarint(b, uint64(count))
	for _, i := range w.kept {
		m := w.members[i]
		if m == (member{}) {
			continue
		}
		flags := byte(0)
		if m.in {
			flags |= flagIn
		}
		if m.blocked {
			flags |= flagBlocked
		}
		if m.pending != 0 {
			flags |= flagPending
		}
		if m.until != 0 {
			flags |= flagUntil
		}
		b = append(binary.LittleEndian.AppendUint32(b, w.set.rules[i].id), flags)
		if m.in {
			b = binary.AppendVarint(b, m.since)
		}
		if m.pending != 0 {
			b = binary.AppendVarint(b, m.pending)
		}
		if m.until != 0 {
			b = binary.AppendVarint(b, m.until)
		}
	}
	return b
}

// sortByID orders what load gave in order and was added to since.
func (w *Work) sortByID() {
	set := w.set
	byRule := func(a, b int) int { return cmp.Compare(set.rules[a].id, set.rules[b].id) }
	bySlot := func(a, b int) int { return cmp.Compare(set.slots[a].id, set.slots[b].id) }
	if len(w.kept) > w.loadedKept {
		slices.SortFunc(w.kept, byRule)
	}
	if len(w.present) > w.loadedPresent {
		slices.SortFunc(w.present, bySlot)
	}
}

// Membership is a segment that a person is in.
type Membership struct {
	Segment string
	Since   int64 // log time of entry, Unix ms
}

// Members are the segments of the set that a person's bytes say they are in, by name. The
// error is that of bytes which are no person's.
func (s *Set) Members(state []byte) ([]Membership, error) {
	w := s.NewWork()
	if err := w.load(state); err != nil {
		return nil, err
	}
	var out []Membership
	for _, i := range w.kept {
		if m := w.members[i]; m.in {
			out = append(out, Membership{s.rules[i].Segment, m.since})
		}
	}
	slices.SortFunc(out, func(a, b Membership) int { return strings.Compare(a.Segment, b.Segment) })
	return out, nil
}
