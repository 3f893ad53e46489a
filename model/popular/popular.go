package popular

import (
	"fmt"
	"math"

	"kindred/model"
)

// Event is one interaction with an item row, as Fit counts it.
type Event struct {
	Row    int32
	Weight float64
	At     int64 // Unix milliseconds
}

// Model is the popularity of n items. It is immutable and safe for concurrent use.
type Model struct {
	cfg    Config
	counts []Counts
	first  int64     // time of the earliest event; only plain popularity needs it
	scores []float32 // what Score gives everybody
}

var _ model.Constant = (*Model)(nil)

// Fit sums the events of n items, in any order. now, in Unix milliseconds, is the
// end of the data: events after it count as happening at it. A row outside [0, n)
// or a cfg that Validate refuses panics. Cost is O(n + events).
func Fit(n int, events []Event, now int64, cfg Config) *Model {
	counts := make([]Counts, n)
	first := now
	for _, e := range events {
		at := min(e.At, now)
		first = min(first, at)
		c := &counts[e.Row]
		c.Short = c.Short.Add(e.Weight, at, cfg.ShortHalfLife)
		c.Long = c.Long.Add(e.Weight, at, cfg.HalfLife)
	}
	return FromCounts(counts, first, cfg)
}

// FromCounts builds a model from sums made elsewhere, one per item row; counts is
// kept and must not change. first is the time of the earliest event in them and
// matters only where cfg.HalfLife is 0.
func FromCounts(counts []Counts, first int64, cfg Config) *Model {
	if err := cfg.Validate(); err != nil {
		panic(fmt.Sprintf("fit: %v", err))
	}
	m := &Model{cfg: cfg, counts: counts, first: first, scores: make([]float32, len(counts))}
	at := m.newest()
	for i, c := range counts {
		m.scores[i] = float32(math.Log1p(max(0, c.Long.At(at, cfg.HalfLife))))
	}
	return m
}

// Name is "popular".
func (m *Model) Name() string { return "popular" }

// Items is the number of item rows.
func (m *Model) Items() int { return len(m.counts) }

// Config is the configuration of the fit.
func (m *Model) Config() Config { return m.cfg }

// Score writes ln(1 + S) for every item, S valued at the newest event in the data
// (any later moment ranks the items alike). It says so about everybody, and
// reports false only when there are no items. The logarithm keeps a few
// blockbusters from drowning the rest once a blend standardises the scores.
func (m *Model) Score(_ model.History, dst []float32) bool {
	copy(dst, m.scores)
	return len(dst) > 0
}

// Constant is what Score writes for everybody; do not change it.
func (m *Model) Constant() []float32 { return m.scores }

// Popularity writes into dst, of length Items, each item's long sum at time now:
// decayed weight, never negative.
func (m *Model) Popularity(now int64, dst []float32) {
	for i, c := range m.counts {
		dst[i] = float32(max(0, c.Long.At(now, m.cfg.HalfLife)))
	}
}

// Trend writes into dst, of length Items, each item's trend at time now; see the
// package comment. All 1 when nothing happened lately.
func (m *Model) Trend(now int64, dst []float32) {
	t := newTrend(m.cfg, m.first, now)
	for _, c := range m.counts {
		t.count(c)
	}
	for i, c := range m.counts {
		dst[i] = float32(t.of(c))
	}
}

// newest is the time of the latest event in the sums.
func (m *Model) newest() int64 {
	newest := int64(math.MinInt64)
	for _, c := range m.counts {
		if c != (Counts{}) {
			newest = max(newest, c.Long.T, c.Short.T)
		}
	}
	return newest
}

// trend compares short and long rates at one moment. Rates are per second.
type trend struct {
	cfg             Config
	now             int64
	perShort, perLo float64 // rate = sum × per
	short, long     float64 // the catalogue's rates
}

// newTrend prepares a comparison at now; see Config.HalfLife for first.
func newTrend(cfg Config, first, now int64) *trend {
	long := cfg.HalfLife.Seconds() / math.Ln2
	if cfg.HalfLife == 0 { // a plain sum covers the whole span of the data
		long = max((float64(now)-float64(first))/1000, cfg.ShortHalfLife.Seconds())
	}
	return &trend{cfg: cfg, now: now, perShort: math.Ln2 / cfg.ShortHalfLife.Seconds(), perLo: 1 / long}
}

// rates are the item's own short and long rates.
func (t *trend) rates(c Counts) (short, long float64) {
	return max(0, c.Short.At(t.now, t.cfg.ShortHalfLife)) * t.perShort,
		max(0, c.Long.At(t.now, t.cfg.HalfLife)) * t.perLo
}

// count adds an item to the catalogue's rates.
func (t *trend) count(c Counts) {
	short, long := t.rates(c)
	t.short += short
	t.long += long
}

// of is the item's trend, once every item was counted.
func (t *trend) of(c Counts) float64 {
	if !(t.short > 0 && t.long > 0) {
		return 1
	}
	short, long := t.rates(c)
	a := t.cfg.Smoothing * t.perLo
	return (short*(t.long/t.short) + a) / (long + a)
}
