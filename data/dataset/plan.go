package dataset

import (
	"cmp"
	"math"
	"slices"
	"time"

	"kindred/data"
)

// undated is the original time of the first row of a data set without any time:
// 2000-01-01 in Unix milliseconds.
const undated = 946_684_800_000

// planner orders the events of a data set before any is made.
type planner struct {
	ds     *Dataset
	in     StageOptions
	rows   []data.Interaction
	facets map[data.ItemID]map[string][]string
	order  []entry
	shift  time.Duration // event time less original time
	copies map[[16]byte]uint32
}

// entry is one event to come: its original time, and which it is.
type entry struct {
	at   int64 // Unix ms
	user bool  // index in ds.Users, else in ds.Events or rows
	i    int
}

// plan gives every event its original time and sorts.
func plan(ds *Dataset, in StageOptions) *planner {
	p := &planner{ds: ds, in: in, copies: make(map[[16]byte]uint32), facets: make(map[data.ItemID]map[string][]string)}
	if ds.Events != nil {
		for i, e := range ds.Events {
			p.order = append(p.order, entry{at: e.Times.Event.UnixMilli(), i: i})
		}
		p.sortAndShift(false)
		return p
	}
	p.rows = ds.Interactions
	if in.HeldOut {
		p.rows = slices.Concat(ds.Interactions, ds.Validation, ds.Test)
	}
	for _, it := range ds.Items {
		if f := it.Facets(); f != nil {
			p.facets[it.ID] = f
		}
	}
	times, undatedAll := originals(p.rows)
	first := make(map[data.UserID]int64, len(ds.Users))
	oldest := int64(math.MaxInt64)
	for i, at := range times {
		oldest = min(oldest, at)
		if was, met := first[p.rows[i].User]; !met || at < was {
			first[p.rows[i].User] = at
		}
	}
	if len(times) == 0 {
		oldest = undated
	}
	for i, u := range ds.Users {
		if len(u.Traits) == 0 {
			continue
		}
		at, met := first[u.ID]
		if !met {
			at = oldest
		}
		p.order = append(p.order, entry{at: at, user: true, i: i})
	}
	for i, at := range times {
		p.order = append(p.order, entry{at: at, i: i})
	}
	p.sortAndShift(undatedAll)
	return p
}

// sortAndShift brings the events into the order of time, keeping the order in which
// they were added where times are equal, and decides how far event times move.
func (p *planner) sortAndShift(undatedAll bool) {
	slices.SortStableFunc(p.order, func(a, b entry) int { return cmp.Compare(a.at, b.at) })
	if n := len(p.order); n > 0 && (p.in.ShiftToNow || undatedAll) {
		newest := time.UnixMilli(p.order[n-1].at)
		p.shift = p.in.Now.Add(-time.Second).Sub(newest)
	}
}

// originals are the original times of the rows in Unix milliseconds, invented for
// those without; none says that no row has a time.
func originals(rows []data.Interaction) (times []int64, none bool) {
	missing, oldest := 0, int64(math.MaxInt64)
	for _, row := range rows {
		if row.At.IsZero() {
			missing++
		} else {
			oldest = min(oldest, row.At.UnixMilli())
		}
	}
	next := max(0, oldest-1000*int64(missing))
	if none = missing == len(rows); none {
		next = undated
	}
	times = make([]int64, len(rows))
	for i, row := range rows {
		if times[i] = row.At.UnixMilli(); row.At.IsZero() {
			times[i] = next
			next += 1000
		}
	}
	return times, none
}
