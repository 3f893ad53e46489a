package recommend_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
	"kindred/features"
	"kindred/model"
	"kindred/model/popular"
	"kindred/model/vocab"
	"kindred/serving/live"
	"kindred/serving/online"
	"kindred/serving/recommend"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// people are profiles by user id.
type people map[data.UserID]data.Profile

func (p people) Read(_ context.Context, ids data.IDs) (online.Person, error) {
	if profile, ok := p[ids.User]; ok {
		return online.Person{Profile: profile, Known: true}, nil
	}
	return online.Person{Profile: data.Profile{ID: data.ProfileID("new-" + ids.User)}}, nil
}

// liker is the profile of somebody who viewed the items, newest first.
func liker(id string, items ...data.ItemID) data.Profile {
	p := data.Profile{ID: data.ProfileID(id)}
	for _, it := range items {
		p.History = append(p.History, data.HistoryItem{Item: it, Kinds: 1 << data.View, Count: 1, Weight: 1})
	}
	return p
}

// alike scores items by how many letters of their id the history's items share; it
// is cold for an empty history.
type alike struct {
	keys []string
}

func (a alike) Name() string { return "als" }
func (a alike) Items() int   { return len(a.keys) }

func (a alike) Score(h model.History, dst []float32) bool {
	clear(dst)
	for i, row := range h.Rows {
		a.add(row, h.Weights[i], dst)
	}
	return len(h.Rows) > 0
}

func (a alike) add(row int32, w float32, dst []float32) {
	for j, key := range a.keys {
		if key[0] == a.keys[row][0] {
			dst[j] += w
		}
	}
}

func (a alike) Similar(row int32, dst []float32) bool {
	clear(dst)
	a.add(row, 1, dst)
	return true
}

func (a alike) Explain(h model.History) model.Explanation { return because{a, h} }

// because names the history's items that share a letter.
type because struct {
	alike
	h model.History
}

func (b because) Causes(item int32, k int) []model.Cause {
	var out []model.Cause
	for i, row := range b.h.Rows {
		if b.keys[row][0] == b.keys[item][0] && len(out) < k {
			out = append(out, model.Cause{Row: row, Share: float64(b.h.Weights[i])})
		}
	}
	return out
}

func (because) Release() {}

// shop is a snapshot source with a model over keys, and a catalog.
type shop struct {
	keys    []string
	items   []data.Item
	deleted []data.ItemID
	none    bool
}

func (s shop) Current(context.Context) (data.Model, error) {
	if s.none {
		return data.Model{}, data.ErrNotFound
	}
	return data.Model{Version: "m-1"}, nil
}
func (s shop) Models(context.Context, string, int) ([]data.Model, error) { return nil, nil }
func (s shop) Artifact(context.Context, string) ([]byte, error)          { return nil, nil }
func (s shop) ItemsVersion(context.Context) (int64, error)               { return int64(len(s.items)), nil }
func (s shop) ItemsSince(context.Context, int64) ([]data.Item, []data.ItemID, int64, error) {
	return s.items, s.deleted, int64(len(s.items)), nil
}

func (s shop) decode([]byte) (live.Parts, error) {
	items, err := vocab.New(s.keys)
	if err != nil {
		return live.Parts{}, err
	}
	var events []popular.Event
	for i := range s.keys {
		events = append(events, popular.Event{Row: int32(i), Weight: float64(len(s.keys) - i), At: noon.UnixMilli()})
	}
	return live.Parts{Items: items, Weights: features.DefaultWeights(), Scorers: []model.Scorer{
		alike{s.keys}, popular.Fit(len(s.keys), events, noon.UnixMilli(), popular.Default()),
	}}, nil
}

// shown keeps impressions.
type shown []data.Shown

func (s *shown) Show(_ data.ProfileID, _ data.IDs, list data.Shown, _ json.RawMessage) {
	*s = append(*s, list)
}

func open(t testing.TB, s shop, p people) (*recommend.Service, *popular.Live, *shown) {
	t.Helper()
	l := live.New(live.Default(), live.Deps{Models: s, Artifacts: s, Items: s, Decode: s.decode, Now: func() time.Time { return noon }})
	if err := l.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	counters, impressions := popular.NewLive(popular.Default()), &shown{}
	return recommend.New(recommend.Default(), recommend.Deps{
		People: p, Snapshots: l, Counters: counters, Impressions: impressions, Now: func() time.Time { return noon },
	}), counters, impressions
}

func ids(a recommend.Answer) []string {
	out := []string{}
	for _, it := range a.Items {
		out = append(out, string(it.ID))
	}
	return out
}

var letters = shop{keys: []string{"a1", "a2", "a3", "b1", "b2", "b3"}, items: []data.Item{
	{ID: "a1", Price: 1}, {ID: "a2", Price: 2, Categories: []string{"x"}}, {ID: "a3", Hidden: true}, {ID: "b1", Price: 3, Categories: []string{"x"}},
}}

func TestListsHoldWhatTheRequestAllows(t *testing.T) {
	hater := liker("h", "b1")
	hater.History = append(hater.History, data.HistoryItem{Item: "b2", Kinds: 1 << data.Hide, Weight: -8})
	s, _, _ := open(t, letters, people{"ann": liker("p", "a1"), "hater": hater})
	two, three := 2.0, 3.0
	tests := []struct {
		name string
		req  recommend.Request
		want []string
	}{
		{"what is liked, seen and hidden left out", recommend.Request{IDs: data.IDs{User: "ann"}, N: 9}, []string{"a2", "b1", "b2", "b3"}},
		{"seen included", recommend.Request{IDs: data.IDs{User: "ann"}, N: 9, IncludeSeen: true}, []string{"a1", "a2", "b1", "b2", "b3"}},
		{"shorter", recommend.Request{IDs: data.IDs{User: "ann"}, N: 1}, []string{"a2"}},
		{"a wish not to see is kept even with seen ones", recommend.Request{IDs: data.IDs{User: "hater"}, N: 9, IncludeSeen: true}, []string{"b1", "a1", "a2", "b3"}},
		{"one category", recommend.Request{IDs: data.IDs{User: "ann"}, N: 9, IncludeSeen: true, Categories: []string{"x"}}, []string{"a2", "b1"}},
		{"no such category", recommend.Request{IDs: data.IDs{User: "ann"}, N: 9, Categories: []string{"y"}}, []string{}},
		{"excluded", recommend.Request{IDs: data.IDs{User: "ann"}, N: 9, Exclude: []data.ItemID{"a2", "b1", "ghost"}}, []string{"b2", "b3"}},
		{"priced", recommend.Request{IDs: data.IDs{User: "ann"}, N: 9, MinPrice: &two, MaxPrice: &three}, []string{"a2", "b1"}},
		{"nobody: popularity", recommend.Request{N: 9}, []string{"a1", "a2", "b1", "b2", "b3"}},
		{"a visitor's newest items", recommend.Request{N: 9, Recent: []data.ItemID{"b3", "ghost"}}, []string{"b1", "b2", "a1", "a2"}},
		{"one component", recommend.Request{IDs: data.IDs{User: "ann"}, N: 9, Components: []string{"als"}}, []string{"a2", "b1", "b2", "b3"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := s.Recommend(t.Context(), tt.req)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, ids(got)); diff != "" {
				t.Errorf("list (-want +got):\n%s", diff)
			}
			again, _ := s.Recommend(t.Context(), tt.req)
			if diff := cmp.Diff(got, again); diff != "" {
				t.Errorf("the same request got another answer:\n%s", diff)
			}
		})
	}
}

func TestReasonsSumToOneAndNamePastItems(t *testing.T) {
	s, _, impressions := open(t, letters, people{"ann": liker("p", "b3", "b2")})
	got, err := s.Recommend(t.Context(), recommend.Request{ID: "r1", IDs: data.IDs{User: "ann"}, N: 1, Slot: "home"})
	if err != nil {
		t.Fatal(err)
	}
	it := got.Items[0]
	if it.ID != "b1" || it.Reasons[0].Component != "als" {
		t.Fatalf("first = %+v, want b1 because of als", it)
	}
	sum := float32(0)
	for _, r := range it.Reasons {
		sum += r.Share
	}
	if sum < .999 || sum > 1.001 {
		t.Errorf("shares sum to %v", sum)
	}
	if diff := cmp.Diff([]recommend.Cause{{Item: "b3", Share: .5}, {Item: "b2", Share: .5}}, it.Reasons[0].Because); diff != "" {
		t.Errorf("because (-want +got):\n%s", diff)
	}
	want := shown{{Request: "r1", Slot: "home", Model: "m-1", Items: []data.ShownItem{{Item: "b1", Position: 1, Score: float64(it.Score)}}}}
	if diff := cmp.Diff(want, *impressions); diff != "" {
		t.Errorf("impressions (-want +got):\n%s", diff)
	}
}

func TestAComponentThatKnowsNothingFallsBackToPopularity(t *testing.T) {
	s, _, _ := open(t, letters, people{})
	got, err := s.Recommend(t.Context(), recommend.Request{IDs: data.IDs{User: "new"}, N: 2, Components: []string{"als"}})
	if err != nil || got.Fallback != "cold" || !slices.Equal(ids(got), []string{"a1", "a2"}) {
		t.Errorf("answer = %+v, %v; want popularity as a fallback", got, err)
	}
	_, err = s.Recommend(t.Context(), recommend.Request{N: 2, Components: []string{"magic"}})
	var unknown *live.UnknownComponentError
	if !errors.As(err, &unknown) || unknown.Name != "magic" {
		t.Errorf("unknown component: %v", err)
	}
}

func TestWithoutAModel(t *testing.T) {
	s, _, _ := open(t, shop{none: true}, people{})
	if got, err := s.Recommend(t.Context(), recommend.Request{N: 2}); err != nil || got.Items == nil || len(got.Items) != 0 || got.Fallback != "no_model" {
		t.Errorf("empty server: %+v, %v; want an empty list without a model", got, err)
	}
	s, counters, _ := open(t, shop{none: true, items: letters.items}, people{})
	got, err := s.Recommend(t.Context(), recommend.Request{N: 2})
	if err != nil || got.Model != "none" || got.Fallback != "no_model" || !slices.Equal(ids(got), []string{"a1", "a2"}) {
		t.Errorf("a catalog nobody used: %+v, %v", got, err)
	}
	for item, weight := range map[string]float64{"b1": 5, "a3": 9, "a1": 1} {
		c := popular.Counts{}
		c.Long = c.Long.Add(weight, noon.UnixMilli(), popular.Default().HalfLife)
		counters.Set(0, "i/"+item, c)
	}
	got, err = s.Recommend(t.Context(), recommend.Request{N: 9})
	if err != nil || !slices.Equal(ids(got), []string{"b1", "a1"}) {
		t.Errorf("what was counted: %v, %v; want b1 a1, a3 is hidden", ids(got), err)
	}
	if got := s.Popular(recommend.ListRequest{N: 9, Categories: []string{"x"}}); !slices.Equal(ids(got), []string{"b1"}) {
		t.Errorf("popular in x: %v", ids(got))
	}
}

// use counts a weight for an item.
func use(counters *popular.Live, id string, weight float64) {
	c := popular.Counts{}
	c.Short = c.Short.Add(weight, noon.UnixMilli(), popular.Default().ShortHalfLife)
	c.Long = c.Long.Add(weight, noon.UnixMilli(), popular.Default().HalfLife)
	counters.Set(0, "i/"+id, c)
}

func TestAnAnswerHoldsOnlyNumbersThatJSONCanCarry(t *testing.T) {
	fan := liker("p", "b1", "a1")
	fan.History[0].Kinds |= 1 << data.Rating
	fan.History[0].Weight = 1e300
	s, counters, impressions := open(t, letters, people{"fan": fan})
	use(counters, "a1", 1)
	for _, loud := range []float64{1e300, math.MaxFloat64, math.Inf(1)} {
		use(counters, "b1", loud)
		for name, a := range map[string]recommend.Answer{
			"popular": s.Popular(recommend.ListRequest{N: 9}), "trending": s.Trending(recommend.ListRequest{N: 9}),
		} {
			if _, err := json.Marshal(a); err != nil || len(a.Items) != 2 {
				t.Errorf("%s with a weight of %v: %v, %v; want b1 and a1", name, loud, ids(a), err)
			}
		}
	}
	a, err := s.Recommend(t.Context(), recommend.Request{IDs: data.IDs{User: "fan"}, N: 9, IncludeSeen: true})
	if err != nil || len(a.Items) != 5 {
		t.Fatalf("for the fan: %v, %v", ids(a), err)
	}
	if _, err := json.Marshal(a); err != nil {
		t.Errorf("for the fan: %v", err)
	}
	if _, err := json.Marshal(*impressions); err != nil {
		t.Errorf("the impression: %v", err)
	}
}

func TestRankOrdersCandidatesAndKeepsAll(t *testing.T) {
	s, _, _ := open(t, letters, people{"ann": liker("p", "b1")})
	got, err := s.Rank(t.Context(), recommend.RankRequest{IDs: data.IDs{User: "ann"}, Candidates: []data.ItemID{"ghost", "a3", "a2", "b2", "a1", "b1"}})
	if err != nil || !slices.Equal(ids(got), []string{"b1", "b2", "a1", "a2", "a3", "ghost"}) {
		t.Fatalf("ranked %v, %v", ids(got), err)
	}
	if !got.Items[5].Unknown || !got.Items[4].Closed || got.Items[0].Unknown || got.Items[5].Position != 6 {
		t.Errorf("items = %+v", got.Items)
	}
}

func TestSimilarItems(t *testing.T) {
	s, _, _ := open(t, letters, people{})
	got, err := s.Similar(recommend.SimilarRequest{Item: "b2", N: 9})
	if err != nil || !slices.Equal(ids(got), []string{"b1", "b3"}) {
		t.Errorf("similar to b2: %v, %v", ids(got), err)
	}
	if _, err := s.Similar(recommend.SimilarRequest{Item: "ghost", N: 9}); !errors.Is(err, recommend.ErrUnknownItem) {
		t.Errorf("similar to nothing: %v", err)
	}
}
