package features

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"kindred/data"
	"kindred/features/compact"
	"kindred/model/cluster"
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
//
// People are kept in compact form (package compact). Those that folding one record
// must look at as a whole are opened for it and closed at its end.
type Memory struct {
	State State

	partition  int32
	src        Source // nil: nothing exists but what was folded here
	clusterers Clusterers
	clusterer  *cluster.Model
	clusterOf  string // the version that clusterer belongs to

	people   *compact.Store
	opened   []compact.Ref // by the record being folded
	touched  []compact.Ref // changed since the last commit
	batch    uint32        // number of commits so far, the age of people
	ids      messageIDs
	timers   timers
	segments segments
	whole    wholePerson  // how rules see the person of the record
	packed   packedPerson // or so
	counters counters

	changes []data.Change
	links   []data.IndexEntry
	late    []data.Record
	dead    []data.DeadLetter
	emitted []data.Event

	ahead   []data.Event // of Prefetch, whose people are not near yet
	passed  int          // events folded since people came near
	fold    fold         // the record being folded
	event   data.Event   // and its event
	commit  commit       // the last one, whose memory the next one uses again
	scratch scratch
}

// NewMemory returns the memory of a partition in the given state. src may be nil
// for a fold that starts from nothing, clusterers for one without clusters.
func NewMemory(partition int32, state State, src Source, clusterers Clusterers) *Memory {
	m := &Memory{State: state, partition: partition, src: src, clusterers: clusterers, counters: newCounters()}
	m.forgetEverybody()
	return m
}

// forgetEverybody starts with no people at all.
func (m *Memory) forgetEverybody() {
	m.people = compact.NewStore(shapeOf(builtinSlots()))
	m.scratch = scratch{}
	m.scratch.focus = m.people.Symbols.Of(focusFacet)
	m.timers, m.segments.timers = newTimers(), segmentTimers{}
	m.counters.unbind()
}

// Prefetch loads in one go what folding the events will read: their profiles,
// their message ids and the timers due until the latest of them. What is in memory it
// brings nearer to the processor, so it pays without a Source too: some tens of people
// now, and the next ones while these are folded; the events must stay as they are until
// they are folded, or until Commit.
func (m *Memory) Prefetch(ctx context.Context, events []data.Event) error {
	if m.src != nil {
		if err := m.load(ctx, events); err != nil {
			return err
		}
	}
	m.ahead = events
	m.comeNear()
	return nil
}

// nearEvents is how many events' people are brought near at once: as many as the
// processor's second-level cache holds beside the events.
const nearEvents = 64

// comeNear brings the people of the next events near.
func (m *Memory) comeNear() {
	next := m.ahead[:min(len(m.ahead), nearEvents)]
	m.passed = 0
	m.people.Touch(len(next), func(i int) data.ProfileID { return next[i].Profile })
	m.scratch.near = m.people.Symbols.Likely(m.scratch.near[:0], len(next), func(i int) string {
		if len(next[i].Items) == 0 {
			return ""
		}
		return string(next[i].Items[0].ID)
	})
	m.scratch.touched = m.counters.touch(m.scratch.near)
	if m.ahead = m.ahead[len(next):]; len(m.ahead) == 0 {
		m.ahead = nil
	}
}

// passing says that an event is about to be folded: every so many, the people of the
// next ones come near. That the events are Prefetch's own, in its order, only makes it
// worth while. What was read of the person of the event before is old.
func (m *Memory) passing() {
	m.scratch.readings.done = false
	if m.passed++; m.passed >= nearEvents && len(m.ahead) > 0 {
		m.comeNear()
	}
}

// load is Prefetch from the Source.
func (m *Memory) load(ctx context.Context, events []data.Event) error {
	var missing []data.ProfileID
	until := m.State.Now
	for i := range events {
		e := &events[i]
		until = max(until, millis(e.Times.Received))
		if e.Profile != "" && m.people.Find(e.Profile) == 0 {
			missing = append(missing, e.Profile)
		}
	}
	if err := m.loadProfiles(ctx, missing); err != nil {
		return err
	}
	var keys []compact.IDKey
	for i := range events {
		if e := &events[i]; e.Profile != "" {
			keys = m.appendMissingIDs(keys, m.people.Find(e.Profile), e)
		}
	}
	if err := m.loadIDs(ctx, keys); err != nil {
		return err
	}
	return m.loadTimers(ctx, until)
}

// Profile is the profile as folded so far; false when nobody met that person. Read
// it before folding on: where it has no compact form it shares memory with the fold.
func (m *Memory) Profile(ctx context.Context, id data.ProfileID) (data.Profile, bool, error) {
	r, err := m.hold(ctx, id)
	if err != nil {
		return data.Profile{}, false, err
	}
	p := m.people.Unpack(r)
	if p.Version == 0 {
		return data.Profile{}, false, nil
	}
	return p, true, nil
}

// Profiles calls fn with every profile in memory, by id. A value is as Profile's.
func (m *Memory) Profiles(fn func(data.Profile)) {
	everybody := make([]compact.Ref, 0, m.people.Len())
	m.people.Everybody(func(r compact.Ref, _ *compact.Person) { everybody = append(everybody, r) })
	slices.SortFunc(everybody, m.people.Compare)
	for _, r := range everybody {
		if p := m.people.Unpack(r); p.Version > 0 {
			fn(p)
		}
	}
}

// Len is the number of profiles in memory.
func (m *Memory) Len() int { return m.people.Len() }

// hold finds the profile, loading it if need be; an unknown one is empty.
func (m *Memory) hold(ctx context.Context, id data.ProfileID) (compact.Ref, error) {
	r := m.people.Find(id)
	if r == 0 {
		if err := m.loadProfiles(ctx, []data.ProfileID{id}); err != nil {
			return 0, err
		}
		r = m.people.Find(id)
	}
	m.people.At(r).Used = uint16(m.batch)
	return r, nil
}

// loadProfiles brings people who are not in memory into it; ids may repeat.
func (m *Memory) loadProfiles(ctx context.Context, ids []data.ProfileID) error {
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var found map[data.ProfileID][]byte
	if m.src != nil {
		var err error
		if found, err = m.src.LoadProfiles(ctx, m.partition, ids); err != nil {
			return fmt.Errorf("load %d profiles of partition %d: %w", len(ids), m.partition, err)
		}
	}
	for _, id := range ids {
		r := m.people.Add(id)
		m.people.At(r).Used = uint16(m.batch)
		if b := found[id]; len(b) > 0 {
			p := m.people.Open(r)
			if err := p.UnmarshalBinary(b); err != nil {
				return fmt.Errorf("decode profile %s: %w", id, err)
			}
			m.people.Close(r)
		}
	}
	return nil
}

// open is the whole profile of a person, to be changed at will until the record ends.
func (m *Memory) open(r compact.Ref) *data.Profile {
	if !slices.Contains(m.opened, r) {
		m.opened = append(m.opened, r)
	}
	return m.people.Open(r)
}

// closeOpened gives those who were opened their compact form back.
func (m *Memory) closeOpened() {
	for _, r := range m.opened {
		m.people.Close(r)
	}
	m.opened = m.opened[:0]
}

// touch marks a profile as changed since the last commit.
func (m *Memory) touch(r compact.Ref, p *compact.Person) {
	if p.Flags&compact.Touched == 0 {
		p.Flags |= compact.Touched
		m.touched = append(m.touched, r)
	}
}

// age is how many batches ago a person was used, modulo 2^16: who was not used for that
// long may be taken for somebody younger, and stays a while longer.
func (m *Memory) age(r compact.Ref) uint16 { return uint16(m.batch) - m.people.At(r).Used }

// Shrink forgets profiles that were used longest ago until at most limit are in
// memory, and everybody if people and their texts hold more than bytes or are loose: then
// memory may be mostly texts that nobody has any more, many of them or long ones that somebody
// made up, and room that nobody's lists fit into. Call it after a Commit was saved; it does
// nothing to a memory without a Source, which has nowhere to find them again.
func (m *Memory) Shrink(limit, bytes int) {
	if m.src == nil {
		return
	}
	if m.people.Room() > bytes || m.people.Loose() {
		m.forgetEverybody()
		return
	}
	if m.people.Len() <= limit {
		return
	}
	everybody := m.scratch.refs[:0]
	m.people.Everybody(func(r compact.Ref, _ *compact.Person) { everybody = append(everybody, r) })
	slices.SortFunc(everybody, func(a, b compact.Ref) int {
		return cmp.Or(cmp.Compare(m.age(b), m.age(a)), cmp.Compare(a, b))
	})
	for _, r := range everybody[:len(everybody)-limit*3/4] { // a quarter at once, so that sorting is rare
		m.people.Forget(r)
	}
	m.scratch.refs = everybody[:0]
}
