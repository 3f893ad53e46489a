package compact

import (
	"kindred/features/window"
)

// CountEvent counts one event at time t, of value v, in the given slots: its time in a
// ring, in panes the event, and v where the slot has a sum. t must be positive, Fits(t)
// hold, and p.Version be below MaxVersion.
func (s *Store) CountEvent(p *Person, slots SlotSet, t int64, v float64) {
	w, at := s.windows(p), headUnits
	s.at.set(s.shape, t)
	for slot := range s.shape {
		if slots == 0 {
			return
		}
		if slots&1 != 0 {
			if s.shape[slot].Ring > 0 {
				s.addTime(p, w, slot, at, t)
			} else {
				s.addPane(p, w, slot, at, s.at.pane[slot], v)
			}
			pane := w.pane
			if w = s.windows(p); w.pane != pane { // widened: the slots before this one take more, too
				at = w.start(slot)
			}
		}
		slots >>= 1
		if len(w.units) == 0 {
			continue
		}
		if n := int(uint8(w.units[slot>>1] >> (8 * (slot & 1)))); n > 0 {
			z := &s.sizes[w.pane-1]
			at += int(z.head[slot]) + n*int(z.each[slot])
		}
	}
}

// grown counts a window that has one entry more.
func (s *Store) grown(p *Person, before int, bytes uint32) {
	p.size += bytes
	if before == 0 {
		p.size += slotSize
	}
}

// addTime puts time t into the ring whose first unit is start, and keeps the newest.
func (s *Store) addTime(p *Person, w windows, slot, start int, t int64) {
	n, limit := w.count(slot), w.shape[slot].Ring
	i := n // its place: behind the times that are less
	for i > 0 && w.time(start+(i-1)*timeUnits) >= t {
		i--
	}
	if n >= limit {
		if i == 0 {
			return // older than everything in a full ring
		}
		copy(w.units[start:], w.units[start+timeUnits:start+i*timeUnits])
		w.setTime(start+(i-1)*timeUnits, t)
		return
	}
	at := start + i*timeUnits
	w = s.open(p, at, timeUnits)
	w.setTime(at, t)
	w.setCount(slot, n+1)
	s.grown(p, n, timeSize)
}

// addPane counts one event of value v in the pane with the given index, of the slot
// whose first unit is start.
func (s *Store) addPane(p *Person, w windows, slot, start int, index int64, v float64) {
	n, each, first := w.count(slot), w.each(slot), start+2+w.pane
	if n == 0 {
		w = s.open(p, start, 2+w.pane+each)
		w.setLong(start, uint32(index))
		w.setTotal(start, 1)
		w.setPane(slot, first, 0, v)
		w.setCount(slot, 1)
		s.grown(p, 0, paneSize)
		return
	}
	back := int64(w.long(start)) - index
	if back < 0 {
		w, n = s.advance(p, w, slot, start, -back)
		back = 0
	}
	if back >= w.shape[slot].Panes.N {
		return // no reading can cover it
	}
	i := n // its place: behind the panes that are older
	for i > 0 {
		b, c := w.tally(first + (i-1)*each)
		if b > back {
			break
		}
		i--
		if b == back {
			at := first + i*each
			if w.pane == 1 && c == narrowMax {
				s.widenPanes(p)
				w = s.windows(p)
				s.addPane(p, w, slot, w.start(slot), index, v)
				return
			}
			w.setTally(at, b, c+1)
			w.setTotal(start, w.total(start)+1)
			if w.shape[slot].Sum {
				w.setSum(at+w.pane, window.Bounded(window.Bounded(w.sum(at+w.pane))+window.Bounded(v)))
			}
			return
		}
	}
	w = s.open(p, first+i*each, each)
	w.setPane(slot, first+i*each, back, v)
	w.setTotal(start, w.total(start)+1)
	w.setCount(slot, n+1)
	s.grown(p, 1, paneSize)
}

// setPane writes a pane of one event.
func (w windows) setPane(slot, at int, back int64, v float64) {
	w.setTally(at, back, 1)
	if w.shape[slot].Sum {
		w.setSum(at+w.pane, window.Bounded(v))
	}
}

// advance makes the pane that is by so much newer the newest of a slot, and drops
// those that no reading can cover any more; the rest stay, n of them.
func (s *Store) advance(p *Person, w windows, slot, start int, by int64) (after windows, n int) {
	n = w.count(slot)
	each, first, drop, total := w.each(slot), start+2+w.pane, 0, w.total(start)
	for ; drop < n; drop++ {
		b, c := w.tally(first + drop*each)
		if b+by < w.shape[slot].Panes.N {
			break
		}
		total -= c
	}
	w.setTotal(start, total)
	w.setLong(start, w.long(start)+uint32(by))
	if drop > 0 {
		w = s.shut(p, first, drop*each)
		n -= drop
		p.size -= paneSize * uint32(drop)
	}
	for i := range n {
		b, c := w.tally(first + i*each)
		w.setTally(first+i*each, b+by, c)
	}
	return w, n
}

// open makes room for units at a place, and shut takes units away.
func (s *Store) open(p *Person, at, units int) windows {
	if p.len(inWindows) == 0 {
		clear(resize[uint16](s, p, inWindows, headUnits))
	}
	all := resize[uint16](s, p, inWindows, p.len(inWindows)+units)
	copy(all[at+units:], all[at:])
	return s.windows(p)
}

func (s *Store) shut(p *Person, at, units int) windows {
	s.remove(p, inWindows, at, at+units)
	return s.windows(p)
}

// widenPanes gives every pane of the person two units.
func (s *Store) widenPanes(p *Person) {
	s.scratch.slots = s.unpackWindows(p, s.scratch.slots[:0])
	s.drop(p, inWindows)
	p.Flags |= widePanes
	s.packWindows(p, s.scratch.slots)
}
