package assemble

import (
	"context"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/data"
	"kindred/features"
	"kindred/model"
)

func TestAPreferenceIsThePositiveSumOfWhatWasDone(t *testing.T) {
	rule := Preference{Weigh: features.Weights{View: 1, Purchase: 10, Hide: -8, RatingMin: 4, RatingMax: 10}.Of}
	acts := []Act{ // in time order
		{Item: 1, Kind: data.View},
		{Item: 2, Kind: data.Purchase},
		{Item: 3, Kind: data.Rating, Value: 3}, // seen, not liked
		{Item: 4, Kind: data.Rating, Value: 5},
		{Item: 5, Kind: data.Purchase}, // bought, then hidden
		{Item: 5, Kind: data.Hide},
		{Item: 1, Kind: data.View},
	}
	want := Taste{
		Liked: model.History{Rows: []int32{1, 4, 2}, Weights: []float32{2, 5, 10}}, // newest first
		Seen:  []int32{1, 2, 3, 4, 5},
	}
	if d := cmp.Diff(want, TasteOf(acts, rule)); d != "" {
		t.Error(d)
	}
	rule.Binary = true
	if d := cmp.Diff([]float32{1, 1, 1}, TasteOf(acts, rule).Liked.Weights); d != "" {
		t.Errorf("binary: %s", d)
	}
}

func TestTheMatrixHoldsEveryPreferenceAndNothingElse(t *testing.T) {
	tastes := []Taste{
		{Liked: model.History{Rows: []int32{2, 0}, Weights: []float32{3, 1}}, Seen: []int32{0, 1, 2}},
		{},
		{Seen: []int32{1}},
	}
	x := Matrix(tastes, 4)
	if x.Rows != 3 || x.Cols != 4 || x.NNZ() != 2 {
		t.Fatalf("matrix %d × %d with %d entries, want 3 × 4 with 2", x.Rows, x.Cols, x.NNZ())
	}
	cols, vals := x.Row(0)
	if !slices.Equal(cols, []int32{0, 2}) || !slices.Equal(vals, []float32{1, 3}) {
		t.Errorf("row 0 = %v %v", cols, vals)
	}
	users, people := Users(tastes, 4)
	if !slices.Equal(users, []int32{1, 2, 1, 0}) || people != 2 {
		t.Errorf("users %v of %d, want [1 2 1 0] of 2", users, people)
	}
}

// TestTrainingAndServingWeighAlike folds the same acts into a live profile and
// compares its preferences with the row that training makes of them.
func TestTrainingAndServingWeighAlike(t *testing.T) {
	cfg := features.Default()
	start := time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)
	kinds := map[data.Kind]string{
		data.View: "Product Viewed", data.Click: "Product Clicked", data.Wishlist: "Product Added to Wishlist",
		data.AddToCart: "Product Added", data.Rating: "Item Rated",
	}
	rapid.Check(t, func(t *rapid.T) {
		mem := features.NewMemory(0, features.State{}, nil, nil)
		fold := features.NewBuilder(cfg)
		b := NewBuilder()
		n := rapid.IntRange(1, 25).Draw(t, "acts")
		for i := range n {
			kind := rapid.SampledFrom([]data.Kind{data.View, data.Click, data.Wishlist, data.AddToCart, data.Rating}).Draw(t, "kind")
			item := data.ItemID(rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "item"))
			moment := start.Add(time.Duration(i) * time.Minute)
			act := data.Interaction{Profile: "ann", Item: item, Kind: kind, At: moment}
			e := data.Event{V: 1, ID: strconv.Itoa(i), Source: "t", Type: data.Track, Name: kinds[kind], Profile: "ann",
				Items: []data.EventItem{{ID: item}}, Times: data.Times{Event: moment, Original: moment, Received: moment}}
			if kind == data.Rating {
				act.Value = float64(rapid.IntRange(1, 5).Draw(t, "stars"))
				e.Value = act.Value
				e.Props = []byte(`{"rating":` + strconv.Itoa(int(act.Value)) + `}`)
			}
			b.Add("ann", act)
			if outcome, err := fold.Fold(context.Background(), mem, int64(i), e); err != nil || outcome != features.Applied {
				t.Fatalf("fold %s: %v, %v", e.Name, outcome, err)
			}
		}
		profile, ok, err := mem.Profile(context.Background(), "ann")
		if !ok || err != nil {
			t.Fatalf("profile: %v %v", ok, err)
		}
		tab, err := b.Table()
		if err != nil {
			t.Fatal(err)
		}
		taste := TasteOf(tab.Acts, Preference{Weigh: cfg.Weights.Of})
		live := features.Preferences(profile, cfg.Weights)
		if len(live) != len(taste.Liked.Rows) {
			t.Fatalf("serving sees %v, training %+v", live, taste.Liked)
		}
		for i, p := range live {
			if string(p.Item) != tab.Items.Key(taste.Liked.Rows[i]) || math.Abs(p.Weight-float64(taste.Liked.Weights[i])) > 1e-5 {
				t.Fatalf("place %d: serving %v, training %s with %v", i, p, tab.Items.Key(taste.Liked.Rows[i]), taste.Liked.Weights[i])
			}
		}
	})
}

func TestWhateverOnePersonDidThePreferencesAreFinite(t *testing.T) {
	for _, weight := range []float64{math.Inf(1), math.Inf(-1), math.NaN(), 1e300, -1e300, 1e38} {
		rule := Preference{Weigh: func(data.Interaction) float64 { return weight }}
		acts := []Act{{Item: 1, Kind: data.Rating}, {Item: 1, Kind: data.Rating}, {Item: 1, Kind: data.Rating}}
		for _, r := range TasteOf(acts, rule).Liked.Weights {
			if r > maxStrength {
				t.Errorf("acts that weigh %v make the preference %v", weight, r)
			}
		}
		if of := rule.Of(acts[0]); math.IsNaN(of) || math.Abs(of) > maxStrength {
			t.Errorf("an act that weighs %v counts %v", weight, of)
		}
	}
	rule := Preference{Weigh: features.DefaultWeights().Of}
	if d := cmp.Diff([]float32{10}, TasteOf([]Act{{Item: 1, Kind: data.Rating, Value: float32(math.Inf(1))}}, rule).Liked.Weights); d != "" {
		t.Error(d)
	}
}
