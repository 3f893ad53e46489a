package features

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
)

func TestWeights(t *testing.T) {
	w := DefaultWeights()
	w.RatingMin = 3
	for _, c := range []struct {
		kind  data.Kind
		value float64
		want  float64
	}{
		{data.View, 0, 1}, {data.Click, 0, 2}, {data.Scroll, 0, 1}, {data.Dwell, 0, 2}, {data.Wishlist, 0, 4}, {data.AddToCart, 0, 5},
		{data.Purchase, 99, 10}, {data.Hide, 0, -8}, {data.Rating, 4, 4}, {data.Rating, 2.5, 0}, {data.KindNone, 1, 0},
	} {
		if got := w.Of(data.Interaction{Kind: c.kind, Value: c.value}); got != c.want {
			t.Errorf("%v of %v weighs %v, want %v", c.kind, c.value, got, c.want)
		}
	}
	w.Dwell = math.NaN()
	if err := w.Validate(); err == nil || !strings.Contains(err.Error(), "dwell") {
		t.Errorf("Validate = %v, want an error that names dwell", err)
	}
}

func TestPreferencesUseTheModelsWeightsWhereTheHistoryAllows(t *testing.T) {
	kinds := func(k ...data.Kind) (out uint16) {
		for _, k := range k {
			out |= 1 << k
		}
		return out
	}
	p := data.Profile{History: []data.HistoryItem{
		{Item: "viewed", Kinds: kinds(data.View), Count: 3, Weight: 3},
		{Item: "mixed", Kinds: kinds(data.View, data.Click), Count: 2, Weight: 3},
		{Item: "rated", Kinds: kinds(data.Rating), Count: 1, Value: 2, Weight: 2},
		{Item: "loved", Kinds: kinds(data.Rating), Count: 1, Value: 5, Weight: 5},
		{Item: "hidden", Kinds: kinds(data.Purchase, data.Hide), Count: 2, Weight: 2},
	}}
	w := DefaultWeights()
	w.View, w.RatingMin = 10, 3
	want := []Preference{{"viewed", 30}, {"mixed", 3}, {"loved", 5}}
	if diff := cmp.Diff(want, Preferences(p, w)); diff != "" {
		t.Error(diff)
	}
	if len(Seen(p)) != 5 || len(Hidden(p)) != 1 {
		t.Errorf("seen %v hidden %v", Seen(p), Hidden(p))
	}
}

func TestARatingWeighsAsMuchAsRatingMaxAtMost(t *testing.T) {
	w := DefaultWeights()
	for value, want := range map[float64]float64{5: 5, 10: 10, 10.5: 10, 1e9: 10, 1e300: 10, math.Inf(1): 10, math.NaN(): 0, -1: 0} {
		if got := w.Of(data.Interaction{Kind: data.Rating, Value: value}); got != want {
			t.Errorf("a rating of %v weighs %v, want %v", value, got, want)
		}
	}
	for field, spoil := range map[string]func(*Weights){
		"rating_max": func(w *Weights) { w.RatingMax = 0 },
		"rating_min": func(w *Weights) { w.RatingMin = 11 }, // above rating_max
		"purchase":   func(w *Weights) { w.Purchase = 1e308 },
	} {
		w := DefaultWeights()
		spoil(&w)
		if err := w.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("Validate = %v, want an error that names %s", err, field)
		}
	}
}

// finite fails for every number of the profile that is not.
func finite(t *testing.T, p data.Profile, now int64) {
	t.Helper()
	check := func(what string, x float64) {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			t.Errorf("%s is %v", what, x)
		}
	}
	for _, h := range p.History {
		check("weight of "+string(h.Item), h.Weight)
		check("rating of "+string(h.Item), h.Value)
	}
	for _, a := range p.Affinities {
		check("affinity "+a.Value, a.S)
	}
	for _, s := range p.Slots {
		for _, pane := range s.Panes {
			check("pane", pane.Sum)
		}
	}
	check("engagement", p.Engagement.S)
	check("engagement score", EngagementScore(p, now))
	check("revenue", Revenue(p, now))
	for _, pref := range Preferences(p, DefaultWeights()) {
		check("preference for "+string(pref.Item), pref.Weight)
	}
	for i, x := range Vector(p, now) {
		check(VectorNames()[i], x)
	}
}

func TestAProfileHoldsFiniteNumbersWhateverAnOlderLogSays(t *testing.T) {
	w := newWorld(t, Default())
	for range 3 {
		for _, name := range []string{"Item Rated", "Order Completed"} {
			e := w.event(noon, "ann", "", name, data.EventItem{ID: "lamp", Price: 1e308, Quantity: 1e308, Facets: map[string][]string{"category": {"light"}}})
			e.Value = 1.7e308
			w.fold(w.route(e))
		}
	}
	ann := w.user("ann")
	finite(t, ann, noon.UnixMilli())
	// What an older build folded is merged, read and added to as well.
	old := data.Profile{
		ID: "old", Engagement: data.Decayed{S: 1.7e308, T: 1},
		History:    []data.HistoryItem{{Item: "lamp", Kinds: 1 << data.Rating, Count: 2, Value: 1.7e308, Weight: math.Inf(1), Last: 1}},
		Affinities: []data.Affinity{{Facet: "category", Value: "light", Decayed: data.Decayed{S: 1.7e308, T: 1}}},
	}
	for _, s := range ann.Slots {
		panes := slices.Clone(s.Panes)
		for i := range panes {
			panes[i].Sum = math.MaxFloat64
		}
		old.Slots = append(old.Slots, data.Slot{ID: s.ID, Panes: panes, Ring: s.Ring})
	}
	b := NewBuilder(Default())
	finite(t, b.Merge(b.Merge(ann, old), old), noon.UnixMilli())
	finite(t, b.Merge(old, ann), noon.UnixMilli())
	for _, x := range w.m.counters.all {
		key, c := x.key, x.counts
		if math.IsInf(c.Short.S, 0) || math.IsInf(c.Long.S, 0) {
			t.Errorf("counter %s is %+v", key, c)
		}
	}
}
