package compact

// Touch reads a little of what folding into these people's profiles will read, so that
// the cache misses of a batch overlap instead of each waiting for the one before. 0 is
// nobody. It changes nothing.
func (s *Store) Touch(people []Ref) {
	var sum uint64 // so that the reads are not left out
	for _, r := range people {
		if r != 0 {
			p := s.At(r)
			sum += p.id[0] + p.Session.ID + uint64(p.Due) + uint64(p.block)
		}
	}
	for _, r := range people {
		if r == 0 {
			continue
		}
		p := s.At(r)
		for at := 0; at < min(int(p.words), touchLines*lineWords); at += lineWords {
			sum += *s.arena.word(p.block + uint32(at))
		}
	}
	s.touched = sum
}

const (
	lineWords  = 8 // of a cache line
	touchLines = 16
)
