package compact

import (
	"kindred/data"
	"kindred/features/window"
	"time"
)

// Segments is data.Profile.Segments. It is good until SetSegments and until the person
// is opened, closed or forgotten.
func (s *Store) Segments(r Ref) []byte {
	if q := s.rich[r]; q != nil {
		return q.Segments
	}
	if int(r) < len(s.rules) {
		return s.rules[r]
	}
	return nil
}

// SetSegments replaces it by a copy of b.
func (s *Store) SetSegments(r Ref, b []byte) {
	if q := s.rich[r]; q != nil {
		q.Segments = append(q.Segments[:0], b...)
		return
	}
	if int(r) >= len(s.rules) {
		if len(b) == 0 {
			return
		}
		s.rules = append(s.rules, make([][]byte, int(s.made)-len(s.rules))...)
	}
	if len(b) == 0 {
		s.rules[r] = nil
		return
	}
	if old := s.rules[r]; cap(old) < len(b) || cap(old) > 4*len(b)+64 {
		s.rules[r] = make([]byte, 0, len(b)+len(b)/8)
	}
	s.rules[r] = append(s.rules[r][:0], b...)
}

// Rare are the traits and the consent of a person in compact form, in memory of their own.
func (s *Store) Rare(p *Person) ([]data.Trait, []byte) {
	_, _, _, rest := s.sections(p)
	var rare data.Profile
	if len(rest) == 0 || rare.UnmarshalBinary(rest) != nil {
		return nil, nil
	}
	return rare.Traits, rare.Consent
}

// Interest is the decayed interest at now in a value of a facet, and that in all of the facet's values
// above 0 together.
func (s *Store) Interest(p *Person, facet, value string, now int64, halfLife time.Duration) (own, sum float64) {
	for _, a := range view[affinity](s, p, inAffinities) {
		f, v := s.Symbols.Texts(a.pair())
		if f != facet {
			continue
		}
		x := window.At(a.decayed(), now, halfLife)
		if x > 0 {
			sum += x
		}
		if v == value {
			own = x
		}
	}
	return own, sum
}

// TwoSessions are the person's two sessions but for their names.
func (p *Person) TwoSessions() (current, previous data.Session) {
	return unpackSession(&p.Session, "", p.Closed()), unpackSession(&p.Previous, "", p.PreviousClosed())
}
