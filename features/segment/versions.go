package segment

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// Meanings are what the set's slots compute, sorted. Two slots of one meaning, of whatever sets,
// are the same function of a person's events.
func (s *Set) Meanings() []string {
	out := make([]string, len(s.slots))
	for i := range s.slots {
		out[i] = s.slots[i].meaning
	}
	slices.Sort(out)
	return out
}

// Born is the set with slots told apart by when they were born: generation is 0 for a meaning
// that no version before had, and for one that went away and came back a number that is different every
// time. What lingers of the former life in the bytes of somebody whom nobody has looked at since is
// not the new slot's then: it lacks what happened in between.
func (s *Set) Born(generation func(meaning string) int64) *Set {
	out := *s
	out.slots, out.slotsBy = slices.Clone(s.slots), map[uint32]int{}
	stamp := fmt.Sprint(s.version)
	for i := range out.slots {
		sl := &out.slots[i]
		key := sl.meaning
		if g := generation(sl.meaning); g != 0 {
			key = fmt.Sprintf("%s#%d", key, g)
			stamp += "/" + key
		}
		for sl.id = uint32(xxhash.Sum64String(key)); ; sl.id++ {
			if _, taken := out.slotsBy[sl.id]; !taken {
				break
			}
		}
		out.slotsBy[sl.id] = i
	}
	if stamp != fmt.Sprint(s.version) {
		out.version = uint32(xxhash.Sum64String(stamp)) | 1
	}
	out.list()
	return &out
}

// Gained is what a person's bytes hold in slots that former lacks, without memberships: Merge brings it to
// bytes of the same person that count from a later time on. some is whether the bytes hold
// anything at all. A nil former lacks all.
func (s *Set) Gained(state []byte, former *Set) (gained []byte, some bool, err error) {
	w := s.NewWork()
	if err := w.load(state); err != nil {
		return nil, false, err
	}
	b := binary.LittleEndian.AppendUint32([]byte{codecVersion}, 0)
	b = append(b, 0, 0) // due, memberships
	w.sortByID()
	for _, i := range w.present {
		part := state[w.parts[i].from:w.parts[i].to]
		if former != nil {
			if _, has := former.slotsBy[s.slots[i].id]; has {
				continue
			}
		}
		b = binary.LittleEndian.AppendUint32(b, s.slots[i].id)
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return b, len(w.present) > 0 || len(w.kept) > 0, nil
}

// Names appends the names of the segments that a person's bytes say they are in, sorted. It
// allocates what it appends; bytes that are no person's have none.
func (s *Set) Names(dst []string, state []byte) []string {
	if len(state) < 5 || state[0] != codecVersion {
		return dst
	}
	from := len(dst)
	r := cursor{b: state, at: 5}
	r.varint()
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		id, flags := r.word(), r.octet()
		for _, has := range [...]byte{flagIn, flagPending, flagUntil} {
			if flags&has != 0 {
				r.varint()
			}
		}
		if i, ok := s.byID[id]; ok && flags&flagIn != 0 && !r.bad {
			dst = append(dst, s.rules[i].Segment)
		}
	}
	slices.Sort(dst[from:])
	return dst
}

// Within reports whether every slot of the set is one of other.
func (s *Set) Within(other *Set) bool {
	for id := range s.slotsBy {
		if _, ok := other.slotsBy[id]; !ok {
			return false
		}
	}
	return true
}
