package features

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"kindred/data"
	"kindred/model/cluster"
	"kindred/model/popular"
)

// Source is where a Memory finds what it does not hold yet: the stores.
type Source interface {
	LoadProfiles(ctx context.Context, partition int32, ids []data.ProfileID) (map[data.ProfileID][]byte, error)
	LoadDedup(ctx context.Context, partition int32, keys []data.DedupKey) (map[data.DedupKey][]uint64, error)
	// DueTimers are the stored timers at or before until, in (At, Profile, Slot) order.
	DueTimers(ctx context.Context, partition int32, until int64, limit int) ([]data.Timer, error)
}

// Clusterers finds the clusterer of a published model version: nil, without an
// error, for a version that has none; data.ErrNotFound for one that is gone, which
// counts as none. Any other error stops the fold until it can be answered.
type Clusterers func(ctx context.Context, version string) (*cluster.Model, error)

// Memory is the working state of one partition's fold: what was loaded from the
// Source, and what folding changed since the last Commit. It is not safe for
// concurrent use. After Fold returned an error or panicked it may hold half an
// event and must be thrown away.
type Memory struct {
	State State

	partition  int32
	src        Source // nil: nothing exists but what was folded here
	clusterers Clusterers
	clusterer  *cluster.Model
	clusterOf  string // the version that clusterer belongs to

	profiles map[data.ProfileID]*held
	batch    uint64 // number of commits so far, the age of held profiles
	dedup    map[data.DedupKey]*idSet
	horizon  int32 // live ids of days before it are forgotten
	dropped  int32 // the horizon of the last commit
	timers   timers
	counters map[string]popular.Counts
	counted  map[string]struct{} // counters changed since the last commit

	changes []data.Change
	links   []data.IndexEntry
	late    []data.Record
	dead    []data.DeadLetter
	emitted []data.Event
}

// held is a profile in memory.
type held struct {
	p       *data.Profile
	used    uint64 // the batch that last read it
	touched bool   // changed since the last commit
}

// NewMemory returns the memory of a partition in the given state. src may be nil
// for a fold that starts from nothing, clusterers for one without clusters.
func NewMemory(partition int32, state State, src Source, clusterers Clusterers) *Memory {
	return &Memory{
		State: state, partition: partition, src: src, clusterers: clusterers,
		profiles: map[data.ProfileID]*held{},
		dedup:    map[data.DedupKey]*idSet{},
		timers:   newTimers(),
		counters: map[string]popular.Counts{},
		counted:  map[string]struct{}{},
	}
}

// Prefetch loads in one go what folding the events will read: their profiles,
// their message ids and the timers due until the latest of them.
func (m *Memory) Prefetch(ctx context.Context, events []data.Event) error {
	if m.src == nil {
		return nil
	}
	var ids []data.ProfileID
	var keys []data.DedupKey
	until := m.State.Now
	for _, e := range events {
		until = max(until, millis(e.Times.Received))
		if e.Profile == "" {
			continue
		}
		if _, ok := m.profiles[e.Profile]; !ok {
			ids = append(ids, e.Profile)
		}
		for _, k := range dedupKeys(e) {
			if _, ok := m.dedup[k]; !ok {
				keys = append(keys, k)
			}
		}
	}
	slices.Sort(ids)
	if err := m.loadProfiles(ctx, slices.Compact(ids)); err != nil {
		return err
	}
	if err := m.loadDedup(ctx, keys); err != nil {
		return err
	}
	return m.timers.load(ctx, m.src, m.partition, until)
}

// Profile is the profile as folded so far; false when nobody met that person.
// The value shares memory with the fold: read it before folding on.
func (m *Memory) Profile(ctx context.Context, id data.ProfileID) (data.Profile, bool, error) {
	h, err := m.hold(ctx, id)
	if err != nil || h.p.Version == 0 {
		return data.Profile{}, false, err
	}
	return *h.p, true, nil
}

// Profiles calls fn with every profile in memory, by id. Values share memory with
// the fold.
func (m *Memory) Profiles(fn func(data.Profile)) {
	for _, id := range slices.Sorted(maps.Keys(m.profiles)) {
		if h := m.profiles[id]; h.p.Version > 0 {
			fn(*h.p)
		}
	}
}

// Len is the number of profiles in memory.
func (m *Memory) Len() int { return len(m.profiles) }

// hold returns the profile for reading and changing; an unknown one is empty.
func (m *Memory) hold(ctx context.Context, id data.ProfileID) (*held, error) {
	if _, ok := m.profiles[id]; !ok {
		if err := m.loadProfiles(ctx, []data.ProfileID{id}); err != nil {
			return nil, err
		}
	}
	h := m.profiles[id]
	h.used = m.batch
	return h, nil
}

func (m *Memory) loadProfiles(ctx context.Context, ids []data.ProfileID) error {
	var found map[data.ProfileID][]byte
	if m.src != nil && len(ids) > 0 {
		var err error
		if found, err = m.src.LoadProfiles(ctx, m.partition, ids); err != nil {
			return fmt.Errorf("load %d profiles of partition %d: %w", len(ids), m.partition, err)
		}
	}
	for _, id := range ids {
		p := &data.Profile{ID: id}
		if b := found[id]; len(b) > 0 {
			if err := p.UnmarshalBinary(b); err != nil {
				return fmt.Errorf("decode profile %s: %w", id, err)
			}
		}
		m.profiles[id] = &held{p: p, used: m.batch}
	}
	return nil
}

// SetCounter puts a stored counter into memory, before the first Fold.
func (m *Memory) SetCounter(key string, c popular.Counts) { m.counters[key] = c }

// Shrink forgets profiles that were used longest ago until at most limit are in
// memory. Call it after a Commit was saved; it does nothing to a memory without a
// Source, which has nowhere to find them again.
func (m *Memory) Shrink(limit int) {
	if m.src == nil || len(m.profiles) <= limit {
		return
	}
	ids := slices.Collect(maps.Keys(m.profiles))
	slices.SortFunc(ids, func(a, b data.ProfileID) int {
		if m.profiles[a].used != m.profiles[b].used {
			if m.profiles[a].used < m.profiles[b].used {
				return -1
			}
			return 1
		}
		return 0
	})
	for _, id := range ids[:len(ids)-limit*3/4] { // a quarter at once, so that sorting is rare
		delete(m.profiles, id)
	}
}
