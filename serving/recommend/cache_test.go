package recommend_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
	"kindred/model/popular"
	"kindred/serving/live"
	"kindred/serving/online"
	"kindred/serving/recommend"
)

// asked is everything an answer depends on, for tests that change one thing at a time.
type asked struct {
	source   *source
	live     *live.Live
	person   online.Person
	counters *popular.Live
	req      recommend.Request
}

// source is a shop that changes.
type source struct {
	shop
	model   string
	version int64
}

func (s *source) Current(context.Context) (data.Model, error) {
	if s.none {
		return data.Model{}, data.ErrNotFound
	}
	return data.Model{Version: s.model}, nil
}
func (s *source) ItemsVersion(context.Context) (int64, error) { return s.version, nil }
func (s *source) ItemsSince(_ context.Context, since int64) ([]data.Item, []data.ItemID, int64, error) {
	if since >= s.version {
		return nil, nil, s.version, nil
	}
	return s.items, s.deleted, s.version, nil
}

func (a *asked) Read(context.Context, data.IDs) (online.Person, error) { return a.person, nil }

func (a *asked) poll(t *testing.T) {
	t.Helper()
	if err := a.live.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// newAsked is ann, who used a1, and a service that keeps answers.
func newAsked(t *testing.T, none bool) (*asked, *recommend.Service) {
	t.Helper()
	shop := letters
	shop.none = none
	a := &asked{source: &source{shop, "m-1", 1}, counters: popular.NewLive(popular.Default())}
	a.live = live.New(live.Default(), live.Deps{
		Models: a.source, Artifacts: a.source, Items: a.source, Decode: a.source.decode, Now: func() time.Time { return noon },
	})
	a.poll(t)
	a.person = online.Person{Profile: liker("p-1", data.ItemID(shop.keys[0])), Known: true}
	a.person.Profile.Version, a.person.Profile.LastOffset = 1, 1
	a.req = recommend.Request{ID: "r-1", IDs: data.IDs{User: "ann"}, N: 3}
	return a, recommend.New(recommend.Default(), recommend.Deps{
		People: a, Snapshots: a.live, Counters: a.counters, Now: func() time.Time { return noon },
	})
}

func recommendation(t *testing.T, s *recommend.Service, req recommend.Request) recommend.Answer {
	t.Helper()
	answer, err := s.Recommend(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestTheSameQuestionIsAnsweredFromTheCache(t *testing.T) {
	a, _ := newAsked(t, false)
	impressions := &shown{}
	s := recommend.New(recommend.Default(), recommend.Deps{
		People: a, Snapshots: a.live, Counters: a.counters, Impressions: impressions, Now: func() time.Time { return noon },
	})
	first := recommendation(t, s, a.req)
	again := a.req
	again.ID, again.Slot, again.IDs, again.Context = "r-2", "cart", data.IDs{User: "anna"}, []byte(`{}`)
	second := recommendation(t, s, again)
	if c := s.Cache(); c.Hits != 1 || c.Misses != 1 || c.Entries != 1 || c.Bytes <= 0 {
		t.Errorf("cache %+v; want one miss, then a hit", c)
	}
	if second.RequestID != "r-2" || second.User != "anna" {
		t.Errorf("request %q for %q; want those of the second", second.RequestID, second.User)
	}
	if len(*impressions) != 2 || (*impressions)[1].Request != "r-2" || (*impressions)[1].Slot != "cart" {
		t.Errorf("impressions %+v; want one for each answer", *impressions)
	}
	second.RequestID, second.User = first.RequestID, first.User
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the kept answer differs (-made +kept):\n%s", diff)
	}
}

// TestWhateverAnAnswerDependsOnIsInItsKey changes one thing alone; what comes is what
// a service without a cache says, and it was made, not kept.
func TestWhateverAnAnswerDependsOnIsInItsKey(t *testing.T) {
	two, four := 2., 4.
	for name, change := range map[string]func(t *testing.T, a *asked){
		"profile id":         func(_ *testing.T, a *asked) { a.person.Profile.ID = "p-2" },
		"profile version":    func(_ *testing.T, a *asked) { a.person.Profile.Version++ },
		"profile began anew": func(_ *testing.T, a *asked) { a.person.Profile.LastOffset = 9 },
		"history item":       func(_ *testing.T, a *asked) { a.person.Profile.History[0].Item = data.ItemID(letters.keys[1]) },
		"history kinds":      func(_ *testing.T, a *asked) { a.person.Profile.History[0].Kinds |= 1 << data.Hide },
		"history count":      func(_ *testing.T, a *asked) { a.person.Profile.History[0].Count++ },
		"history weight":     func(_ *testing.T, a *asked) { a.person.Profile.History[0].Weight++ },
		"history value":      func(_ *testing.T, a *asked) { a.person.Profile.History[0].Value++ },
		"longer history": func(_ *testing.T, a *asked) {
			a.person.Profile.History = append(a.person.Profile.History, data.HistoryItem{Item: "x", Kinds: 1 << data.View, Count: 1, Weight: 1})
		},
		"known": func(_ *testing.T, a *asked) { a.person.Known = false },
		"stale": func(_ *testing.T, a *asked) { a.person.Stale = true },
		"model": func(t *testing.T, a *asked) {
			a.source.model = "m-2"
			a.poll(t)
		},
		"catalog": func(t *testing.T, a *asked) {
			a.source.items = slices.Clone(a.source.items)
			a.source.items[0].Title += "!"
			a.source.version++
			a.poll(t)
		},
		"n":             func(_ *testing.T, a *asked) { a.req.N++ },
		"seen":          func(_ *testing.T, a *asked) { a.req.IncludeSeen = true },
		"exclude":       func(_ *testing.T, a *asked) { a.req.Exclude = []data.ItemID{"x"} },
		"recent":        func(_ *testing.T, a *asked) { a.req.Recent = []data.ItemID{"x"} },
		"categories":    func(_ *testing.T, a *asked) { a.req.Categories = []string{"x"} },
		"components":    func(_ *testing.T, a *asked) { a.req.Components = a.live.Load().Components()[:1] },
		"minimum price": func(_ *testing.T, a *asked) { a.req.MinPrice = &two },
		"maximum price": func(_ *testing.T, a *asked) { a.req.MaxPrice = &four },
	} {
		t.Run(name, func(t *testing.T) {
			a, s := newAsked(t, false)
			recommendation(t, s, a.req)
			change(t, a)
			got := recommendation(t, s, a.req)
			if c := s.Cache(); c.Hits != 0 || c.Misses != 2 {
				t.Errorf("cache %+v; want two misses", c)
			}
			plain := recommend.New(uncached(), recommend.Deps{
				People: a, Snapshots: a.live, Counters: a.counters, Now: func() time.Time { return noon },
			})
			if diff := cmp.Diff(recommendation(t, plain, a.req), got); diff != "" {
				t.Errorf("answer (-without a cache +with one):\n%s", diff)
			}
		})
	}
}

func TestParametersAreNotMistakenForOneAnother(t *testing.T) {
	a, s := newAsked(t, false)
	price, higher := 3., 4.
	a.req.MinPrice = &price
	recommendation(t, s, a.req)
	a.req.MinPrice = &higher
	recommendation(t, s, a.req)
	a.req.MinPrice, a.req.MaxPrice = nil, &price
	recommendation(t, s, a.req)
	a.req.Exclude, a.req.Recent = []data.ItemID{"x"}, nil
	recommendation(t, s, a.req)
	a.req.Exclude, a.req.Recent = nil, []data.ItemID{"x"}
	recommendation(t, s, a.req)
	if c := s.Cache(); c.Hits != 0 {
		t.Errorf("cache %+v; want no hit", c)
	}
}

// TestWhatDependsOnTheCountersIsNotKept: without a model the list is what the counters
// rank highest now.
func TestWhatDependsOnTheCountersIsNotKept(t *testing.T) {
	a, s := newAsked(t, true)
	a.person = online.Person{Profile: data.Profile{ID: "p-9"}}
	for i := range 3 {
		id := fmt.Sprint("thing", i)
		use(a.counters, id, float64(10*(i+1)))
		if got := recommendation(t, s, a.req); got.Items[0].ID != data.ItemID(id) {
			t.Errorf("after %s was used most the list begins with %s", id, got.Items[0].ID)
		}
	}
	if c := s.Cache(); c.Entries != 0 || c.Hits != 0 {
		t.Errorf("cache %+v; want nothing kept", c)
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	a, _ := newAsked(t, false)
	cfg := recommend.Default()
	cfg.CacheBytes = 1 << 20
	s := recommend.New(cfg, recommend.Deps{
		People: a, Snapshots: a.live, Counters: a.counters, Now: func() time.Time { return noon },
	})
	for i := range 5000 {
		a.person.Profile.ID = data.ProfileID(fmt.Sprint("p-", i))
		for range 3 { // made, kept, and written
			if _, err := s.AppendRecommendation(t.Context(), nil, a.req); err != nil {
				t.Fatal(err)
			}
		}
		if c := s.Cache(); c.Bytes > cfg.CacheBytes {
			t.Fatalf("after %d people: cache %+v, want at most %d bytes", i, c, cfg.CacheBytes)
		}
	}
	c := s.Cache()
	if c.Bytes > cfg.CacheBytes || c.Entries < 100 || c.Entries >= 5000 {
		t.Errorf("cache %+v; want as many as fit into %d bytes", c, cfg.CacheBytes)
	}
	recommendation(t, s, a.req)
	if s.Cache().Hits != c.Hits+1 {
		t.Error("the newest answer was not kept")
	}
}

func TestTheCacheIsSharedByRequests(t *testing.T) {
	shop := newBig(t, 500, 8)
	l := live.New(live.Default(), live.Deps{Models: shop, Artifacts: shop, Items: shop, Decode: shop.decode, Now: func() time.Time { return noon }})
	if err := l.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	deps := recommend.Deps{People: shop.people(10), Snapshots: l, Counters: popular.NewLive(popular.Default()), Now: func() time.Time { return noon }}
	plain, s := recommend.New(uncached(), deps), recommend.New(recommend.Default(), deps)
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			for i := range 64 {
				req := recommend.Request{IDs: data.IDs{User: person(i + worker)}, N: 5}
				got, err := s.Recommend(context.Background(), req)
				want, _ := plain.Recommend(context.Background(), req)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("%v; answer (-without a cache +with one):\n%s", err, diff)
				}
			}
		})
	}
	wait.Wait()
	if c := s.Cache(); c.Hits+c.Misses != 256 || c.Entries != 64 {
		t.Errorf("cache %+v; want 64 answers for 256 requests", c)
	}
}
