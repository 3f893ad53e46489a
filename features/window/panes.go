package window

import (
	"cmp"
	"slices"

	"kindred/data"
)

// Paned is the shape of a paned window: N panes of Width milliseconds.
type Paned struct {
	Width int64
	N     int64
}

// Index is the pane that time t falls into; panes before 1970 have negative numbers.
func (w Paned) Index(t int64) int64 {
	i := t / w.Width
	if t%w.Width < 0 {
		i--
	}
	return i
}

// Add counts one event of value v at time t. Panes are ordered, oldest first, and
// those that N newer ones have replaced are dropped. Sums are Bounded.
func (w Paned) Add(panes []data.Pane, t int64, v float64) []data.Pane {
	return w.add(panes, data.Pane{Index: w.Index(t), Count: 1, Sum: v})
}

func (w Paned) add(panes []data.Pane, p data.Pane) []data.Pane {
	p.Sum = Bounded(p.Sum)
	i, found := slices.BinarySearchFunc(panes, p.Index, func(a data.Pane, x int64) int { return cmp.Compare(a.Index, x) })
	if found {
		panes[i].Count += p.Count
		panes[i].Sum = Bounded(Bounded(panes[i].Sum) + p.Sum)
		return panes
	}
	return w.trim(slices.Insert(panes, i, p))
}

// Merge adds the panes of both.
func (w Paned) Merge(a, b []data.Pane) []data.Pane {
	out := slices.Clone(a)
	for _, p := range b {
		out = w.add(out, p)
	}
	return out
}

// trim drops the panes that no reading at or after the newest one can cover.
func (w Paned) trim(panes []data.Pane) []data.Pane {
	oldest := panes[len(panes)-1].Index - w.N
	drop := 0
	for panes[drop].Index <= oldest {
		drop++
	}
	return slices.Delete(panes, 0, drop)
}

// Read is the count and the sum over the N panes that end with now's.
func (w Paned) Read(panes []data.Pane, now int64) (count int, sum float64) {
	last := w.Index(now)
	for _, p := range panes {
		if p.Index > last-w.N && p.Index <= last {
			count += int(p.Count)
			sum += Bounded(p.Sum)
		}
	}
	return count, sum
}
