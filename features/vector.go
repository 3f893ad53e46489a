package features

import (
	"math"
	"time"

	"kindred/data"
	"kindred/features/compact"
	"kindred/features/window"
)

// dimension is one coordinate of the behaviour vector.
type dimension struct {
	name string
	read func(in *behaviour) float64
}

// behaviour is what the dimensions are made of, whichever form the profile has.
type behaviour struct {
	counts      [len(counted)]int // of acts in windows
	revenue     float64
	items       int     // in the history
	ratings     int     // rated items
	ratingSum   float64 // of them, each within ±ratingScale
	sessions    uint32
	events      uint32 // of the current session
	engagement  float64
	first, last int64   // FirstSeen and LastSeen
	focus       float64 // see focusOf
	now         int64
}

// counted are the windows that have a dimension.
var counted = [...]struct {
	name string
	act  data.Kind
	days int
}{
	{"views_7d", data.View, 7}, {"views_30d", data.View, 30}, {"clicks_30d", data.Click, 30},
	{"carts_30d", data.AddToCart, 30}, {"purchases_30d", data.Purchase, 30},
}

// ratingScale bounds a rating inside rating_mean: one absurd rating would put
// everybody else into one group.
const ratingScale = 100

// dimensions of the behaviour vector, counted ones first. Counts are log1p: people
// differ by factors, not by differences. Changing this list changes what clusters mean,
// so a new dimension goes with a new model.
var dimensions = [...]dimension{
	{counted[0].name, func(in *behaviour) float64 { return logOf(in.counts[0]) }},
	{counted[1].name, func(in *behaviour) float64 { return logOf(in.counts[1]) }},
	{counted[2].name, func(in *behaviour) float64 { return logOf(in.counts[2]) }},
	{counted[3].name, func(in *behaviour) float64 { return logOf(in.counts[3]) }},
	{counted[4].name, func(in *behaviour) float64 { return logOf(in.counts[4]) }},
	{"revenue_90d", func(in *behaviour) float64 { return logOfReal(math.Max(0, in.revenue)) }},
	{"items", func(in *behaviour) float64 { return logOf(in.items) }},
	{"ratings", func(in *behaviour) float64 { return logOf(in.ratings) }},
	{"rating_mean", func(in *behaviour) float64 { return in.ratingSum / float64(in.ratings) }}, // 0/0 is NaN
	{"sessions", func(in *behaviour) float64 { return logOf(int(in.sessions)) }},
	{"session_events", func(in *behaviour) float64 { return logOf(int(in.events)) }},
	{"engagement", func(in *behaviour) float64 { return in.engagement / 100 }},
	{"idle_days", func(in *behaviour) float64 { return logOfReal(days(in.now - in.last)) }},
	{"tenure_days", func(in *behaviour) float64 { return logOfReal(days(in.last - in.first)) }},
	{"category_focus", func(in *behaviour) float64 { return in.focus }},
}

// VectorNames are the names of Vector's coordinates, in order.
func VectorNames() []string {
	out := make([]string, len(dimensions))
	for i, d := range dimensions {
		out[i] = d.name
	}
	return out
}

// Vector is the person's behaviour at now (Unix ms) as clusters see it, one
// coordinate for each of VectorNames. A coordinate that is not known is NaN; the
// scaler of model/cluster imputes it.
func Vector(p data.Profile, now int64) []float64 {
	in := behaviour{
		revenue: Revenue(p, now), items: len(p.History), sessions: p.Sessions, events: p.Session.Events,
		engagement: EngagementScore(p, now), first: p.FirstSeen, last: p.LastSeen, now: now,
	}
	for i, c := range counted {
		in.counts[i] = Count(p, Window{c.act, time.Duration(c.days) * 24 * time.Hour}, now)
	}
	for _, h := range p.History {
		if h.Has(data.Rating) {
			in.ratings++
			in.ratingSum += math.Max(-ratingScale, math.Min(h.Value, ratingScale))
		}
	}
	var sums []float64
	for _, a := range p.Affinities {
		if a.Facet == focusFacet {
			sums = append(sums, window.Coarse(a.Decayed, now, AffinityHalfLife))
		}
	}
	in.focus = focusOf(sums)
	out := make([]float64, len(dimensions))
	in.vector(out)
	return out
}

// logs are ln(1 + n) of the small counts that most people have.
var logs = func() (t [256]float64) {
	for n := range t {
		t[n] = math.Log1p(float64(n))
	}
	return t
}()

func logOf(n int) float64 {
	if uint(n) < uint(len(logs)) {
		return logs[n]
	}
	return math.Log1p(float64(n))
}

// logOfReal is ln(1 + x), which is 0 where there is nothing.
func logOfReal(x float64) float64 {
	if x == 0 {
		return 0
	}
	return math.Log1p(x)
}

func (in *behaviour) vector(out []float64) {
	for i := range dimensions {
		out[i] = dimensions[i].read(in)
	}
}

// vectorInPlace is Vector of a compact profile, in memory that the next call uses again.
func (m *Memory) vectorInPlace(b *Builder, p *compact.Person, now int64) []float64 {
	people, in := m.people, &m.scratch.behaviour
	*in = behaviour{
		revenue: people.Sum(p, b.revenueSlot, now), items: p.HistoryLen(), sessions: p.Sessions, events: p.Session.Events,
		engagement: engagementScore(p.Engagement(), now), first: p.FirstSeen(), last: p.LastSeen(), now: now,
	}
	x := m.read(p, now)
	for i, slot := range b.countedSlots {
		in.counts[i] = x.counts[slot]
	}
	in.ratings, in.ratingSum = people.Ratings(p, ratingScale)
	in.focus = focusOf(x.sums)
	in.vector(m.scratch.vector[:])
	return m.scratch.vector[:]
}

// readings are a person's windows and interests at log time, after the record being folded.
type readings struct {
	done   bool
	counts [compact.MaxSlots]int // of the slots
	sums   []float64             // of the values of focusFacet, in order
}

// read is the readings of the person whose event was just folded: whoever asks after the
// first finds them made.
func (m *Memory) read(p *compact.Person, now int64) *readings {
	x := &m.scratch.readings
	if !x.done {
		m.people.Counts(p, now, x.counts[:])
		x.sums = m.people.AppendSums(x.sums[:0], p, m.scratch.focus, now, AffinityHalfLife)
		x.done = true
	}
	return x
}

// focusFacet is the facet of category_focus.
const focusFacet = "category"

// focusOf is the share of the strongest category in the person's positive category
// interest: near 0 for a browser of everything, near 1 for a specialist, NaN for
// somebody without categories. sums are the categories', in the order of their names.
func focusOf(sums []float64) float64 {
	var most, all float64
	for _, s := range sums {
		if s > 0 {
			most = max(most, s)
			all += s
		}
	}
	return most / all // 0/0 is NaN
}

func days(ms int64) float64 {
	return math.Max(0, float64(ms)) / float64((24 * time.Hour).Milliseconds())
}
