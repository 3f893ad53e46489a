package compact

import "kindred/data"

// Touch reads a little of what folding into these profiles will read, so that the
// cache misses of a batch overlap instead of each waiting for the one before: first
// where the table has them all, then the people, then their blocks, then their message
// ids. It changes nothing, and does not mind a profile that it does not know, or takes for another.
func (s *Store) Touch(n int, id func(int) data.ProfileID) {
	keys, refs := s.scratch.keys[:0], s.scratch.refs[:0]
	for i := range n {
		if key, ok := parseID(string(id(i))); ok {
			keys = append(keys, key)
		}
	}
	mask := uint32(len(s.table) - 1)
	for i := range keys {
		at := uint32(keys[i][1]) & mask
		for e := s.table[at]; e.ref != 0; e = s.table[at] {
			if e.tag == uint32(keys[i][0]) && e.ref != dead {
				refs = append(refs, e.ref)
				break
			}
			at = (at + 1) & mask
		}
	}
	var sum uint64 // so that the reads are not left out
	for _, r := range refs {
		p := s.At(r)
		sum += p.id[0] + p.Session.ID + uint64(p.Due) + uint64(p.block)
	}
	for _, r := range refs {
		p := s.At(r)
		block, words := p.block, min(uint32(p.words), touchLines*lineWords)
		if words == 0 {
			continue
		}
		chunk := s.arena.chunks[block>>16]
		for at := block % chunkWords; words >= lineWords; at, words = at+lineWords, words-lineWords {
			sum += chunk[at]
		}
	}
	for _, r := range refs { // the newest message ids, which their blocks say where to find
		all := view[idSet](s, s.At(r), inIDs)
		if len(all) == 0 {
			continue
		}
		if set := &all[len(all)-1]; set.isBig {
			sum += s.big[set.ids.block].most[0]
		} else if ids := set.ids.view(&s.arena); len(ids) > 0 {
			sum += ids[len(ids)/2]
		}
	}
	s.scratch.keys, s.scratch.refs, s.touched = keys, refs, sum
}

// Likely appends to dst, for each text, the symbol that it probably has, or 0, and reads
// what finding it will read, as Touch does for people. Nobody may rely on the symbols:
// they are for bringing near what belongs to them.
func (s *Symbols) Likely(dst []Symbol, n int, text func(int) string) []Symbol {
	from, mask := len(dst), uint32(len(s.table)-1)
	for i := range n {
		dst = append(dst, Symbol(s.hash(text(i), 0)))
	}
	near := dst[from:]
	var sum uint32
	for _, hash := range near {
		sum += s.table[uint32(hash)&mask]
	}
	for i, hash := range near {
		x := s.table[uint32(hash)&mask]
		if s.known[x].hash != uint32(hash) { // few are not in their first place
			x = s.table[(uint32(hash)+1)&mask]
		}
		near[i] = Symbol(x)
	}
	for _, x := range near {
		if k := &s.known[x]; k.n > 0 {
			sum += uint32(s.text[k.chunk][k.at])
		}
	}
	s.touched = sum
	return dst
}

const (
	lineWords  = 8 // of a cache line
	touchLines = 16
)
