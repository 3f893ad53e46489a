package recommend_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"kindred/data"
	"kindred/model/artifact"
	"kindred/model/popular"
	"kindred/serving/live"
	"kindred/serving/live/livetest"
	"kindred/serving/recommend"
)

// big is a snapshot source of a shop and its model.
type big struct {
	shop  *livetest.Shop
	parts live.Parts
}

// newBig has a model, fitted on behaviour, of all but the last 100 items.
func newBig(t testing.TB, items, factors int) *big {
	t.Helper()
	s := livetest.New(items)
	return joined(t, s, s.Model(t, items-100, factors))
}

func joined(t testing.TB, s *livetest.Shop, b *artifact.Bundle) *big {
	t.Helper()
	parts, err := live.PartsOf(b)
	if err != nil {
		t.Fatal(err)
	}
	return &big{s, parts}
}

func (big) Current(context.Context) (data.Model, error)               { return data.Model{Version: "m-1"}, nil }
func (big) Models(context.Context, string, int) ([]data.Model, error) { return nil, nil }
func (big) Artifact(context.Context, string) ([]byte, error)          { return nil, nil }
func (big) ItemsVersion(context.Context) (int64, error)               { return 1, nil }
func (b *big) decode([]byte) (live.Parts, error)                      { return b.parts, nil }
func (b *big) ItemsSince(context.Context, int64) ([]data.Item, []data.ItemID, int64, error) {
	return b.shop.Items, nil, 1, nil
}

// service answers 64 people, named by number, with histories of the given size. It
// keeps no answers.
func (b *big) service(t testing.TB, history int) *recommend.Service {
	t.Helper()
	return b.serve(t, uncached(), history)
}

// kept is service with the usual cache.
func (b *big) kept(t testing.TB, history int) *recommend.Service {
	t.Helper()
	return b.serve(t, recommend.Default(), history)
}

func (b *big) serve(t testing.TB, cfg recommend.Config, history int) *recommend.Service {
	t.Helper()
	now := func() time.Time { return livetest.Noon }
	l := live.New(live.Default(), live.Deps{Models: b, Artifacts: b, Items: b, Decode: b.decode, Now: now})
	if err := l.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	return recommend.New(cfg, recommend.Deps{
		People: b.people(history), Snapshots: l, Counters: popular.NewLive(popular.Default()), Now: now,
	})
}

func uncached() recommend.Config {
	cfg := recommend.Default()
	cfg.CacheBytes = 0
	return cfg
}

func (b *big) people(history int) people {
	who := people{}
	for p := range 64 {
		var used []data.ItemID
		for _, i := range b.shop.Taste(p, history) {
			used = append(used, livetest.ID(i))
		}
		who[person(p)] = liker(fmt.Sprint("p", p), used...)
	}
	return who
}

// TestAnAnswerAllocatesLittle: what grows with the catalog, the factors or the
// number of explained items is lent out by the components.
func TestAnAnswerAllocatesLittle(t *testing.T) {
	s := newBig(t, 1000, 16).service(t, 100)
	ask := func() {
		if a, err := s.Recommend(t.Context(), recommend.Request{IDs: data.IDs{User: person(1)}, N: 10}); err != nil || len(a.Items) != 10 {
			t.Fatal(a, err)
		}
	}
	if got := testing.AllocsPerRun(100, ask); got > mostAllocations {
		t.Errorf("an answer makes %v allocations, want at most %d", got, mostAllocations)
	}
}

func person(p int) data.UserID { return data.UserID(fmt.Sprint(p % 64)) }

// BenchmarkRecommend makes lists of 10 with reasons by all four components, als with
// 64 factors, every answer anew, and reports percentiles: of 10,000 items with a fitted
// model, and of as many as Large makes.
func BenchmarkRecommend(b *testing.B) {
	b.Run("items=10000", func(b *testing.B) { benchmark(b, newBig(b, 10_000, 64), 20, 50, 500, 2000) })
	for _, n := range []int{27_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("items=%d", n), func(b *testing.B) {
			s, bundle := livetest.Large(b, n, 64)
			benchmark(b, joined(b, s, bundle), 20, 100)
		})
	}
}

func benchmark(b *testing.B, shop *big, histories ...int) {
	for _, history := range histories {
		b.Run(fmt.Sprintf("history=%d", history), func(b *testing.B) {
			s := shop.service(b, history)
			var took []time.Duration
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				start := time.Now()
				a, err := s.Recommend(b.Context(), recommend.Request{IDs: data.IDs{User: person(i)}, N: 10})
				if err != nil || len(a.Items) != 10 || len(a.Components) != 4 {
					b.Fatal(a, err)
				}
				took = append(took, time.Since(start))
			}
			livetest.Percentiles(b, "answer", took)
		})
	}
}
