package changes

import (
	"sync"
	"time"
)

// bounds are the upper ends of a histogram's buckets, in seconds.
var bounds = [...]float64{.005, .01, .025, .05, .1, .2, .5, 1, 2.5, 10, 60, 600, 3600}

// Histogram counts durations.
type Histogram struct {
	mu      sync.Mutex
	buckets [len(bounds) + 1]uint64
	sum     float64
}

// NewHistogram is empty.
func NewHistogram() *Histogram { return &Histogram{} }

// Counted is what a histogram counted: how many took up to each bound.
type Counted struct {
	Count   uint64
	Sum     float64
	Buckets map[float64]uint64
}

// Observe counts a duration; a negative one counts as none at all.
func (h *Histogram) Observe(d time.Duration) {
	seconds := max(0, d.Seconds())
	i := 0
	for i < len(bounds) && seconds > bounds[i] {
		i++
	}
	h.mu.Lock()
	h.buckets[i]++
	h.sum += seconds
	h.mu.Unlock()
}

// Counted is what it counted until now.
func (h *Histogram) Counted() *Counted {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := &Counted{Sum: h.sum, Buckets: map[float64]uint64{}}
	for i, b := range bounds {
		c.Count += h.buckets[i]
		c.Buckets[b] = c.Count
	}
	c.Count += h.buckets[len(bounds)]
	return c
}
