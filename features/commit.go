package features

import (
	"fmt"

	"kindred/data"
	"kindred/features/compact"
)

// Emitted are the events that folding wants appended to the log, in order, since
// the last Commit: forwards and absorbs. They belong before the commit's save, so
// that a crash in between repeats them and never loses them. Their target
// partition is that of Event.Profile.
func (m *Memory) Emitted() []data.Event { return m.emitted }

// Reject adds a dead letter to the next Commit.
func (m *Memory) Reject(d data.DeadLetter) { m.dead = append(m.dead, d) }

// commit is a Commit and the memory that its values lie in.
type commit struct {
	data.Commit
	bytes  []byte
	hashes []uint64
	parts  []part
}

// part is what one key has of bytes or hashes.
type part struct{ from, to int }

// maxKeptChanges bounds the memory of changes that is used again.
const maxKeptChanges = 4096

// Commit is everything that folding changed since the last Commit, to be saved
// with the given cursor. The memory forgets the changes, not the state: it is
// ready for the next record once the commit is saved, and to be thrown away if it
// is not. The error is a profile's that cannot be encoded.
//
// The commit is good until the next Fold, Prefetch or Commit, which use its memory
// again. Cost is O(what changed).
func (m *Memory) Commit(cursor int64) (*data.Commit, error) {
	c := &m.commit
	if c.Profiles == nil {
		c.Profiles, c.Dedup, c.Counters = map[data.ProfileID][]byte{}, map[data.DedupKey][]uint64{}, map[string][]byte{}
	}
	clear(c.Profiles)
	clear(c.Dedup)
	clear(c.Counters)
	c.Cursor, c.DropDedupBefore = cursor, 0
	c.Changes, c.Links, c.Late, c.Dead = m.changes, m.links, m.late, m.dead
	var err error
	if c.bytes, err = m.State.AppendBinary(c.bytes[:0]); err != nil {
		return nil, err
	}
	state := len(c.bytes)
	if err := m.commitProfiles(c); err != nil {
		return nil, err
	}
	c.State = c.bytes[:state:state] // all bytes are written: they do not move any more
	m.commitIDs(c)
	c.SetTimers, c.ClearTimers = m.takeTimers(c.SetTimers[:0], c.ClearTimers[:0])
	if m.changes = m.changes[:0]; cap(m.changes) > maxKeptChanges {
		m.changes = nil
	}
	m.links, m.late, m.dead, m.emitted = nil, nil, nil, nil
	m.batch++
	m.ahead = nil
	return &c.Commit, nil
}

// commitProfiles encodes the profiles and counters that changed.
func (m *Memory) commitProfiles(c *commit) (err error) {
	c.parts = c.parts[:0]
	for _, r := range m.touched {
		from := len(c.bytes)
		if c.bytes, err = m.people.AppendBinary(c.bytes, r); err != nil {
			return fmt.Errorf("encode profile %s: %w", m.people.ID(r), err)
		}
		c.parts = append(c.parts, part{from, len(c.bytes)})
	}
	for _, i := range m.counters.changed {
		from := len(c.bytes)
		c.bytes = AppendCounts(c.bytes, m.counters.all[i].counts)
		c.parts = append(c.parts, part{from, len(c.bytes)})
	}
	for k, r := range m.touched {
		x := c.parts[k]
		c.Profiles[m.people.ID(r)] = c.bytes[x.from:x.to:x.to]
		m.people.At(r).Flags &^= compact.Touched
	}
	for _, key := range m.counters.dropped {
		c.Counters[key] = nil
	}
	for k, i := range m.counters.changed { // some of them may have been dropped before
		x := c.parts[len(m.touched)+k]
		c.Counters[m.counters.all[i].key] = c.bytes[x.from:x.to:x.to]
		m.counters.all[i].changed = false
	}
	m.touched, m.counters.changed, m.counters.dropped = m.touched[:0], m.counters.changed[:0], nil
	return nil
}

// commitIDs takes the message ids that changed, and forgets those of days that are over.
func (m *Memory) commitIDs(c *commit) {
	if m.ids.horizon != m.ids.dropped {
		c.DropDedupBefore, m.ids.dropped = m.ids.horizon, m.ids.horizon
		m.people.Everybody(func(r compact.Ref, _ *compact.Person) { m.people.DropIDsBefore(r, m.ids.horizon) })
	}
	c.parts, c.hashes = c.parts[:0], c.hashes[:0]
	for _, k := range m.ids.changed {
		from := len(c.hashes)
		c.hashes = m.people.AppendIDs(c.hashes, k)
		c.parts = append(c.parts, part{from, len(c.hashes)})
		m.people.MarkSaved(k)
	}
	for i, k := range m.ids.changed {
		if x := c.parts[i]; !m.forgotten(k) {
			c.Dedup[data.DedupKey{Profile: m.people.ID(k.Who), Day: k.Day, Imported: k.Imported}] = c.hashes[x.from:x.to:x.to]
		}
	}
	m.ids.changed = m.ids.changed[:0]
	for _, k := range m.ids.loaded { // the store has them
		m.people.DropIDs(k.Who)
	}
	m.ids.loaded = m.ids.loaded[:0]
}
