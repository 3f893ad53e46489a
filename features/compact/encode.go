package compact

import (
	"encoding/binary"
	"fmt"

	"kindred/data"
)

// AppendBinary appends the encoded profile of a person to dst: the bytes that
// data.Profile writes for what Unpack gives, without making that. It allocates nothing
// in the steady state but for what is rare in the papers, whose error it returns.
func (s *Store) AppendBinary(dst []byte, r Ref) ([]byte, error) {
	if q := s.rich[r]; q != nil {
		return q.AppendBinary(dst)
	}
	p := s.At(r)
	ids, current, previous, rest := s.sections(p)
	var rare data.Profile
	if len(rest) > 0 {
		if err := rare.UnmarshalBinary(rest); err != nil {
			return dst, fmt.Errorf("papers: %w", err)
		}
	}
	w := data.NewProfileWriter(dst, p.LastSeen(), p.Flags&Deleted != 0, len(rare.Consent) > 0, len(s.Segments(r)) > 0)
	var text [idBytes]byte
	id := appendID(text[:0], p.id)
	w.Count(len(id))
	w.B = append(w.B, id...)
	w.Uint(uint64(p.Version))
	w.Int(p.LastOffset)
	w.Int(p.LastSeen())
	w.Time(p.FirstSeen())
	w.Text(string(rare.Redirect))
	s.encodeIdentity(&w, ids)
	w.Count(len(rare.Merges))
	for _, m := range rare.Merges {
		w.Text(string(m.From))
		w.Text(m.Source)
		w.Time(m.At)
	}
	w.Count(len(rare.Traits))
	for _, t := range rare.Traits {
		w.Text(t.Name)
		w.Text(string(t.Value))
		w.Time(t.At)
		w.Text(t.Source)
	}
	s.encodeWindows(&w, p)
	s.encodeAffinities(&w, p)
	w.Decayed(p.Engagement())
	encodeSession(&w, &p.Session, p.Flags&currentNamed != 0, current, p.Closed())
	encodeSession(&w, &p.Previous, p.Flags&previousNamed != 0, previous, p.PreviousClosed())
	w.Uint(uint64(p.Sessions))
	s.encodeRecents(&w, p)
	s.encodeHistory(&w, p)
	s.encodeClusters(&w, p)
	if len(rare.Consent) > 0 {
		w.Text(string(rare.Consent))
	}
	if b := s.Segments(r); len(b) > 0 {
		w.Count(len(b))
		w.B = append(w.B, b...)
	}
	return w.B, nil
}

func (s *Store) encodeIdentity(w *data.ProfileWriter, ids []byte) {
	if len(ids) == 0 {
		w.Count(0)
		return
	}
	n, left := ids[0], ids[1:]
	w.Count(int(n))
	for range n {
		var x identifier
		x, left = next(left)
		w.Text(string(x.kind()))
		w.Count(x.textLen())
		w.B = x.appendText(w.B)
		w.Time(x.first())
		w.Time(x.last())
	}
}

func encodeSession(w *data.ProfileWriter, x *Session, named bool, name []byte, closed bool) {
	var text [len(derivedPrefix) + 16]byte
	if !named && x.Events > 0 {
		name = appendDerived(text[:0], x.ID)
	}
	y := unpackSession(x, "", closed)
	w.Session(name, &y)
}

func (s *Store) encodeWindows(w *data.ProfileWriter, p *Person) {
	all, at, slots := s.windows(p), headUnits, 0
	for slot := range s.shape {
		if all.count(slot) > 0 {
			slots++
		}
	}
	w.Count(slots)
	for slot := range s.shape {
		n := all.count(slot)
		if n == 0 {
			continue
		}
		w.B = binary.LittleEndian.AppendUint64(w.B, s.shape[slot].ID)
		if s.shape[slot].Ring > 0 {
			w.Count(0)
			w.Count(n)
			for i := range n {
				w.Time(all.time(at + i*timeUnits))
			}
		} else {
			w.Count(n)
			newest, before, each := int64(all.long(at)), int64(0), all.each(slot)
			for i := range n {
				from := at + 2 + all.pane + i*each
				back, count := all.tally(from)
				w.Int(newest - back - before)
				before = newest - back
				w.Uint(uint64(count))
				if s.shape[slot].Sum {
					w.Float(all.sum(from + all.pane))
				} else {
					w.Count(0)
				}
			}
			w.Count(0)
		}
		at += all.size(slot, n)
	}
}

func (s *Store) encodeAffinities(w *data.ProfileWriter, p *Person) {
	all := view[affinity](s, p, inAffinities)
	w.Count(len(all))
	before := Symbol(0) // the empty facet
	for i := range all {
		a := &all[i]
		facet, value := s.Symbols.Texts(a.pair())
		if of := s.Symbols.known[a.pair()].facet; of == before {
			w.Count(0)
		} else {
			w.Count(len(facet) + 1)
			w.B = append(w.B, facet...)
			before = of
		}
		w.Text(value)
		w.Decayed(a.decayed())
	}
}

func (s *Store) encodeRecents(w *data.ProfileWriter, p *Person) {
	all := view[recent](s, p, inRecents)
	w.Count(len(all))
	for k := len(all) - 1; k >= 0; k-- {
		x := &all[k]
		w.Count(x.idLen())
		w.B = s.appendEventID(w.B, x)
		w.Text(s.Symbols.Text(x.name))
		w.Text(s.Symbols.Text(x.item))
		w.Time(x.at.time())
	}
}

func (s *Store) encodeHistory(w *data.ProfileWriter, p *Person) {
	w.Count(p.HistoryLen())
	if p.Flags&wideHistory == 0 {
		all := view[narrow](s, p, inHistory)
		for k := len(all) - 1; k >= 0; k-- {
			h := &all[k]
			w.Plain(s.Symbols.Text(h.item), h.kinds, uint32(h.count), float64(h.weight), h.last.time())
		}
		return
	}
	all := view[wide](s, p, inHistory)
	for k := len(all) - 1; k >= 0; k-- {
		h := &all[k]
		w.Text(s.Symbols.Text(h.item))
		w.Uint(uint64(h.kinds))
		w.Uint(uint64(h.count))
		w.Float(h.value)
		w.Float(h.weight)
		w.Time(h.last)
		if h.kinds&(1<<data.Rating) != 0 {
			w.Int(h.last - h.rated)
		}
	}
}

func (s *Store) encodeClusters(w *data.ProfileWriter, p *Person) {
	all := view[cluster](s, p, inClusters)
	w.Count(len(all))
	for i := range all {
		c := &all[i]
		w.Text(s.Symbols.Text(c.model))
		w.Text(s.Symbols.Text(c.version))
		w.Int(int64(c.number))
		w.Float(c.distance)
		w.Float(c.confidence)
		w.Time(c.since)
	}
}
