package compact

import (
	"math"

	"kindred/features/window"
)

// clock is which pane of every slot a time falls into. Times that follow each other
// mostly fall into the same panes, so the divisions are seldom made again.
type clock struct {
	from, until int64 // the times for which the panes are right; empty at first
	pane        [MaxSlots]int64
}

// set brings the clock to a time.
func (c *clock) set(shape Shape, t int64) {
	if t >= c.from && t < c.until {
		return
	}
	c.from, c.until = math.MinInt64, math.MaxInt64
	for i := range shape {
		d := &shape[i]
		if d.Ring > 0 {
			continue
		}
		index := d.Panes.Index(t)
		c.pane[i] = index
		c.from, c.until = max(c.from, index*d.Panes.Width), min(c.until, (index+1)*d.Panes.Width)
	}
}

// Count is how many times, or events of panes, the slot has in its window before now,
// which is Unix ms, and Sum is the sum of the panes.
func (s *Store) Count(p *Person, slot int, now int64) int {
	w := s.windows(p)
	n := w.count(slot)
	if n == 0 {
		return 0
	}
	s.now.set(s.shape, now)
	return s.read(w, slot, w.start(slot), n, now)
}

// Counts writes Count of every slot into dst, in one pass.
func (s *Store) Counts(p *Person, now int64, dst []int) {
	w, at := s.windows(p), headUnits
	dst = dst[:len(s.shape)]
	if len(w.units) == 0 {
		clear(dst)
		return
	}
	s.now.set(s.shape, now)
	sizes := &s.sizes[w.pane-1]
	for slot := range dst {
		n := int(uint8(w.units[slot>>1] >> (8 * (slot & 1))))
		if n == 0 {
			dst[slot] = 0
			continue
		}
		if first := at + 3; w.pane == 1 && w.shape[slot].Ring == 0 { // what read says, where nothing has left the window
			passed := s.now.pane[slot] - int64(w.long(at))
			if oldest := int64(w.units[first] & (1<<backBits - 1)); passed >= 0 && oldest+passed < w.shape[slot].Panes.N {
				dst[slot] = int(w.units[at+2])
				at = first + n*int(sizes.each[slot])
				continue
			}
		}
		dst[slot] = s.read(w, slot, at, n, now)
		at += int(sizes.head[slot]) + n*int(sizes.each[slot])
	}
}

// read is Count of a slot with n > 0 times or panes, whose first unit is start; s.now is
// set. Where nothing has left the window since the newest came in, it is what there is:
// the times that a ring holds, the total of the panes.
func (s *Store) read(w windows, slot, start, n int, now int64) int {
	d := &w.shape[slot]
	if d.Ring > 0 {
		after := now - d.Panes.Width*d.Panes.N
		if w.time(start) > after && w.time(start+(n-1)*timeUnits) <= now {
			return n
		}
		if w.time(start+(n-1)*timeUnits) > now {
			return w.upTo(start, n, now) - w.upTo(start, n, after)
		}
		return n - w.upTo(start, n, after)
	}
	passed := s.now.pane[slot] - int64(w.long(start)) // panes since the newest
	first, each := start+2+w.pane, w.each(slot)
	if passed < 0 {
		return w.recount(first, each, n, passed, d.Panes.N)
	}
	total := w.total(start)
	for i := first; n > 0; i, n = i+each, n-1 {
		back, count := w.tally(i)
		if back+passed < d.Panes.N {
			break
		}
		total -= count
	}
	return int(total)
}

// upTo is how many of the n times of a ring are at or before t.
func (w windows) upTo(start, n int, t int64) int {
	low, high := 0, n
	for low < high {
		middle := (low + high) / 2
		if w.time(start+middle*timeUnits) <= t {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// recount adds the panes up, for a time that so many panes have passed before.
func (w windows) recount(first, each, n int, passed, panes int64) int {
	total := 0
	for i := range n {
		if back, count := w.tally(first + i*each); back+passed >= 0 && back+passed < panes {
			total += int(count)
		}
	}
	return total
}

// Sum is the sum over the slot's panes in the window before now, oldest first.
func (s *Store) Sum(p *Person, slot int, now int64) float64 {
	w := s.windows(p)
	n, d := w.count(slot), &s.shape[slot]
	if n == 0 || !d.Sum {
		return 0
	}
	s.now.set(s.shape, now)
	start, each := w.start(slot), w.each(slot)
	passed := s.now.pane[slot] - int64(w.long(start))
	sum := 0.0
	for i := range n {
		at := start + 2 + w.pane + i*each
		if back, _ := w.tally(at); back+passed >= 0 && back+passed < d.Panes.N {
			sum += window.Bounded(w.sum(at + w.pane))
		}
	}
	return sum
}
