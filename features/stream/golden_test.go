package stream

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"kindred/data"
	"kindred/data/event"
	"kindred/features"
	"kindred/features/crowdtest"
)

// The digests of everything that the fold of version 1 derived from a log. They may
// only change with a version of what is stored, or with an argued change of meaning. That of
// lives, which have clusters, is since category_focus takes its sums by window.Coarse.
const (
	livesDigest = "684d8ebe97b405017a53cbfa396ca1ac267e1879883a7475723fdb096207f413"
	shopDigest  = "866a3b39f4f234ee2edbeb4660e26cb18324a1d3cf62d6d8ff65868a508c00ec"
)

// TestTheSameLogGivesTheBytesOfVersionOne folds logs that do not change and compares
// with what the first fold made of them. Sums may be fused on other machines.
func TestTheSameLogGivesTheBytesOfVersionOne(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the digests are of amd64: other machines may fuse multiplying and adding")
	}
	digest := func(t *testing.T, m *memory) string {
		return fmt.Sprintf("%x", sha256.Sum256(m.dump()))
	}
	t.Run("lives", func(t *testing.T) {
		h := sha256.New()
		for seed := range uint64(20) {
			m := newMemory(3)
			opt := options(m, func() time.Time { return noon })
			opt.Clusterers = clusters
			w, err := New(opt)
			if err != nil {
				t.Fatal(err)
			}
			rng, at := rand.New(rand.NewPCG(seed, 1)), noon
			for range 4 {
				at = crowd(rng, m, 100, at)
				if err := w.CatchUp(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			h.Write(m.dump())
		}
		if got := fmt.Sprintf("%x", h.Sum(nil)); got != livesDigest {
			t.Errorf("digest %s, want %s", got, livesDigest)
		}
	})
	t.Run("shop", func(t *testing.T) {
		m := newMemory(1)
		opt := options(m, func() time.Time { return noon })
		opt.BatchRecords, opt.CachedProfiles, opt.Clusterers = 512, 100, clusters
		opt.Features = features.Default() // with caps that a few people reach
		opt.Features.HistoryCap, opt.Features.AffinityCap, opt.Features.MaxProfileBytes = 300, 32, 5<<10
		w, err := New(opt)
		if err != nil {
			t.Fatal(err)
		}
		cfg := crowdtest.Shop()
		cfg.People, cfg.Items, cfg.Visits, cfg.Categories, cfg.Brands = 300, 4000, 20, 90, 120
		people := crowdtest.New(cfg)
		var recs []data.Record
		for i := range 20_000 {
			e := people.Next()
			if i == 5000 {
				recs = append(recs, data.Record{Value: event.Seal(data.Event{V: 1, ID: "m", Source: "kindred", Type: data.System, Name: data.SysMarker,
					Marker: &data.Marker{Models: "m-1"}, Times: e.Times})})
			}
			recs = append(recs, data.Record{Value: event.Seal(e)})
		}
		if err := m.Append(t.Context(), recs); err != nil {
			t.Fatal(err)
		}
		if err := w.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := digest(t, m); got != shopDigest {
			t.Errorf("digest %s, want %s", got, shopDigest)
		}
	})
}
