package features

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/data"
	"kindred/data/event"
	"kindred/features/identity"
)

// city is several partitions, each with its log; who folds next is the caller's choice.
type city struct {
	t        failer
	b        *Builder
	log      [3][]Entry
	folded   [3]int
	memories [3]*Memory
	index    map[string]data.ProfileID
	outcome  Outcome // of the record folded last
}

func newCity(t failer, cfg Config) *city {
	c := &city{t: t, b: NewBuilder(cfg), index: map[string]data.ProfileID{}}
	for p := range c.memories {
		c.memories[p] = NewMemory(int32(p), State{}, nil, nil)
	}
	return c
}

func (c *city) append(e data.Event) {
	c.t.Helper()
	read, err := event.Open(event.Seal(e)) // as the log gives it back
	if err != nil {
		c.t.Fatalf("the event does not survive the log: %v", err)
	}
	p := data.PartitionOf(string(e.Profile), int32(len(c.log)))
	c.log[p] = append(c.log[p], Entry{p, int64(len(c.log[p])), read})
}

// step folds the next record of a partition, if there is one.
func (c *city) step(p int) bool {
	c.t.Helper()
	if c.folded[p] == len(c.log[p]) {
		return false
	}
	m, r := c.memories[p], c.log[p][c.folded[p]]
	var err error
	if c.outcome, err = c.b.Fold(context.Background(), m, r.Offset, r.Event); err != nil {
		c.t.Fatal(err)
	}
	for _, e := range m.Emitted() {
		c.append(e)
	}
	commit, err := m.Commit(r.Offset + 1)
	if err != nil {
		c.t.Fatal(err)
	}
	if len(commit.Dead) > 0 {
		c.t.Fatalf("dead: %s", commit.Dead[0].Reason)
	}
	for _, l := range commit.Links {
		if l.Profile == "" {
			delete(c.index, string(l.Kind)+"/"+l.ID)
		} else {
			c.index[string(l.Kind)+"/"+l.ID] = l.Profile
		}
	}
	c.folded[p]++
	return true
}

func (c *city) drain() {
	c.t.Helper()
	for moved := true; moved; {
		moved = false
		for p := range c.log {
			for c.step(p) {
				moved = true
			}
		}
	}
}

// route is where ingest would send an event that saw this index.
func (c *city) route(e data.Event, index map[string]data.ProfileID) data.Event {
	p, err := identity.Route(e.IDs, func(kind data.IDKind, id string) (data.ProfileID, error) {
		if p, ok := index[string(kind)+"/"+id]; ok {
			return p, nil
		}
		return "", data.ErrNotFound
	})
	if err != nil {
		c.t.Fatal(err)
	}
	e.Profile = p
	return e
}

func (c *city) profile(id data.ProfileID) data.Profile {
	p, _, err := c.memories[data.PartitionOf(string(id), int32(len(c.log)))].Profile(context.Background(), id)
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

// rebuild makes and appends what profiles await, as the job does, and says how many.
func (c *city) rebuild(now time.Time) int {
	c.t.Helper()
	n := 0
	for _, key := range slices.Sorted(maps.Keys(c.index)) {
		entry, ok := strings.CutPrefix(key, string(RebuildKind)+"/")
		if !ok {
			continue
		}
		id := entry[:strings.LastIndexByte(entry, '/')]
		at, _ := ParsePosition(id)
		u, err := ParseUnmerging(id, c.log[at.Partition][at.Offset].Event)
		if err != nil {
			c.t.Fatal(err)
		}
		family, _ := u.Family(func(id data.ProfileID) (data.Profile, error) { return c.profile(id), nil })
		person, other, err := c.b.Rebuild(context.Background(), u, now, func(id data.ProfileID) (out []Entry) {
			if !slices.Contains(family, id) {
				c.t.Fatalf("%s is not of the family", id)
			}
			for _, r := range c.log[data.PartitionOf(string(id), int32(len(c.log)))] {
				if r.Event.Profile == id {
					out = append(out, r)
				}
			}
			return out
		})
		if err != nil {
			c.t.Fatal(err)
		}
		for _, e := range []data.Event{person, other} {
			if e.Profile == c.index[key] {
				c.append(e)
				n++
			}
		}
	}
	return n
}

var ann = data.NewProfileID(data.IDUser, "ann")

func device(id data.AnonymousID) data.ProfileID {
	return data.NewProfileID(data.IDAnonymous, string(id))
}

// unmerge appends the record that takes a device away from ann.
func (c *city) unmerge(from data.AnonymousID, id string, now time.Time) {
	e := NewUnmerge(ann, device(from))
	e.ID, e.Times = id, data.Times{Event: now, Received: now}
	c.append(e)
}

// TestUnmergedIsNeverMerged: whatever arrives between the steps, in whatever order
// partitions are folded, however old the index that ingest saw, and however often a
// share is brought, ann and her devices end as people who were never linked.
func TestUnmergedIsNeverMerged(t *testing.T) {
	unmerged := 0
	rapid.Check(t, func(t *rapid.T) {
		c := newCity(t, small())
		leave := rapid.SampledFrom([][]data.AnonymousID{{"d1"}, {"d1", "d2"}}).Draw(t, "leave")
		w := newWorld(t, small()) // what a world makes of the same events, in which nobody links them
		stale := maps.Clone(c.index)
		var past []data.Event
		at := noon
		asked := false
		for i := range rapid.IntRange(1, 60).Draw(t, "steps") {
			at = at.Add(time.Duration(rapid.IntRange(1, 20_000).Draw(t, "step")) * time.Second)
			w.received = at
			switch rapid.SampledFrom([]string{"event", "event", "event", "event", "again", "fold", "drain", "see", "unmerge", "rebuild"}).Draw(t, "what") {
			case "event":
				user := rapid.SampledFrom([]data.UserID{"", "ann", "ann"}).Draw(t, "user")
				anon := rapid.SampledFrom([]data.AnonymousID{"", "d1", "d1", "d2"}).Draw(t, "device")
				if user == "" && anon == "" {
					anon = "d1"
				}
				when := at.Add(-time.Duration(rapid.IntRange(0, 100).Draw(t, "late")) * time.Hour)
				item := data.EventItem{ID: data.ItemID(fmt.Sprint("item", rapid.IntRange(0, 5).Draw(t, "item"))), Price: 2.5, Facets: map[string][]string{"category": {"c"}}}
				e := w.event(when, user, anon, rapid.SampledFrom([]string{"Product Viewed", "Order Completed", "Product Added"}).Draw(t, "name"), item)
				if rapid.Bool().Draw(t, "identify") {
					e.Type, e.Traits = data.Identify, fmt.Appendf(nil, `{"t%d":%d}`, rapid.IntRange(0, 2).Draw(t, "trait"), i)
				}
				past = append(past, e)
				c.append(c.route(e, stale))
				if user == "ann" && slices.Contains(leave, anon) {
					e.IDs.Anonymous = ""
				}
				w.fold(w.route(e))
			case "again":
				if len(past) > 0 {
					e := rapid.SampledFrom(past).Draw(t, "retry")
					e.Times.Received = at
					c.append(c.route(e, stale))
				}
			case "fold":
				c.step(rapid.IntRange(0, 2).Draw(t, "partition"))
			case "drain":
				c.drain()
			case "see":
				stale = maps.Clone(c.index)
			case "unmerge":
				c.unmerge(rapid.SampledFrom(leave).Draw(t, "who"), fmt.Sprint("u", i), at)
				asked = true
			case "rebuild":
				for range rapid.IntRange(1, 2).Draw(t, "times") {
					c.rebuild(at)
				}
			}
		}
		c.drain()
		people := []data.ProfileID{ann}
		for _, id := range leave {
			if standing(ptr(c.profile(device(id))), ann) != apart {
				c.unmerge(id, "last", at)
				c.drain()
			} else if asked {
				unmerged++
			}
			people = append(people, device(id))
		}
		for c.rebuild(at) > 0 {
			c.drain()
		}
		for _, id := range people {
			if c.profile(id).Redirect != "" {
				t.Fatal("still linked")
			}
			got, want := exact(c.profile(id)), exact(w.profile(id))
			got.Identity, want.Identity, got.ID, want.ID = nil, nil, "", ""
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s is not as if never merged (- never merged, + unmerged):\n%s", id, diff)
			}
			near(t, w.profile(id), c.profile(id), at.UnixMilli())
			if Awaited(c.profile(id)) {
				t.Fatalf("%s awaits something", id)
			}
		}
		for p := range c.log { // a replay from scratch
			m := NewMemory(int32(p), State{}, nil, nil)
			for _, r := range c.log[p] {
				if _, err := c.b.Fold(context.Background(), m, r.Offset, r.Event); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(everybody(m), everybody(c.memories[p])) {
				t.Fatalf("partition %d folds to other bytes again", p)
			}
		}
	})
	if unmerged == 0 {
		t.Error("nobody was unmerged")
	}
}

func ptr[T any](v T) *T { return &v }

// everybody is the bytes of all profiles of a memory.
func everybody(m *Memory) (out []byte) {
	m.Profiles(func(p data.Profile) { out, _ = p.AppendBinary(out) })
	return out
}
