package load

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// pacer wakes whoever waits for a moment, within about 100 µs. A goroutine's own
// time.Sleep may be a millisecond late on an idle machine, which is more than most
// requests take.
type pacer struct {
	start time.Time

	mu      sync.Mutex
	waiting sleepers
	lag     Histogram // how late the moments were noticed
}

// sleeper waits for a moment.
type sleeper struct {
	due  time.Duration
	wake chan struct{}
}

// sleepers is a heap by due.
type sleepers []sleeper

func (s sleepers) Len() int           { return len(s) }
func (s sleepers) Less(i, j int) bool { return s[i].due < s[j].due }
func (s sleepers) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *sleepers) Push(x any)        { *s = append(*s, x.(sleeper)) }
func (s *sleepers) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}

// slice bounds one nap, and thereby how late somebody is noticed who comes to wait
// for an earlier moment than those who wait already.
const slice = 200 * time.Microsecond

// run wakes until ctx ends.
func (p *pacer) run(ctx context.Context) {
	for ctx.Err() == nil {
		now := time.Since(p.start)
		nap := slice
		p.mu.Lock()
		for len(p.waiting) > 0 && p.waiting[0].due <= now {
			s := heap.Pop(&p.waiting).(sleeper)
			p.lag.Add(now - s.due)
			s.wake <- struct{}{} // has room
		}
		if len(p.waiting) > 0 {
			nap = min(nap, p.waiting[0].due-now)
		}
		p.mu.Unlock()
		sleep(nap)
	}
}

// wait returns when due has come, or ctx has ended: then false. wake is the
// caller's, with room for one.
func (p *pacer) wait(ctx context.Context, due time.Duration, wake chan struct{}) bool {
	if due <= time.Since(p.start) {
		return ctx.Err() == nil
	}
	p.mu.Lock()
	heap.Push(&p.waiting, sleeper{due, wake})
	p.mu.Unlock()
	select {
	case <-wake:
		return true
	case <-ctx.Done():
		return false
	}
}
