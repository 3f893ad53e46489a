package stream

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"kindred/data"
	"kindred/data/event"
	"kindred/features/identity"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// fixed options for tests; the clock is where the caller's is.
func options(m *memory, now func() time.Time) Options {
	return Options{Log: m, State: m, Partitions: int32(len(m.log)), Now: now, BatchRecords: 7, CachedProfiles: 3}
}

// append routes events as ingest would and appends them.
func (m *memory) send(events ...data.Event) []data.Record {
	recs := make([]data.Record, len(events))
	for i, e := range events {
		if e.Profile == "" {
			p, err := identity.Route(e.IDs, func(kind data.IDKind, id string) (data.ProfileID, error) {
				m.mu.Lock()
				defer m.mu.Unlock()
				if p, ok := m.index[string(kind)+"/"+id]; ok {
					return p, nil
				}
				return "", data.ErrNotFound
			})
			if err != nil {
				panic(err)
			}
			e.Profile = p
		}
		recs[i] = data.Record{Partition: data.PartitionOf(string(e.Profile), int32(len(m.log))), Value: event.Seal(e)}
	}
	if err := m.Append(context.Background(), recs); err != nil {
		panic(err)
	}
	return recs
}

func view(id string, user data.UserID, anon data.AnonymousID, at time.Time, item data.ItemID) data.Event {
	return data.Event{V: 1, ID: id, Source: "web", Type: data.Track, Name: "Product Viewed",
		IDs: data.IDs{User: user, Anonymous: anon}, Times: data.Times{Event: at, Original: at, Received: at},
		Items: []data.EventItem{{ID: item, Facets: map[string][]string{"category": {"c" + string(item[len(item)-1:])}, "brand": {"b"}}}}}
}

// crowd appends a random life of a few people on few devices: duplicates, late and
// too late events, identifies, shared devices, erasures, ticks, markers, garbage.
func crowd(rng *rand.Rand, m *memory, n int, at time.Time) time.Time {
	var past []data.Event
	for i := range n {
		at = at.Add(time.Duration(rng.IntN(900)) * time.Second)
		if rng.IntN(40) == 0 {
			at = at.Add(40 * time.Hour)
		}
		user := data.UserID([]string{"", "", "ann", "bob", "eve"}[rng.IntN(5)])
		anon := data.AnonymousID([]string{"d1", "d2", "d3", "d4", "d5"}[rng.IntN(5)])
		if user != "" && rng.IntN(2) == 0 {
			anon = ""
		}
		e := view(fmt.Sprintf("m%d-%d", at.UnixMilli(), i), user, anon, at, data.ItemID(fmt.Sprintf("item%d", rng.IntN(12))))
		e.Name = []string{"Product Viewed", "Product Clicked", "Order Completed", "Feedback Given", "Item Rated", "Item Rated"}[rng.IntN(6)]
		e.Props = []byte(fmt.Sprintf(`{"feedback":"hide","rating":%d}`, 1+rng.IntN(5)))
		switch rng.IntN(14) {
		case 0:
			e.Times.Event = at.Add(-time.Duration(rng.IntN(20*24)) * time.Hour)
			e.Times.Original = e.Times.Event
		case 1:
			e.Imported = true
			e.Times.Event = at.Add(-time.Duration(rng.IntN(2000*24)) * time.Hour)
		case 2:
			e.Type, e.Name, e.Traits = data.Identify, "Identify", []byte(fmt.Sprintf(`{"age":%d}`, rng.IntN(90)))
		case 3:
			e.Times.Original = time.Time{}
		case 4:
			if len(past) > 0 {
				e = past[rng.IntN(len(past))]
				e.Times.Received = at
			}
		case 5:
			sys := data.Event{V: 1, ID: "s", Source: "kindred", Type: data.System, Name: data.SysTick, Times: data.Times{Received: at}}
			switch rng.IntN(4) {
			case 0:
				sys.Name, sys.Marker = data.SysMarker, &data.Marker{Models: fmt.Sprintf("m-%d", i)}
			case 1:
				sys.Name, sys.Profile = data.SysDelete, data.NewProfileID(data.IDUser, "eve")
			case 2:
				sys.Name = data.SysFlush
			}
			p := int32(rng.IntN(len(m.log)))
			if sys.Profile != "" {
				p = data.PartitionOf(string(sys.Profile), int32(len(m.log)))
			}
			_ = m.Append(context.Background(), []data.Record{{Partition: p, Value: event.Seal(sys)}})
			continue
		case 6:
			if rng.IntN(3) == 0 {
				_ = m.Append(context.Background(), []data.Record{{Partition: int32(rng.IntN(len(m.log))), Value: []byte("\x01\x00garbage")}})
				continue
			}
		}
		past = append(past, e)
		m.send(e)
	}
	return at
}
