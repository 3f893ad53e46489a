package features

import (
	"math"
	"time"

	"kindred/data"
)

// dimension is one coordinate of the behaviour vector.
type dimension struct {
	name string
	read func(in vectorInput) float64
}

// vectorInput is the profile and what several dimensions share.
type vectorInput struct {
	p       data.Profile
	now     int64
	slots   []slot
	ratings float64 // rated items
	rated   float64 // their mean rating
}

// ratingScale bounds a rating inside rating_mean: one absurd rating would put
// everybody else into one group.
const ratingScale = 100

// dimensions of the behaviour vector. Counts are log1p: people differ by factors,
// not by differences. Changing this list changes what clusters mean, so a new
// dimension goes with a new model.
var dimensions = [...]dimension{
	{"views_7d", counted(data.View, 7)},
	{"views_30d", counted(data.View, 30)},
	{"clicks_30d", counted(data.Click, 30)},
	{"carts_30d", counted(data.AddToCart, 30)},
	{"purchases_30d", counted(data.Purchase, 30)},
	{"revenue_90d", func(in vectorInput) float64 { return math.Log1p(math.Max(0, in.revenue())) }},
	{"items", func(in vectorInput) float64 { return math.Log1p(float64(len(in.p.History))) }},
	{"ratings", func(in vectorInput) float64 { return math.Log1p(in.ratings) }},
	{"rating_mean", func(in vectorInput) float64 { return in.rated }},
	{"sessions", func(in vectorInput) float64 { return math.Log1p(float64(in.p.Sessions)) }},
	{"session_events", func(in vectorInput) float64 { return math.Log1p(float64(in.p.Session.Events)) }},
	{"engagement", func(in vectorInput) float64 { return EngagementScore(in.p, in.now) / 100 }},
	{"idle_days", func(in vectorInput) float64 { return math.Log1p(days(in.now - in.p.LastSeen)) }},
	{"tenure_days", func(in vectorInput) float64 { return math.Log1p(days(in.p.LastSeen - in.p.FirstSeen)) }},
	{"category_focus", func(in vectorInput) float64 { return focus(in.p, in.now) }},
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
func Vector(p data.Profile, now int64) []float64 { return vector(p, now, builtinSlots()) }

func vector(p data.Profile, now int64, slots []slot) []float64 {
	in := vectorInput{p: p, now: now, slots: slots, rated: math.NaN()}
	var sum float64
	for _, h := range p.History {
		if h.Has(data.Rating) {
			in.ratings++
			sum += math.Max(-ratingScale, math.Min(h.Value, ratingScale))
		}
	}
	if in.ratings > 0 {
		in.rated = sum / in.ratings
	}
	out := make([]float64, len(dimensions))
	for i, d := range dimensions {
		out[i] = d.read(in)
	}
	return out
}

func counted(k data.Kind, nDays int) func(vectorInput) float64 {
	return func(in vectorInput) float64 {
		for _, s := range in.slots {
			if s.kinds == 1<<k && !s.sum && s.width == time.Duration(nDays)*24*time.Hour {
				n, _ := s.read(in.p, in.now)
				return math.Log1p(float64(n))
			}
		}
		return 0
	}
}

func (in vectorInput) revenue() float64 {
	for _, s := range in.slots {
		if s.sum {
			_, sum := s.read(in.p, in.now)
			return sum
		}
	}
	return 0
}

// focus is the share of the strongest category in the person's positive category
// interest: near 0 for a browser of everything, near 1 for a specialist, NaN for
// somebody without categories.
func focus(p data.Profile, now int64) float64 {
	var total, top float64
	for _, a := range TopAffinities(p, "category", now, math.MaxInt) {
		total += a.Share
		top = math.Max(top, a.Share)
	}
	return top / total // 0/0 is NaN
}

func days(ms int64) float64 {
	return math.Max(0, float64(ms)) / float64((24 * time.Hour).Milliseconds())
}
