package popular

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// Measure is what a live list is ordered by.
type Measure string

// The measures.
const (
	ByPopularity Measure = "popularity" // the long decayed sum
	ByTrend      Measure = "trend"      // short-window rate over long-window rate, smoothed
)

// Entry is one key of a live list with its value.
type Entry struct {
	Key   string
	Score float64
}

// Live holds popularity that moves with the stream: partial sums by partition and
// key, as the fold counts them, added up when read. The stream replaces values,
// requests read them; it is safe for concurrent use. Memory is one Counts a key
// and partition that has it, so it is bounded by the catalogue. Keys are opaque;
// the stream writes "i/<item>" and "c/<category>".
type Live struct {
	cfg Config

	mu    sync.RWMutex
	parts map[string][]part
}

// part is one partition's sums for a key.
type part struct {
	partition int32
	counts    Counts
}

// NewLive returns empty sums. A cfg that Validate refuses panics.
func NewLive(cfg Config) *Live {
	if err := cfg.Validate(); err != nil {
		panic(err)
	}
	return &Live{cfg: cfg, parts: map[string][]part{}}
}

// Config is the configuration given to NewLive.
func (l *Live) Config() Config { return l.cfg }

// Set replaces the sums that one partition has for key. Zero Counts forget them.
func (l *Live) Set(partition int32, key string, c Counts) {
	l.mu.Lock()
	defer l.mu.Unlock()
	parts := l.parts[key]
	at, found := slices.BinarySearchFunc(parts, partition, func(p part, want int32) int { return cmp.Compare(p.partition, want) })
	switch {
	case c == Counts{} && found:
		if parts = slices.Delete(parts, at, at+1); len(parts) == 0 {
			delete(l.parts, key)
			return
		}
	case c == Counts{}:
		return
	case found:
		parts[at].counts = c
		return
	default:
		parts = slices.Insert(parts, at, part{partition, c})
	}
	l.parts[key] = parts
}

// DropPartition forgets everything one partition counted, before it is loaded
// again or when another process owns it.
func (l *Live) DropPartition(partition int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, parts := range l.parts {
		parts = slices.DeleteFunc(parts, func(p part) bool { return p.partition == partition })
		if len(parts) == 0 {
			delete(l.parts, key)
		} else {
			l.parts[key] = parts
		}
	}
}

// Len is the number of keys.
func (l *Live) Len() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.parts)
}

// Counts adds up the partitions' sums for key; false when there are none.
func (l *Live) Counts(key string) (Counts, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	parts, ok := l.parts[key]
	return l.sum(parts), ok
}

// sum adds partitions in the order of their numbers, so the bytes are always the same.
func (l *Live) sum(parts []part) Counts {
	var c Counts
	for _, p := range parts {
		c.Short = c.Short.Merge(p.counts.Short, l.cfg.ShortHalfLife)
		c.Long = c.Long.Merge(p.counts.Long, l.cfg.HalfLife)
	}
	return c
}

// Top lists the k keys with the given prefix that measure highest at time now
// (Unix ms), equal ones by key. allow, where not nil, filters keys before the
// cut. Keys without weight left are not listed. Cost is O(keys · log keys).
func (l *Live) Top(prefix string, by Measure, now int64, k int, allow func(key string) bool) []Entry {
	type counted struct {
		key string
		c   Counts
	}
	var all []counted
	l.mu.RLock()
	for key, parts := range l.parts {
		if strings.HasPrefix(key, prefix) {
			all = append(all, counted{key, l.sum(parts)})
		}
	}
	l.mu.RUnlock()
	slices.SortFunc(all, func(a, b counted) int { return cmp.Compare(a.key, b.key) })

	t := newTrend(l.cfg, now, now)
	for _, a := range all {
		t.count(a.c) // the whole prefix is the catalogue, whatever allow says
	}
	found := make([]Entry, 0, len(all))
	for _, a := range all {
		weight := a.c.Long.At(now, l.cfg.HalfLife)
		if weight <= 0 || allow != nil && !allow(a.key) {
			continue
		}
		if by == ByTrend {
			weight = t.of(a.c)
		}
		found = append(found, Entry{a.key, weight})
	}
	slices.SortStableFunc(found, func(a, b Entry) int { return cmp.Compare(b.Score, a.Score) })
	return found[:max(0, min(k, len(found)))]
}
