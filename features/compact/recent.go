package compact

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"strings"
	"unsafe"

	"kindred/data"
)

// recent is a data.RecentEvent: 32 bytes. The two bits beside the time say how its id
// is kept. A person's are in reversed order, oldest first.
type recent struct {
	id   [2]uint64
	item Symbol
	name Symbol
	at   stamp
	_    uint16
}

// How an event's id is kept.
const (
	idShort = iota // at most fifteen bytes; the last of the sixteen is their number
	idUUID         // the sixteen bytes of a UUID in lower case
	idLong         // the number of a block, and how many bytes it holds
)

// packEventID is the id in its shortest form; a long one takes a block of the arena.
func (s *Store) packEventID(id string) (packed [2]uint64, form uint16) {
	if len(id) <= 15 {
		var b [16]byte
		copy(b[:], id)
		b[15] = byte(len(id))
		return [2]uint64{binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])}, idShort
	}
	if packed, ok := parseUUID(id); ok {
		return packed, idUUID
	}
	block, words := s.arena.take((len(id) + 7) / 8)
	copy(s.blockBytes(block, len(id)), id)
	return [2]uint64{uint64(block) | uint64(words)<<32, uint64(len(id))}, idLong
}

func (s *Store) blockBytes(block uint32, n int) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(s.arena.word(block))), n)
}

// freeRecent gives back what an entry keeps in the arena.
func (s *Store) freeRecent(r recent) {
	if r.at.extra() == idLong {
		s.arena.put(uint32(r.id[0]), int(r.id[0]>>32))
	}
}

// appendEventID appends the id of an entry.
func (s *Store) appendEventID(dst []byte, r *recent) []byte {
	switch r.at.extra() {
	case idUUID:
		return appendUUID(dst, r.id)
	case idLong:
		return append(dst, s.blockBytes(uint32(r.id[0]), int(r.id[1]))...)
	}
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], r.id[0])
	binary.LittleEndian.PutUint64(b[8:], r.id[1])
	return append(dst, b[:b[15]]...)
}

func (r *recent) idLen() int {
	switch r.at.extra() {
	case idUUID:
		return uuidBytes
	case idLong:
		return int(r.id[1])
	}
	return int(r.id[1] >> 56)
}

// recentSize is what Size counts for an entry.
func (s *Store) recentSize(r *recent) int {
	return r.idLen() + s.Symbols.length(r.name) + s.Symbols.length(r.item) + 10
}

// RecentLen is the number of recent events.
func (p *Person) RecentLen() int { return p.len(inRecents) }

// AddRecent puts an event among the newest limit ones. Fits(at) must hold, RecentLen
// be at most limit, and name and id be as they are to be kept.
func (s *Store) AddRecent(p *Person, id string, name, item Symbol, at int64, limit int) {
	all := view[recent](s, p, inRecents)
	i := len(all) // its place: before it, what is older
	for i > 0 && s.newer(&all[i-1], id, name, item, at) {
		i--
	}
	if len(all)-i >= limit {
		return
	}
	packed, form := s.packEventID(id)
	one := recent{id: packed, item: item, name: name, at: stamped(at, form)}
	p.size += uint32(s.recentSize(&one))
	if len(all) < limit {
		insert(s, p, inRecents, i, one)
		return
	}
	p.size -= uint32(s.recentSize(&all[0]))
	s.freeRecent(all[0])
	copy(all, all[1:i])
	all[i-1] = one
}

// dropRecents removes the oldest n.
func (s *Store) dropRecents(p *Person, n int) {
	if n <= 0 {
		return
	}
	all := view[recent](s, p, inRecents)
	for k := range all[:n] {
		p.size -= uint32(s.recentSize(&all[k]))
		s.freeRecent(all[k])
	}
	s.remove(p, inRecents, 0, n)
}

// newer reports whether r comes before the event in the order of data.Profile: newest
// first, equal times by id, then name, then item.
func (s *Store) newer(r *recent, id string, name, item Symbol, at int64) bool {
	if t := r.at.time(); t != at {
		return t > at
	}
	var buf [64]byte
	c := bytes.Compare(s.appendEventID(buf[:0], r), unsafe.Slice(unsafe.StringData(id), len(id)))
	return cmp.Or(c, strings.Compare(s.Symbols.Text(r.name), s.Symbols.Text(name)), strings.Compare(s.Symbols.Text(r.item), s.Symbols.Text(item))) < 0
}

// packRecents takes over the recent events of a profile, for which fitRecents holds.
func (s *Store) packRecents(p *Person, all []data.RecentEvent) {
	out := resize[recent](s, p, inRecents, len(all))
	for k, r := range all {
		packed, form := s.packEventID(r.ID)
		out[len(all)-1-k] = recent{id: packed, item: s.Symbols.Of(string(r.Item)), name: s.Symbols.Of(r.Name), at: stamped(r.At, form)}
	}
}

func fitRecents(all []data.RecentEvent) bool {
	for k, r := range all {
		if !Fits(r.At) || len(r.ID) > maxText || k > 0 && compareRecents(all[k-1], r) > 0 {
			return false
		}
	}
	return len(all) <= maxPart
}

func compareRecents(a, b data.RecentEvent) int {
	return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Item, b.Item))
}
