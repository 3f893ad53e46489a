package clean

import (
	"maps"
	"sync"
)

// counts are totals by kind and label. Labels come from the configuration and from fixed
// lists, never from events, so there are few.
type counts struct {
	mu sync.Mutex
	n  map[Count]uint64
}

// Count names a total: what happened (bot.flag, mapping.failed…) and, where it has one, the
// rule, field or reason it happened by.
type Count struct{ Kind, Label string }

// maxCounts bounds the totals; beyond it only those that are known go on.
const maxCounts = 50_000

// add counts one; the nil counts counts nothing.
func (c *counts) add(kind, label string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := Count{kind, label}
	if n, known := c.n[key]; known || len(c.n) < maxCounts {
		c.n[key] = n + 1
	}
}

func (c *counts) totals() map[Count]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.n)
}
