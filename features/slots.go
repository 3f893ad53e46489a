package features

import (
	"cmp"
	"slices"
	"time"

	"kindred/data"
	"kindred/features/compact"
	"kindred/features/window"
)

// The half-lives and scales of the decayed features, and κ of TopAffinities.
const (
	AffinityHalfLife   = 30 * 24 * time.Hour
	EngagementHalfLife = 7 * 24 * time.Hour
	// EngagementScale is τ: somebody with fourteen views in a week scores 50.
	EngagementScale = 20.0
	AffinityPrior   = 2.0
)

const (
	panesPerWindow = 64
	ringTimes      = 65 // exact counts up to 64
)

// slot is the definition of one built-in window. Its id is a hash of the name, so
// that equal definitions share a slot wherever they were written down.
type slot struct {
	id    uint64
	name  string
	kinds uint16 // bit 1<<Kind: events with an interaction of these kinds
	sum   bool   // of revenue; else only counts
	width time.Duration
	ring  bool // exact times instead of panes
	panes window.Paned
}

// acts are the four kinds of act that have windows, and what their slots are called.
var acts = [...]struct {
	name string
	kind data.Kind
}{{"views", data.View}, {"clicks", data.Click}, {"carts", data.AddToCart}, {"purchases", data.Purchase}}

// builtinSlots are counts of each act over 1 h, 24 h, 7 d and 30 d, and revenue over 90 d.
func builtinSlots() []slot {
	const day = 24 * time.Hour
	var out []slot
	for _, a := range acts {
		kinds := uint16(1) << a.kind
		out = append(out,
			newSlot("count("+a.name+") within 1h, ring", kinds, time.Hour, true, false),
			newSlot("count("+a.name+") within 24h, 64 panes", kinds, day, false, false),
			newSlot("count("+a.name+") within 7d, 64 panes", kinds, 7*day, false, false),
			newSlot("count("+a.name+") within 30d, 64 panes", kinds, 30*day, false, false))
	}
	out = append(out, newSlot("sum(revenue) within 90d, 64 panes", 1<<data.Purchase, 90*day, false, true))
	slices.SortFunc(out, func(a, b slot) int { return cmp.Compare(a.id, b.id) })
	return out
}

func newSlot(name string, kinds uint16, width time.Duration, ring, sum bool) slot {
	return slot{id: fnvAdd(fnvOffset, name), name: name, kinds: kinds, sum: sum, width: width, ring: ring,
		panes: window.Paned{Width: width.Milliseconds() / panesPerWindow, N: panesPerWindow}}
}

// shapeOf is the slots as compact profiles hold them.
func shapeOf(slots []slot) compact.Shape {
	out := make(compact.Shape, len(slots))
	for i, s := range slots {
		out[i] = compact.Slot{ID: s.id, Panes: s.panes, Sum: s.sum}
		if s.ring {
			out[i].Ring = ringTimes
		}
	}
	return out
}

// Window names one of the built-in windows of a profile.
type Window struct {
	Act  data.Kind // View, Click, AddToCart or Purchase
	Over time.Duration
}

// Count is how many events of the act fall into (now − Over, now], now in Unix ms:
// exact up to 64 for an hour, to one pane (1/64 of Over) at the trailing edge for 24 h,
// 7 d and 30 d. It is 0 for a window that is not built in.
func Count(p data.Profile, w Window, now int64) int {
	for _, s := range builtinSlots() {
		if s.kinds == 1<<w.Act && s.width == w.Over && !s.sum {
			n, _ := s.read(p, now)
			return n
		}
	}
	return 0
}

// Revenue is the value of the person's purchases in the 90 days before now (Unix
// ms), to one pane (1/64) at the trailing edge.
func Revenue(p data.Profile, now int64) float64 {
	for _, s := range builtinSlots() {
		if s.sum {
			_, sum := s.read(p, now)
			return sum
		}
	}
	return 0
}

func (s slot) read(p data.Profile, now int64) (int, float64) {
	i, ok := findSlot(p.Slots, s.id)
	if !ok {
		return 0, 0
	}
	if s.ring {
		return window.CountRing(p.Slots[i].Ring, now, s.width.Milliseconds()), 0
	}
	return s.panes.Read(p.Slots[i].Panes, now)
}

// add counts one event at time t, of value v, in the profile's slot.
func (s slot) add(p *data.Profile, t int64, v float64) {
	i, ok := findSlot(p.Slots, s.id)
	if !ok {
		p.Slots = slices.Insert(p.Slots, i, data.Slot{ID: s.id})
	}
	into := &p.Slots[i]
	if s.ring {
		into.Ring = window.AddRing(into.Ring, t, ringTimes)
		return
	}
	if !s.sum {
		v = 0
	}
	into.Panes = s.panes.Add(into.Panes, t, v)
}

// merge joins two states of the slot.
func (s slot) merge(a, b data.Slot) data.Slot {
	if s.ring {
		return data.Slot{ID: s.id, Ring: window.MergeRings(a.Ring, b.Ring, ringTimes)}
	}
	return data.Slot{ID: s.id, Panes: s.panes.Merge(a.Panes, b.Panes)}
}

func findSlot(slots []data.Slot, id uint64) (int, bool) {
	return slices.BinarySearchFunc(slots, id, func(a data.Slot, x uint64) int { return cmp.Compare(a.ID, x) })
}
