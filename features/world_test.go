package features

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kindred/data"
	"kindred/data/event"
	"kindred/features/identity"
)

// noon is the day that tests play on.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// failer is what a world needs of a test or of a property.
type failer interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// world is one partition that holds everybody: what is emitted is folded next, the
// index is updated at once.
type world struct {
	t        failer
	b        *Builder
	m        *Memory
	index    map[string]data.ProfileID
	offset   int64
	received time.Time
	changes  []data.Change
	late     int
	dead     []data.DeadLetter
	sent     int
	log      []Entry
}

func newWorld(t failer, cfg Config) *world {
	return &world{t: t, b: NewBuilder(cfg), m: NewMemory(0, State{}, nil, nil), index: map[string]data.ProfileID{}}
}

// fold folds e and everything it leads to, and returns what became of e.
func (w *world) fold(e data.Event) Outcome {
	w.t.Helper()
	first, n := Outcome(-1), 0
	for queue := []data.Event{e}; len(queue) > 0; queue = queue[1:] {
		e, err := event.Open(event.Seal(queue[0])) // as the log would give it back
		if err != nil {
			w.t.Fatalf("the event does not survive the log: %v", err)
		}
		o, err := w.b.Fold(context.Background(), w.m, w.offset, e)
		if err != nil {
			w.t.Fatalf("fold %s: %v", e.Name, err)
		}
		w.log = append(w.log, Entry{0, w.offset, e})
		w.offset++
		if n++; n > 1000 {
			w.t.Fatal("records lead to records without end")
		}
		if first < 0 {
			first = o
		}
		queue = append(queue, w.m.Emitted()...)
		c, err := w.m.Commit(w.offset)
		if err != nil {
			w.t.Fatal(err)
		}
		w.changes = append(w.changes, c.Changes...)
		w.late += len(c.Late)
		w.dead = append(w.dead, c.Dead...)
		for _, l := range c.Links {
			if l.Profile == "" {
				delete(w.index, string(l.Kind)+"/"+l.ID)
			} else {
				w.index[string(l.Kind)+"/"+l.ID] = l.Profile
			}
		}
	}
	return first
}

// shares are what profiles await after unmerges, as the job makes it.
func (w *world) shares() (out []data.Event) {
	w.t.Helper()
	for _, key := range slices.Sorted(maps.Keys(w.index)) {
		entry, ok := strings.CutPrefix(key, string(RebuildKind)+"/")
		if !ok {
			continue
		}
		id := entry[:strings.LastIndexByte(entry, '/')]
		at, _ := ParsePosition(id)
		u, err := ParseUnmerging(id, w.log[at.Offset].Event)
		if err != nil {
			w.t.Fatal(err)
		}
		person, other, err := w.b.Rebuild(context.Background(), u, w.received, func(id data.ProfileID) (out []Entry) {
			for _, r := range w.log {
				if r.Event.Profile == id {
					out = append(out, r)
				}
			}
			return out
		})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, e := range []data.Event{person, other} {
			if e.Profile == w.index[key] {
				out = append(out, e)
			}
		}
	}
	return out
}

// route sets the event's profile as ingest would.
func (w *world) route(e data.Event) data.Event {
	w.t.Helper()
	p, err := identity.Route(e.IDs, func(kind data.IDKind, id string) (data.ProfileID, error) {
		if p, ok := w.index[string(kind)+"/"+id]; ok {
			return p, nil
		}
		return "", data.ErrNotFound
	})
	if err != nil {
		w.t.Fatal(err)
	}
	e.Profile = p
	return e
}

// event is a fresh event of somebody, received now or when it happened, whichever is later.
func (w *world) event(at time.Time, user data.UserID, anon data.AnonymousID, name string, items ...data.EventItem) data.Event {
	if at.After(w.received) {
		w.received = at
	}
	w.sent++
	return data.Event{
		V: 1, ID: fmt.Sprintf("m%04d", w.sent), Source: "web", Type: data.Track, Name: name,
		IDs:   data.IDs{User: user, Anonymous: anon},
		Times: data.Times{Event: at, Original: at, Received: w.received}, Items: items,
	}
}

func (w *world) tick(at time.Time) {
	w.received = at
	w.fold(data.Event{V: 1, ID: "tick", Source: "kindred", Type: data.System, Name: data.SysTick, Times: data.Times{Event: at, Received: at}})
}

// user is the profile of a user id.
func (w *world) user(id string) data.Profile { return w.profile(data.NewProfileID(data.IDUser, id)) }

func (w *world) profile(id data.ProfileID) data.Profile {
	w.t.Helper()
	p, _, err := w.m.Profile(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}
