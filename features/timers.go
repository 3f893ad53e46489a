package features

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"math"
	"slices"

	"kindred/data"
)

// timers is the partition's timers as far as the fold has seen them: those loaded
// from the source, under those set and cleared since. It answers "which is due
// next" in (At, Profile, Slot) order.
type timers struct {
	byID   map[timerID]timerState
	due    timerHeap // may hold moved and cleared ones; byID decides
	loaded int64     // stored timers at or before it are all here
}

type timerID struct {
	profile data.ProfileID
	slot    string
}

type timerState struct {
	at      int64
	cleared bool
	changed bool // since the last take
}

func newTimers() timers { return timers{byID: map[timerID]timerState{}, loaded: math.MinInt64} }

func (t *timers) set(x data.Timer) {
	id := timerID{x.Profile, x.Slot}
	if s, ok := t.byID[id]; ok && !s.cleared && s.at == x.At {
		return
	}
	t.byID[id] = timerState{at: x.At, changed: true}
	heap.Push(&t.due, x)
}

func (t *timers) clear(profile data.ProfileID, slot string) {
	t.byID[timerID{profile, slot}] = timerState{cleared: true, changed: true}
}

// next takes the first timer at or before until.
func (t *timers) next(until int64) (data.Timer, bool) {
	for len(t.due) > 0 && t.due[0].At <= until {
		x := heap.Pop(&t.due).(data.Timer)
		id := timerID{x.Profile, x.Slot}
		if s := t.byID[id]; !s.cleared && s.at == x.At {
			t.byID[id] = timerState{cleared: true, changed: true}
			return x, true
		}
	}
	return data.Timer{}, false
}

// load brings the stored timers at or before until into memory.
func (t *timers) load(ctx context.Context, src Source, partition int32, until int64) error {
	if src == nil || until <= t.loaded {
		return nil
	}
	for limit := 1024; ; limit *= 2 {
		found, err := src.DueTimers(ctx, partition, until, limit)
		if err != nil {
			return fmt.Errorf("load due timers of partition %d: %w", partition, err)
		}
		if len(found) >= limit {
			continue // the store pages from the start only
		}
		for _, x := range found {
			id := timerID{x.Profile, x.Slot}
			if _, ok := t.byID[id]; !ok {
				t.byID[id] = timerState{at: x.At}
				heap.Push(&t.due, x)
			}
		}
		t.loaded = until
		return nil
	}
}

// take returns what changed, ordered. Unless keep, it then forgets everything: the
// store will know.
func (t *timers) take(keep bool) (set, cleared []data.Timer) {
	for id, s := range t.byID {
		if !s.changed {
			continue
		}
		x := data.Timer{At: s.at, Profile: id.profile, Slot: id.slot}
		if s.cleared {
			x.At = 0
			cleared = append(cleared, x)
			delete(t.byID, id)
			continue
		}
		set = append(set, x)
		t.byID[id] = timerState{at: s.at}
	}
	if !keep {
		*t = newTimers()
	}
	slices.SortFunc(set, compareTimers)
	slices.SortFunc(cleared, compareTimers)
	return set, cleared
}

func compareTimers(a, b data.Timer) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Profile, b.Profile), cmp.Compare(a.Slot, b.Slot))
}

// timerHeap is a heap in (At, Profile, Slot) order.
type timerHeap []data.Timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return compareTimers(h[i], h[j]) < 0 }
func (h timerHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *timerHeap) Push(x any)        { *h = append(*h, x.(data.Timer)) }
func (h *timerHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
