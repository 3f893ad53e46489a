package features

import (
	"cmp"
	"slices"
	"time"
)

// len is how many counters there are.
func (c *counters) len() int { return len(c.all) - 1 }

// bound forgets counters if there are more than limit: those whose long sum weighs
// least at log time now, equal ones by key, until three quarters of limit are left, so
// that it is rare. It is called after every record, so what is forgotten follows from the
// log alone, however its records are batched.
func (c *counters) bound(limit int, now int64, halfLife time.Duration) {
	if c.len() <= limit {
		return
	}
	type weighed struct {
		weight float64
		place  uint32
	}
	all := make([]weighed, 0, c.len())
	for i := 1; i < len(c.all); i++ {
		all = append(all, weighed{c.all[i].counts.Long.At(now, halfLife), uint32(i)})
	}
	slices.SortFunc(all, func(a, b weighed) int {
		return cmp.Or(cmp.Compare(a.weight, b.weight), cmp.Compare(c.all[a.place].key, c.all[b.place].key))
	})
	least := make([]bool, len(c.all))
	for _, x := range all[:len(all)-(limit-limit/4)] {
		least[x.place] = true
	}
	c.drop(least)
}

// drop forgets the counters at the places where gone.
func (c *counters) drop(gone []bool) {
	kept := uint32(1)
	for i := 1; i < len(c.all); i++ {
		x := c.all[i]
		if gone[i] {
			delete(c.byKey, x.key)
			c.dropped = append(c.dropped, x.key)
			continue
		}
		c.all[kept], c.byKey[x.key] = x, kept
		kept++
	}
	clear(c.all[kept:])
	c.all = c.all[:kept]
	c.unbind()
	c.changed = c.changed[:0]
	for i := uint32(1); i < kept; i++ {
		if c.all[i].changed {
			c.changed = append(c.changed, i)
		}
	}
}
