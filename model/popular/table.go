package popular

import (
	"math"
	"slices"
	"strings"
	"time"
)

// table is a group's keys with their sums, in arrays that a list is made from in one pass. A sum S
// valued at T is kept as S·2^((T−base)/h) too: then those of all keys decay by one
// common factor, and order and trends need no power for each key (forward decay).
type table struct {
	cfg   Config
	index map[string]int32
	keys  []string
	parts [][]part
	sums  []Counts

	base        int64
	short, long []float64 // forward-decayed sums
	newest      []int64   // of the sums' times: a sum from the future does not decay yet
}

func newTable(cfg Config) *table { return &table{cfg: cfg, index: map[string]int32{}} }

// put gives the key its partitions' sums; none removes it.
func (t *table) put(key string, parts []part) {
	at, known := t.index[key]
	switch {
	case len(parts) == 0 && !known:
		return
	case len(parts) == 0:
		last := int32(len(t.keys) - 1)
		t.keys[at], t.parts[at], t.sums[at] = t.keys[last], t.parts[last], t.sums[last]
		t.short[at], t.long[at], t.newest[at] = t.short[last], t.long[last], t.newest[last]
		t.index[t.keys[at]] = at
		delete(t.index, key)
		t.keys[last], t.parts[last] = "", nil
		t.keys, t.parts, t.sums = t.keys[:last], t.parts[:last], t.sums[:last]
		t.short, t.long, t.newest = t.short[:last], t.long[:last], t.newest[:last]
		return
	case !known:
		at = int32(len(t.keys))
		t.index[key] = at
		t.keys, t.parts, t.sums = append(t.keys, key), append(t.parts, nil), append(t.sums, Counts{})
		t.short, t.long, t.newest = append(t.short, 0), append(t.long, 0), append(t.newest, 0)
	}
	// Partitions are added in the order of their numbers, so the bytes are always the same.
	var c Counts
	for _, p := range parts {
		c.Short = c.Short.Merge(p.counts.Short, t.cfg.ShortHalfLife)
		c.Long = c.Long.Merge(p.counts.Long, t.cfg.HalfLife)
	}
	t.parts[at], t.sums[at] = parts, c
	t.forward(int(at))
}

// forward computes the forward-decayed sums of a key.
func (t *table) forward(at int) {
	c := t.sums[at]
	t.short[at] = c.Short.S * growth(c.Short.T-t.base, t.cfg.ShortHalfLife)
	t.long[at] = c.Long.S * growth(c.Long.T-t.base, t.cfg.HalfLife)
	t.newest[at] = max(c.Short.T, c.Long.T)
}

// growth is 2^(age/h), kept finite and above 0; 1 for h = 0, which never decays.
func growth(age int64, halfLife time.Duration) float64 {
	if halfLife <= 0 {
		return 1
	}
	return math.Exp2(max(-1000, min(1000, float64(age)*float64(time.Millisecond)/float64(halfLife))))
}

// farHalfLives is how far now may be from the base: the powers stay well within float64.
const farHalfLives = 256

// far reports whether the base has to move before a list is made at now.
func (t *table) far(now int64) bool {
	return math.Abs(float64(now)-float64(t.base))*float64(time.Millisecond) > farHalfLives*float64(t.cfg.ShortHalfLife)
}

// rebase moves the base to now.
func (t *table) rebase(now int64) {
	t.base = now
	for at := range t.keys {
		t.forward(at)
	}
}

// whole reports whether every key has the prefix, because their common beginning does.
func (t *table) whole(prefix string) bool {
	return len(t.keys) == 0 || strings.HasPrefix(group(t.keys[0]), prefix)
}

// count adds the keys with the prefix to the trend's catalogue.
func (t *table) count(prefix string, of *trend) {
	short, long := growth(t.base-of.now, t.cfg.ShortHalfLife), growth(t.base-of.now, t.cfg.HalfLife)
	whole := t.whole(prefix)
	for at := range t.keys {
		switch {
		case !whole && !strings.HasPrefix(t.keys[at], prefix):
		case t.newest[at] > of.now:
			of.count(t.sums[at])
		default:
			of.short += max(0, t.short[at]*short) * of.perShort
			of.long += max(0, t.long[at]*long) * of.perLo
		}
	}
}

// top offers the keys with the prefix to the list.
func (t *table) top(prefix string, by Measure, of *trend, list *topList) {
	short, long := growth(t.base-of.now, t.cfg.ShortHalfLife), growth(t.base-of.now, t.cfg.HalfLife)
	whole := t.whole(prefix)
	relative, a := 0.0, t.cfg.Smoothing*of.perLo
	if of.short > 0 && of.long > 0 {
		relative = of.long / of.short * of.perShort * short
	}
	for at, weight := range t.long {
		score := weight * long
		switch {
		case t.newest[at] > of.now: // rare, and exact
			if score = t.sums[at].Long.At(of.now, t.cfg.HalfLife); score > 0 && by == ByTrend {
				score = of.of(t.sums[at])
			}
		case by != ByTrend || !(score > 0):
		case relative == 0:
			score = 1
		default:
			score = (max(0, t.short[at])*relative + a) / (score*of.perLo + a)
		}
		if !(score <= list.least) && (whole || strings.HasPrefix(t.keys[at], prefix)) {
			list.offer(t, int32(at), by, of)
		}
	}
}

// topList holds the k best keys so far.
type topList struct {
	k     int
	allow func(string) bool
	found []Entry
	least float64 // a key with less cannot get in any more; 0 until there are k
}

// slack is more than the relative error of a score by forward-decayed sums: a key that
// ties with the last one is looked at, for keys decide then.
const slack = 1e-9

// offer considers a key that seems good enough: its score is then computed as for one
// key alone.
func (l *topList) offer(t *table, at int32, by Measure, of *trend) {
	c := t.sums[at]
	e := Entry{t.keys[at], c.Long.At(of.now, t.cfg.HalfLife)}
	if !(e.Score > 0) {
		return
	}
	if by == ByTrend {
		if e.Score = of.of(c); e.Score != e.Score {
			e.Score = 0 // endless weight over endless weight says nothing
		}
	}
	if len(l.found) == l.k && compareEntries(e, l.found[0]) >= 0 || l.allow != nil && !l.allow(e.Key) {
		return
	}
	if len(l.found) < l.k {
		l.found = append(l.found, e)
		for i := len(l.found) - 1; i > 0 && compareEntries(l.found[i], l.found[(i-1)/2]) > 0; i = (i - 1) / 2 {
			l.found[i], l.found[(i-1)/2] = l.found[(i-1)/2], l.found[i]
		}
	} else {
		l.found[0] = e
		l.sink()
	}
	if len(l.found) == l.k {
		l.least = l.found[0].Score * (1 - slack)
	}
}

// sink restores the heap, its last entry at the root.
func (l *topList) sink() {
	h := l.found
	for i := 0; ; {
		last := 2*i + 1
		if last >= len(h) {
			return
		}
		if last+1 < len(h) && compareEntries(h[last+1], h[last]) > 0 {
			last++
		}
		if compareEntries(h[last], h[i]) <= 0 {
			return
		}
		h[i], h[last] = h[last], h[i]
		i = last
	}
}

// compareEntries orders by falling score, equal ones by key.
func compareEntries(a, b Entry) int {
	switch {
	case a.Score > b.Score:
		return -1
	case a.Score < b.Score:
		return 1
	}
	return strings.Compare(a.Key, b.Key)
}

// sorted is the list, best first.
func (l *topList) sorted() []Entry {
	if l.found == nil {
		return []Entry{}
	}
	slices.SortFunc(l.found, compareEntries)
	return l.found
}
