package compact

import (
	"math"

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
//	panes     two units with the index of the newest pane, a unit with the sum of the
//	          counts, so that a reading need not add them up, then a unit a pane: six
//	          bits say how many panes older than the newest it is, the others count;
//	          then four units with the sum, where the slot has one. Where a count has
//	          outgrown its unit, all counts of the person have two.
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
		return 2 + w.pane + n*(w.pane+sumUnits)
	}
	return 2 + w.pane + n*w.pane
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

// total is the sum of the counts of a slot's panes: 64 narrow ones fit into a unit.
func (w windows) total(start int) uint32 {
	if w.pane == 2 {
		return w.long(start + 2)
	}
	return uint32(w.units[start+2])
}

func (w windows) setTotal(start int, v uint32) {
	if w.pane == 2 {
		w.setLong(start+2, v)
		return
	}
	w.units[start+2] = uint16(v)
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

// sizes are, for each slot of a shape, the units of one time or pane, and those before
// the first one.
type sizes struct{ each, head [MaxSlots]uint8 }

// sizesOf are the sizes where panes are narrow, and where they are wide.
func sizesOf(shape Shape) (z [2]sizes) {
	for k := range z {
		for i, d := range shape {
			z[k].head[i], z[k].each[i] = uint8(2+k+1), uint8(k+1)
			if d.Ring > 0 {
				z[k].head[i], z[k].each[i] = 0, timeUnits
			} else if d.Sum {
				z[k].each[i] += sumUnits
			}
		}
	}
	return z
}
