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
// key, as the fold counts them, added up when they change. The stream replaces values,
// requests read them; it is safe for concurrent use. Memory is about 200 bytes a key
// and 40 more for each partition that has it: who sets counters bounds their number
// (features.Config.MaxCounters a partition).
// Keys are opaque but for what is before their first slash, which groups them; the
// stream writes "i/<item>" and "c/<category>".
type Live struct {
	cfg Config

	mu     sync.RWMutex
	groups map[string]*table // by what the keys begin with, slash included
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
	return &Live{cfg: cfg, groups: map[string]*table{}}
}

// Config is the configuration given to NewLive.
func (l *Live) Config() Config { return l.cfg }

// group is what a key begins with.
func group(key string) string { return key[:strings.IndexByte(key, '/')+1] }

// Set replaces the sums that one partition has for key. Zero Counts forget them.
func (l *Live) Set(partition int32, key string, c Counts) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.groups[group(key)]
	if t == nil {
		t = newTable(l.cfg)
		l.groups[strings.Clone(group(key))] = t
	}
	at, known := t.index[key]
	var parts []part
	if known {
		parts = t.parts[at]
	}
	i, found := slices.BinarySearchFunc(parts, partition, func(p part, want int32) int { return cmp.Compare(p.partition, want) })
	switch {
	case c == Counts{} && found:
		parts = slices.Delete(parts, i, i+1)
	case c == Counts{}:
		return
	case found:
		parts[i].counts = c
	default:
		parts = slices.Insert(parts, i, part{partition, c})
	}
	t.put(key, parts)
}

// DropPartition forgets everything one partition counted, before it is loaded
// again or when another process owns it.
func (l *Live) DropPartition(partition int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.groups {
		for at := len(t.keys) - 1; at >= 0; at-- { // put may move the last one here
			if parts := t.parts[at]; slices.ContainsFunc(parts, func(p part) bool { return p.partition == partition }) {
				t.put(t.keys[at], slices.DeleteFunc(parts, func(p part) bool { return p.partition == partition }))
			}
		}
	}
}

// Len is the number of keys.
func (l *Live) Len() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	n := 0
	for _, t := range l.groups {
		n += len(t.keys)
	}
	return n
}

// Counts adds up the partitions' sums for key; false when there are none.
func (l *Live) Counts(key string) (Counts, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	t := l.groups[group(key)]
	if t == nil {
		return Counts{}, false
	}
	at, ok := t.index[key]
	if !ok {
		return Counts{}, false
	}
	return t.sums[at], true
}

// Top lists the k keys with the given prefix that measure highest at time now
// (Unix ms), equal ones by key. allow, where not nil, filters keys before the
// cut; it is called only for keys that would get into the list, and must not write
// to l. Keys without weight left are not listed. Cost is a few nanoseconds a key.
func (l *Live) Top(prefix string, by Measure, now int64, k int, allow func(key string) bool) []Entry {
	if k <= 0 {
		return []Entry{}
	}
	l.moveTo(now)
	l.mu.RLock()
	defer l.mu.RUnlock()
	var tables []*table
	for name, t := range l.groups {
		if strings.HasPrefix(name, prefix) || strings.HasPrefix(prefix, name) {
			tables = append(tables, t)
		}
	}
	trend := newTrend(l.cfg, now, now)
	if by == ByTrend {
		for _, t := range tables {
			t.count(prefix, trend) // the whole prefix is the catalogue, whatever allow says
		}
	}
	list := &topList{k: k, allow: allow}
	for _, t := range tables {
		t.top(prefix, by, trend, list)
	}
	return list.sorted()
}

// moveTo makes the tables' times comparable with now.
func (l *Live) moveTo(now int64) {
	l.mu.RLock()
	far := false
	for _, t := range l.groups {
		far = far || t.far(now)
	}
	l.mu.RUnlock()
	if !far {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.groups {
		if t.far(now) {
			t.rebase(now)
		}
	}
}
