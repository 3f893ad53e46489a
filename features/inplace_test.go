package features

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
	"kindred/data/event"
	"kindred/features/crowdtest"
	"kindred/model/cluster"
)

// timerOf is what a stored timer is known by.
type timerOf struct {
	profile data.ProfileID
	slot    string
}

// kept is what a store would hold after some commits, with everything copied.
type kept struct {
	profiles map[data.ProfileID][]byte
	dedup    map[data.DedupKey][]uint64
	timers   map[timerOf]int64
	counters map[string][]byte
	changes  []data.Change
	links    []data.IndexEntry
	late     int
}

func newKept() *kept {
	return &kept{profiles: map[data.ProfileID][]byte{}, dedup: map[data.DedupKey][]uint64{}, timers: map[timerOf]int64{}, counters: map[string][]byte{}}
}

func (k *kept) save(c *data.Commit) {
	for id, b := range c.Profiles {
		k.profiles[id] = bytes.Clone(b)
	}
	maps.DeleteFunc(k.dedup, func(key data.DedupKey, _ []uint64) bool { return !key.Imported && key.Day < c.DropDedupBefore })
	for key, ids := range c.Dedup {
		k.dedup[key] = slices.Clone(ids)
	}
	for _, t := range c.ClearTimers {
		delete(k.timers, timerOf{t.Profile, t.Slot})
	}
	for _, t := range c.SetTimers {
		k.timers[timerOf{t.Profile, t.Slot}] = t.At
	}
	for key, b := range c.Counters {
		if b == nil {
			delete(k.counters, key)
		} else {
			k.counters[key] = bytes.Clone(b)
		}
	}
	k.changes = append(k.changes, c.Changes...)
	k.links = append(k.links, c.Links...)
	k.late += len(c.Late)
}

// odd makes some of a crowd's events unusual, each in its own way.
func odd(rng *rand.Rand, e data.Event) data.Event {
	switch rng.IntN(60) {
	case 0:
		e.Session.ID = fmt.Sprint("visit-", rng.IntN(4))
	case 1, 2, 3:
		e.Session.ID = "visit"
	case 4:
		e.Type, e.Name, e.Traits = data.Identify, "Identify", []byte(fmt.Sprintf(`{"age":%d,"notes":%q}`, rng.IntN(99), bytes.Repeat([]byte("x"), rng.IntN(300))))
	case 5:
		e.Consent = []byte(`{"ads":true}`)
	case 6:
		e.Name, e.Value = "Item Rated", float64(rng.IntN(5))
	case 7:
		e.Name, e.Props = "Feedback Given", []byte(`{"feedback":"hide"}`)
	case 8:
		e.Times.Event = e.Times.Event.Add(-time.Duration(rng.IntN(10*24)) * time.Hour)
		e.Times.Original = time.Time{}
	case 9:
		e.Imported, e.Times.Event = true, e.Times.Event.AddDate(-rng.IntN(50), 0, 0)
	case 10:
		e.Type, e.Name = data.Page, "Page Viewed"
	case 11:
		e.ID = string(bytes.Repeat([]byte(e.ID[:8]), 1+rng.IntN(4)))
	case 12:
		if e.IDs.User == "" {
			e.IDs.User = "u000002" // whose device it turns out to be
		} else {
			e.IDs.Anonymous = "a device"
		}
	case 13:
		e.Items = append(e.Items, data.EventItem{ID: "x", Facets: map[string][]string{"tag": {"x", "y", "x", fmt.Sprint(rng.IntN(40))}, "": {"v"}}})
	case 14:
		e.Session.ID = "~0123456789abcdef"
	case 15:
		e.Name = fmt.Sprintf("Something Else, at some length: %0100d", rng.IntN(3))
	case 16:
		e.Value = 1e12
	}
	return e
}

// TestFoldingInPlaceIsFoldingIntoTheWholeProfile folds one log twice, once with every
// event as unusual as can be, and compares all that a store would hold.
func TestFoldingInPlaceIsFoldingIntoTheWholeProfile(t *testing.T) {
	models := func(context.Context, string) (*cluster.Model, error) { return twoGroups(t), nil }
	for seed := range uint64(4) {
		cfg := Default()
		if seed%2 == 1 {
			cfg.MaxProfileBytes, cfg.HistoryCap, cfg.RecentCap, cfg.AffinityCap = 3000, 40, 12, 20
			cfg.Weights.View = 1.5 // not whole
		}
		shop := crowdtest.Shop()
		shop.Seed, shop.People, shop.Items, shop.Visits, shop.Offset = seed, 40, 300, 8, 3
		crowd, rng := crowdtest.New(shop), rand.New(rand.NewPCG(seed, 5))
		inPlace, whole := NewBuilder(cfg), NewBuilder(cfg)
		whole.whole = true
		a, b := NewMemory(0, State{}, nil, models).WithRules(crowdRules(t)), NewMemory(0, State{}, nil, models).WithRules(crowdRules(t))
		var decoder event.Decoder
		storeA, storeB := newKept(), newKept()
		offset := int64(0)
		usual := 0
		for i := range 4000 {
			e := odd(rng, crowd.Next())
			if i == 2000 {
				e = data.Event{V: 1, ID: "m", Source: "kindred", Type: data.System, Name: data.SysMarker, Marker: &data.Marker{Models: "m-1"}, Times: e.Times}
			}
			if i == 300 || i == 3000 {
				e = data.Event{V: 1, ID: "r", Source: "kindred", Type: data.System, Name: data.SysMarker, Marker: &data.Marker{Rules: fmt.Sprint("r-", i)}, Times: e.Times}
			}
			for queue := []data.Event{e}; len(queue) > 0; queue = queue[1:] {
				record := event.Seal(queue[0])
				var read data.Event
				if err := decoder.Open(record, &read); err != nil {
					t.Fatal(err)
				}
				x, errA := inPlace.Fold(t.Context(), a, offset, read)
				if len(a.opened) == 0 && a.scratch.plan.p != nil && x == Applied {
					usual++
				}
				decoder.Reset()
				for i := range record {
					record[i] = 'X' // nothing of it may be kept
				}
				y, errB := whole.Fold(t.Context(), b, offset, queue[0])
				if x != y || errA != nil || errB != nil {
					t.Fatalf("seed %d, event %d: %v and %v; %v, %v", seed, i, x, y, errA, errB)
				}
				offset++
				queue = append(queue, slices.Clone(a.Emitted())...)
				if len(a.Emitted()) != len(b.Emitted()) {
					t.Fatalf("seed %d, event %d: %d and %d events emitted", seed, i, len(a.Emitted()), len(b.Emitted()))
				}
				if len(queue) > 1 || rng.IntN(20) == 0 {
					ca, _ := a.Commit(offset)
					storeA.save(ca)
					cb, _ := b.Commit(offset)
					storeB.save(cb)
				}
			}
		}
		ca, _ := a.Commit(offset)
		storeA.save(ca)
		cb, _ := b.Commit(offset)
		storeB.save(cb)
		if diff := cmp.Diff(storeB, storeA, cmp.AllowUnexported(kept{})); diff != "" {
			t.Fatalf("seed %d: whole and in place differ (-whole +in place):\n%.3000s", seed, diff)
		}
		if usual < 2000 {
			t.Errorf("seed %d: %d of 4,000 events were folded in place", seed, usual)
		}
	}
}
