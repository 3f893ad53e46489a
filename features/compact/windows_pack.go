package compact

import (
	"math"

	"kindred/data"
)

// fitWindows reports whether the slots of a profile have a compact form.
func (s *Store) fitWindows(slots []data.Slot) bool {
	at := 0
	for _, x := range slots {
		for at < len(s.shape) && s.shape[at].ID < x.ID {
			at++
		}
		if at == len(s.shape) || s.shape[at].ID != x.ID || !s.shape[at].fits(x) {
			return false
		}
		at++
	}
	return true
}

func (d *Slot) fits(x data.Slot) bool {
	if d.Ring > 0 {
		for i, t := range x.Ring {
			if !Fits(t) || i > 0 && x.Ring[i-1] > t {
				return false
			}
		}
		return len(x.Panes) == 0 && len(x.Ring) > 0 && len(x.Ring) <= d.Ring
	}
	for i, p := range x.Panes {
		newest := x.Panes[len(x.Panes)-1].Index
		if p.Index < 0 || newest > math.MaxUint32 || newest-p.Index >= d.Panes.N || p.Count > maxCount ||
			i > 0 && x.Panes[i-1].Index >= p.Index || !d.Sum && math.Float64bits(p.Sum) != 0 {
			return false
		}
	}
	return len(x.Ring) == 0 && len(x.Panes) > 0
}

// packWindows takes over slots for which fitWindows holds.
func (s *Store) packWindows(p *Person, slots []data.Slot) {
	if len(slots) == 0 {
		return
	}
	for _, x := range slots {
		for _, pane := range x.Panes {
			if pane.Count > narrowMax {
				p.Flags |= widePanes
			}
		}
	}
	w, units := s.windows(p), headUnits
	find := func(id uint64) (i int) {
		for s.shape[i].ID != id {
			i++
		}
		return i
	}
	for _, x := range slots {
		units += w.size(find(x.ID), len(x.Ring)+len(x.Panes))
	}
	clear(resize[uint16](s, p, inWindows, units))
	w = s.windows(p)
	at := headUnits
	for _, x := range slots {
		slot := find(x.ID)
		w.setCount(slot, len(x.Ring)+len(x.Panes))
		for _, t := range x.Ring {
			w.setTime(at, t)
			at += timeUnits
		}
		if len(x.Panes) == 0 {
			continue
		}
		newest := x.Panes[len(x.Panes)-1].Index
		w.setLong(at, uint32(newest))
		total := uint32(0)
		for _, pane := range x.Panes {
			total += pane.Count
		}
		w.setTotal(at, total)
		at += 2 + w.pane
		for _, pane := range x.Panes {
			w.setTally(at, newest-pane.Index, pane.Count)
			at += w.pane
			if s.shape[slot].Sum {
				w.setSum(at, pane.Sum)
				at += sumUnits
			}
		}
	}
}

// unpackWindows appends the slots of p to dst. It uses what dst's spare elements hold.
func (s *Store) unpackWindows(p *Person, dst []data.Slot) []data.Slot {
	w := s.windows(p)
	at := headUnits
	for slot := range s.shape {
		n := w.count(slot)
		if n == 0 {
			continue
		}
		if len(dst) < cap(dst) {
			dst = dst[:len(dst)+1]
		} else {
			dst = append(dst, data.Slot{})
		}
		x := &dst[len(dst)-1]
		*x = data.Slot{ID: s.shape[slot].ID, Ring: x.Ring[:0], Panes: x.Panes[:0]}
		if s.shape[slot].Ring > 0 {
			for i := range n {
				x.Ring = append(x.Ring, w.time(at+i*timeUnits))
			}
		} else {
			newest := int64(w.long(at))
			for i := range n {
				from := at + 2 + w.pane + i*w.each(slot)
				back, count := w.tally(from)
				pane := data.Pane{Index: newest - back, Count: count}
				if s.shape[slot].Sum {
					pane.Sum = w.sum(from + w.pane)
				}
				x.Panes = append(x.Panes, pane)
			}
		}
		at += w.size(slot, n)
	}
	return dst
}
