package compact

import (
	"kindred/features/window"
)

// Count is how many times, or events of panes, the slot has in its window before now,
// which is Unix ms, and Sum is the sum of the panes.
func (s *Store) Count(p *Person, slot int, now int64) int {
	w := s.windows(p)
	n, start, d := w.count(slot), 0, &s.shape[slot]
	if n == 0 {
		return 0
	}
	start = w.start(slot)
	total := 0
	if d.Ring > 0 {
		for i := n - 1; i >= 0; i-- {
			t := w.time(start + i*timeUnits)
			if t <= now-d.Panes.Width*d.Panes.N {
				break
			}
			if t <= now {
				total++
			}
		}
		return total
	}
	newest, last, each := int64(w.long(start)), d.Panes.Index(now), w.each(slot)
	for i := n - 1; i >= 0; i-- {
		back, count := w.tally(start + 2 + i*each)
		index := newest - back
		if index <= last-d.Panes.N {
			break
		}
		if index <= last {
			total += int(count)
		}
	}
	return total
}

// Counts writes Count of every slot into dst, in one pass.
func (s *Store) Counts(p *Person, now int64, dst []int) {
	w, at := s.windows(p), headUnits
	for slot := range s.shape {
		dst[slot] = 0
		if len(w.units) == 0 {
			continue
		}
		n := int(uint8(w.units[slot>>1] >> (8 * (slot & 1))))
		if n == 0 {
			continue
		}
		d := &s.shape[slot]
		start, each := at+int(s.sizes.head[slot]), int(s.sizes.each[w.pane-1][slot])
		at = start + n*each
		total := 0
		if d.Ring > 0 {
			for i := at - timeUnits; i >= start; i -= timeUnits {
				t := w.time(i)
				if t <= now-d.Panes.Width*d.Panes.N {
					break
				}
				if t <= now {
					total++
				}
			}
			dst[slot] = total
			continue
		}
		late := int64(w.long(start-2)) - d.Panes.Index(now) // how many panes the newest is after now's
		for i := at - each; i >= start; i -= each {
			back, count := w.tally(i)
			if back-late >= d.Panes.N {
				break
			}
			if back >= late {
				total += int(count)
			}
		}
		dst[slot] = total
	}
}

// Sum is the sum over the slot's panes in the window before now, oldest first.
func (s *Store) Sum(p *Person, slot int, now int64) float64 {
	w := s.windows(p)
	n, d := w.count(slot), &s.shape[slot]
	if n == 0 || !d.Sum {
		return 0
	}
	start := w.start(slot)
	newest, last, each := int64(w.long(start)), d.Panes.Index(now), w.each(slot)
	sum := 0.0
	for i := range n {
		at := start + 2 + i*each
		back, _ := w.tally(at)
		if index := newest - back; index > last-d.Panes.N && index <= last {
			sum += window.Bounded(w.sum(at + w.pane))
		}
	}
	return sum
}
