package compact

import (
	"encoding/binary"
	"slices"

	"kindred/data"
)

// The papers of a person are bytes that change seldom: the number of identifiers and
// then, for each,
//
//	kind 1 · opens 1 · length 2 · first seen 8 · last seen 8 · text
//
// then the names of the two sessions where a tracker gave them, each with its length
// (2) before it, and last, if there is any, the encoded profile that holds what is
// rare: merges, traits, consent, redirect.
const idHead = 20

// maxText is the longest identifier, session name or event id that fits.
const maxText = 1 << 12

// kinds of identifier, in the order of their names.
var kinds = [...]data.IDKind{data.IDAnonymous, "shared", data.IDUser}

func kindNumber(kind data.IDKind) int { return slices.Index(kinds[:], kind) }

// identifier is one entry of the papers.
type identifier []byte

func (x identifier) kind() data.IDKind { return kinds[x[0]] }
func (x identifier) opens() bool       { return x[1] != 0 }
func (x identifier) text() []byte      { return x[idHead:] }
func (x identifier) first() int64      { return int64(binary.LittleEndian.Uint64(x[4:])) }
func (x identifier) last() int64       { return int64(binary.LittleEndian.Uint64(x[12:])) }

// next cuts the first identifier off.
func next(papers []byte) (identifier, []byte) {
	n := idHead + int(binary.LittleEndian.Uint16(papers[2:]))
	return identifier(papers[:n]), papers[n:]
}

// Known is a person's identifier, as found by Knows.
type Known struct{ entry identifier }

// Knows finds one of the person's identifiers; opens says that it is the one from
// which the profile id is derived.
func (s *Store) Knows(p *Person, kind data.IDKind, id string) (known Known, opens, ok bool) {
	rest := view[byte](&s.arena, &p.papers)
	if len(rest) == 0 {
		return Known{}, false, false
	}
	n := rest[0]
	rest = rest[1:]
	var x identifier
	for range n {
		if x, rest = next(rest); x.kind() == kind && string(x.text()) == id {
			return Known{x}, x.opens(), true
		}
	}
	return Known{}, false, false
}

// See notes that an identifier was seen at time at.
func (k Known) See(at int64) {
	if at < k.entry.first() {
		binary.LittleEndian.PutUint64(k.entry[4:], uint64(at))
	}
	if at > k.entry.last() {
		binary.LittleEndian.PutUint64(k.entry[12:], uint64(at))
	}
}

// sections are the identifiers, the two names and the rest.
func (s *Store) sections(p *Person) (ids, current, previous, rest []byte) {
	all := view[byte](&s.arena, &p.papers)
	if len(all) == 0 {
		return nil, nil, nil, nil
	}
	rest = all[1:]
	for range all[0] {
		_, rest = next(rest)
	}
	ids = all[:len(all)-len(rest)]
	name := func() (b []byte) {
		n := int(binary.LittleEndian.Uint16(rest))
		b, rest = rest[2:2+n], rest[2+n:]
		return b
	}
	if p.Flags&currentNamed != 0 {
		current = name()
	}
	if p.Flags&previousNamed != 0 {
		previous = name()
	}
	return ids, current, previous, rest
}

func appendName(dst []byte, name string) []byte {
	return append(binary.LittleEndian.AppendUint16(dst, uint16(len(name))), name...)
}

// setPapers writes the papers anew; what is given may alias the old ones.
func (s *Store) setPapers(p *Person, build func(dst []byte) []byte) {
	s.scratch.papers = build(s.scratch.papers[:0])
	copy(resize[byte](&s.arena, &p.papers, len(s.scratch.papers)), s.scratch.papers)
}

func fitIdentity(ids []data.Identifier) bool {
	for _, x := range ids {
		if kindNumber(x.Kind) < 0 || len(x.ID) > maxText {
			return false
		}
	}
	return len(ids) < 256 && slices.IsSortedFunc(ids, func(a, b data.Identifier) int {
		if a.Kind != b.Kind {
			return kindNumber(a.Kind) - kindNumber(b.Kind)
		}
		return slices.Compare([]byte(a.ID), []byte(b.ID))
	})
}

func appendIdentity(dst []byte, of data.ProfileID, ids []data.Identifier) []byte {
	dst = append(dst, byte(len(ids)))
	for _, x := range ids {
		opens := byte(0)
		if data.NewProfileID(x.Kind, x.ID) == of {
			opens = 1
		}
		dst = append(dst, byte(kindNumber(x.Kind)), opens)
		dst = binary.LittleEndian.AppendUint16(dst, uint16(len(x.ID)))
		dst = binary.LittleEndian.AppendUint64(dst, uint64(x.FirstSeen))
		dst = binary.LittleEndian.AppendUint64(dst, uint64(x.LastSeen))
		dst = append(dst, x.ID...)
	}
	return dst
}
