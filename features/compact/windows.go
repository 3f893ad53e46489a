package compact

import (
	"math"

	"kindred/data"
	"kindred/features/window"
)

// Slot is the shape of one window: a ring of the newest times, or panes.
type Slot struct {
	ID    uint64       // of data.Slot
	Ring  int          // how many times are kept; 0 for panes
	Panes window.Paned // at most 64
	Sum   bool         // panes hold a sum beside the count
}

// MaxSlots is how many windows there can be.
const MaxSlots = 2 * headUnits

// Shape is the windows of a profile, by rising ID; at most MaxSlots.
type Shape []Slot

// The windows of a person are one list of 16-bit units: for every slot of the shape a
// byte with the number of its times or panes, and then, slot after slot, oldest first,
//
//	a ring    three units a time
//	panes     two units with the index of the newest pane, then a unit or, where a
//	          count has outgrown it, two units a pane: six bits say how many panes
//	          older than the newest it is, the others count; then four units with
//	          the sum, where the slot has one
const (
	headUnits = 9
	timeUnits = 3
	sumUnits  = 4
	backBits  = 6
	narrowMax = 1<<(16-backBits) - 1

	// maxCount is the most that a pane may have counted when it is packed, and
	// MaxVersion the most records that may be folded into a compact profile after:
	// together they stay below 2^26, which two units hold.
	maxCount   = 1 << 24
	MaxVersion = 1 << 24
)

// windows is the list in use.
type windows struct {
	shape Shape
	units []uint16
	pane  int // units of an index-and-count
}

func (s *Store) windows(p *Person) windows {
	w := windows{s.shape, view[uint16](s, p, inWindows), 1}
	if p.Flags&widePanes != 0 {
		w.pane = 2
	}
	return w
}

func (w windows) count(slot int) int {
	if len(w.units) == 0 {
		return 0
	}
	return int(w.units[slot/2] >> (8 * (slot % 2)) & 0xff)
}

func (w windows) setCount(slot, n int) {
	shift := 8 * (slot % 2)
	w.units[slot/2] = w.units[slot/2]&^(0xff<<shift) | uint16(n)<<shift
}

// size is the units of a slot with n times or panes.
func (w windows) size(slot, n int) int {
	switch d := &w.shape[slot]; {
	case d.Ring > 0:
		return n * timeUnits
	case n == 0:
		return 0
	case d.Sum:
		return 2 + n*(w.pane+sumUnits)
	}
	return 2 + n*w.pane
}

// each is the units of one pane of a slot.
func (w windows) each(slot int) int {
	if w.shape[slot].Sum {
		return w.pane + sumUnits
	}
	return w.pane
}

// start is the first unit of a slot.
func (w windows) start(slot int) int {
	at := headUnits
	for i := range slot {
		if n := w.count(i); n > 0 {
			at += w.size(i, n)
		}
	}
	return at
}

func (w windows) long(at int) uint32       { return uint32(w.units[at]) | uint32(w.units[at+1])<<16 }
func (w windows) setLong(at int, v uint32) { w.units[at], w.units[at+1] = uint16(v), uint16(v>>16) }

func (w windows) time(at int) int64 {
	return stamp{w.units[at], w.units[at+1], w.units[at+2]}.time()
}

func (w windows) setTime(at int, t int64) {
	x := stamped(t, 0)
	copy(w.units[at:at+timeUnits], x[:])
}

// tally is how much older than the newest a pane is, and its count.
func (w windows) tally(at int) (back int64, count uint32) {
	v := uint32(w.units[at])
	if w.pane == 2 {
		v = w.long(at)
	}
	return int64(v & (1<<backBits - 1)), v >> backBits
}

func (w windows) setTally(at int, back int64, count uint32) {
	v := uint32(back) | count<<backBits
	if w.pane == 2 {
		w.setLong(at, v)
		return
	}
	w.units[at] = uint16(v)
}

func (w windows) sum(at int) float64 {
	return math.Float64frombits(uint64(w.long(at)) | uint64(w.long(at+2))<<32)
}

func (w windows) setSum(at int, v float64) {
	u := math.Float64bits(v)
	w.setLong(at, uint32(u))
	w.setLong(at+2, uint32(u>>32))
}

// SlotSet is a set of slots: bit i for slot i of the shape.
type SlotSet uint32

// sizes are, for each slot of a shape, the units of one time or pane, narrow and wide,
// and those before the first one.
type sizes struct {
	each [2][MaxSlots]uint8
	head [MaxSlots]uint8
}

func sizesOf(shape Shape) (z sizes) {
	for i, d := range shape {
		switch {
		case d.Ring > 0:
			z.each[0][i], z.each[1][i] = timeUnits, timeUnits
		case d.Sum:
			z.head[i], z.each[0][i], z.each[1][i] = 2, 1+sumUnits, 2+sumUnits
		default:
			z.head[i], z.each[0][i], z.each[1][i] = 2, 1, 2
		}
	}
	return z
}

// CountEvent counts one event at time t, of value v, in the given slots: its time in a
// ring, in panes the event, and v where the slot has a sum. t must be positive, Fits(t)
// hold, and p.Version be below MaxVersion.
func (s *Store) CountEvent(p *Person, slots SlotSet, t int64, v float64) {
	w, at := s.windows(p), headUnits
	for slot := range s.shape {
		if slots == 0 {
			return
		}
		if slots&1 != 0 {
			if d := &s.shape[slot]; d.Ring > 0 {
				s.addTime(p, w, slot, at, t)
			} else {
				s.addPane(p, w, slot, at, d.Panes.Index(t), v)
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
			at += int(s.sizes.head[slot]) + n*int(s.sizes.each[w.pane-1][slot])
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
	n, each, first := w.count(slot), w.each(slot), start+2
	if n == 0 {
		w = s.open(p, start, 2+each)
		w.setLong(start, uint32(index))
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
			if w.shape[slot].Sum {
				w.setSum(at+w.pane, window.Bounded(window.Bounded(w.sum(at+w.pane))+window.Bounded(v)))
			}
			return
		}
	}
	w = s.open(p, first+i*each, each)
	w.setPane(slot, first+i*each, back, v)
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
	each, first, drop := w.each(slot), start+2, 0
	for ; drop < n; drop++ {
		if b, _ := w.tally(first + drop*each); b+by < w.shape[slot].Panes.N {
			break
		}
	}
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
		at += 2
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
				from := at + 2 + i*w.each(slot)
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
