package compact

import (
	"encoding/binary"
	"slices"

	"kindred/data"
)

// The papers of a person are bytes that change seldom: the number of identifiers and
// then, for each,
//
//	what it is 1 · length 2 · first seen 6 · last seen 6 · text, or a UUID in binary
//
// then the names of the two sessions where a tracker gave them, each with its length
// (2) before it, and last, if there is any, the encoded profile that holds what is
// rare: merges, traits, consent, redirect.
const idHead = 15

// What an identifier is: the number of its kind, and these.
const (
	kindBits  = 3
	opensBit  = 4 // the profile id is derived from it
	binaryBit = 8 // it is a UUID in binary
)

// maxText is the longest identifier, session name or event id that fits.
const maxText = 1 << 12

// kinds of identifier, in the order of their names.
var kinds = [...]data.IDKind{data.IDAnonymous, "shared", data.IDUser}

func kindNumber(kind data.IDKind) int { return slices.Index(kinds[:], kind) }

// identifier is one entry of the papers.
type identifier []byte

func (x identifier) kind() data.IDKind { return kinds[x[0]&kindBits] }
func (x identifier) opens() bool       { return x[0]&opensBit != 0 }
func (x identifier) first() int64      { return x.stamp(3).time() }
func (x identifier) last() int64       { return x.stamp(9).time() }

func (x identifier) stamp(at int) stamp {
	return stamp{binary.LittleEndian.Uint16(x[at:]), binary.LittleEndian.Uint16(x[at+2:]), binary.LittleEndian.Uint16(x[at+4:])}
}

func (x identifier) setStamp(at int, t int64) { appendStamp(x[:at], t) }

func appendStamp(dst []byte, t int64) []byte {
	for _, v := range stamped(t, 0) {
		dst = binary.LittleEndian.AppendUint16(dst, v)
	}
	return dst
}

// is reports whether the identifier's text is id; uuid is id in binary where isUUID.
func (x identifier) is(id string, uuid [2]uint64, isUUID bool) bool {
	if x[0]&binaryBit != 0 {
		return isUUID && x.uuid() == uuid
	}
	return string(x[idHead:]) == id
}

func (x identifier) uuid() [2]uint64 {
	return [2]uint64{binary.LittleEndian.Uint64(x[idHead:]), binary.LittleEndian.Uint64(x[idHead+8:])}
}

// textLen is the bytes that appendText appends.
func (x identifier) textLen() int {
	if x[0]&binaryBit != 0 {
		return uuidBytes
	}
	return len(x) - idHead
}

func (x identifier) appendText(dst []byte) []byte {
	if x[0]&binaryBit != 0 {
		return appendUUID(dst, x.uuid())
	}
	return append(dst, x[idHead:]...)
}

// next cuts the first identifier off.
func next(papers []byte) (identifier, []byte) {
	n := idHead + int(binary.LittleEndian.Uint16(papers[1:]))
	return identifier(papers[:n]), papers[n:]
}

// Known is one of a person's identifiers: where it is in the papers. It is good until
// the papers change.
type Known int

// Knows finds one of the person's identifiers; opens says that it is the one from
// which the profile id is derived.
func (s *Store) Knows(p *Person, kind data.IDKind, id string) (known Known, opens, ok bool) {
	all := view[byte](s, p, inPapers)
	if len(all) == 0 {
		return 0, false, false
	}
	number, rest := byte(kindNumber(kind)), all[1:]
	uuid, isUUID := parseUUID(id)
	for range all[0] {
		at := len(all) - len(rest)
		var x identifier
		if x, rest = next(rest); x[0]&kindBits == number && x.is(id, uuid, isUUID) {
			return Known(at), x.opens(), true
		}
	}
	return 0, false, false
}

// See notes that an identifier was seen at time at, for which Fits holds.
func (s *Store) See(p *Person, k Known, at int64) {
	x := identifier(view[byte](s, p, inPapers)[k:])
	if at < x.first() {
		x.setStamp(3, at)
	}
	if at > x.last() {
		x.setStamp(9, at)
	}
}

// sections are the identifiers, the two names and the rest.
func (s *Store) sections(p *Person) (ids, current, previous, rest []byte) {
	all := view[byte](s, p, inPapers)
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
	copy(resize[byte](s, p, inPapers, len(s.scratch.papers)), s.scratch.papers)
}

func fitIdentity(ids []data.Identifier) bool {
	for _, x := range ids {
		if kindNumber(x.Kind) < 0 || len(x.ID) > maxText || !Fits(x.FirstSeen) || !Fits(x.LastSeen) {
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
		what := byte(kindNumber(x.Kind))
		if data.NewProfileID(x.Kind, x.ID) == of {
			what |= opensBit
		}
		uuid, isUUID := parseUUID(x.ID)
		n := len(x.ID)
		if isUUID {
			what, n = what|binaryBit, 16
		}
		dst = binary.LittleEndian.AppendUint16(append(dst, what), uint16(n))
		dst = appendStamp(appendStamp(dst, x.FirstSeen), x.LastSeen)
		if isUUID {
			dst = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, uuid[0]), uuid[1])
			continue
		}
		dst = append(dst, x.ID...)
	}
	return dst
}
