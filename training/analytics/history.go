package analytics

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"kindred/data"
	"kindred/data/lake"
	"kindred/features"
	"kindred/features/expr/rawjson"
	"kindred/features/segment"
)

// Act is one thing that somebody did.
type Act struct {
	Name  uint32 // place in History.Names
	At    int64  // event time, Unix ms
	Value float64
}

// Person is somebody's acts by time, and the campaign of the first of them that named one.
type Person struct {
	ID       data.ProfileID
	Campaign string
	Acts     []Act
}

// History is what everybody did, people by id.
type History struct {
	People []Person
	Names  []string
	Until  time.Time // the snapshot's watermark
}

// commitEvery is after how many records the fold forgets what it changed.
const commitEvery = 10_000

// Read folds a snapshot and keeps the acts. It holds 24 bytes an act in memory, and one partition's
// profiles at a time. progress may be nil.
func Read(ctx context.Context, snap *lake.Snapshot, cfg features.Config, progress func(done, total int)) (*History, error) {
	r := reader{names: map[string]uint32{}, people: map[data.ProfileID]*Person{}, into: map[data.ProfileID]data.ProfileID{}}
	builder := features.NewBuilder(cfg)
	total, done := int(snap.Rows(lake.Events)), 0
	for _, partition := range snap.Partitions() {
		skip := map[int64]bool{}
		if err := snap.Events(ctx, partition, func(_ data.Record, e data.Event) error {
			if e.Name == data.SysSkip && e.Skip != nil {
				skip[*e.Skip] = true
			}
			return nil
		}); err != nil {
			return nil, fmt.Errorf("read partition %d: %w", partition, err)
		}
		m := features.NewMemory(partition, features.State{}, nil, nil)
		err := snap.Events(ctx, partition, func(rec data.Record, e data.Event) error {
			if done++; done%commitEvery == 0 {
				if progress != nil {
					progress(done, total)
				}
				if _, err := m.Commit(rec.Offset); err != nil {
					return err
				}
			}
			if e.Type == "" || skip[rec.Offset] {
				return nil
			}
			outcome, err := builder.Fold(ctx, m, rec.Offset, e)
			switch {
			case err != nil || outcome != features.Applied:
			case e.Type != data.System:
				r.add(&e)
			case e.Name == data.SysDelete:
				r.forget(e.Profile)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read partition %d: %w", partition, err)
		}
		m.Profiles(func(p data.Profile) {
			if p.Redirect != "" {
				r.into[p.ID] = p.Redirect
			}
		})
	}
	if progress != nil {
		progress(total, total)
	}
	return r.history(snap.Watermark()), nil
}

// reader gathers acts.
type reader struct {
	names  map[string]uint32
	list   []string
	people map[data.ProfileID]*Person
	into   map[data.ProfileID]data.ProfileID
}

func (r *reader) add(e *data.Event) {
	p := r.people[e.Profile]
	if p == nil {
		p = &Person{ID: e.Profile}
		r.people[e.Profile] = p
	}
	name := segment.NameOf(e)
	n, ok := r.names[name]
	if !ok {
		n = uint32(len(r.list))
		r.names[name] = n
		r.list = append(r.list, name)
	}
	p.Acts = append(p.Acts, Act{n, e.Times.Event.UnixMilli(), worth(e)})
	if p.Campaign == "" && len(e.Ctx) > 0 {
		p.Campaign, _ = rawjson.Text(rawjson.Get(e.Ctx, "campaign", "name"))
	}
}

// worth is the revenue of a purchase.
func worth(e *data.Event) float64 {
	if e.Value != 0 {
		return e.Value
	}
	for _, field := range []string{"revenue", "total", "value"} {
		if x, ok := rawjson.Number(rawjson.Field(e.Props, field)); ok {
			return x
		}
	}
	return 0
}

// forget drops what an erased person did so far.
func (r *reader) forget(id data.ProfileID) { delete(r.people, id) }

// history brings who was merged together.
func (r *reader) history(until time.Time) *History {
	for id, p := range r.people {
		to, steps := id, 0
		for r.into[to] != "" && steps < 100 {
			to = r.into[to]
			steps++
		}
		if to == id {
			continue
		}
		owner := r.people[to]
		if owner == nil {
			owner = &Person{ID: to}
			r.people[to] = owner
		}
		owner.Acts = append(owner.Acts, p.Acts...)
		owner.Campaign = cmp.Or(owner.Campaign, p.Campaign)
		p.Acts = nil
	}
	h := &History{Names: r.list, Until: until}
	for _, p := range r.people {
		if len(p.Acts) > 0 {
			slices.SortFunc(p.Acts, func(a, b Act) int {
				return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(r.list[a.Name], r.list[b.Name]), cmp.Compare(a.Value, b.Value))
			})
			h.People = append(h.People, *p)
		}
	}
	slices.SortFunc(h.People, func(a, b Person) int { return cmp.Compare(a.ID, b.ID) })
	return h
}

// named is the place of an event's name; false if nobody did it.
func (h *History) named(name string) (uint32, bool) {
	i := slices.Index(h.Names, name)
	return uint32(i), i >= 0
}
