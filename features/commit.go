package features

import (
	"fmt"
	"maps"
	"slices"

	"kindred/data"
	"kindred/model/popular"
)

// Emitted are the events that folding wants appended to the log, in order, since
// the last Commit: forwards and absorbs. They belong before the commit's save, so
// that a crash in between repeats them and never loses them. Their target
// partition is that of Event.Profile.
func (m *Memory) Emitted() []data.Event { return m.emitted }

// Counters calls fn with every popularity counter changed since the last Commit.
func (m *Memory) Counters(fn func(key string, c popular.Counts)) {
	for _, key := range slices.Sorted(maps.Keys(m.counted)) {
		fn(key, m.counters[key])
	}
}

// Reject adds a dead letter to the next Commit.
func (m *Memory) Reject(d data.DeadLetter) { m.dead = append(m.dead, d) }

// Commit is everything that folding changed since the last Commit, to be saved
// with the given cursor. The memory forgets the changes, not the state: it is
// ready for the next record once the commit is saved, and to be thrown away if it
// is not. The error is a profile's that cannot be encoded.
func (m *Memory) Commit(cursor int64) (*data.Commit, error) {
	c := &data.Commit{
		Cursor:   cursor,
		Profiles: map[data.ProfileID][]byte{},
		Dedup:    map[data.DedupKey][]uint64{},
		Counters: map[string][]byte{},
		Changes:  m.changes,
		Links:    m.links,
		Late:     m.late,
		Dead:     m.dead,
	}
	var err error
	if c.State, err = m.State.AppendBinary(nil); err != nil {
		return nil, err
	}
	for id, h := range m.profiles {
		if !h.touched {
			continue
		}
		if c.Profiles[id], err = h.p.AppendBinary(nil); err != nil {
			return nil, fmt.Errorf("encode profile %s: %w", id, err)
		}
		h.touched = false
	}
	if m.horizon != m.dropped {
		c.DropDedupBefore, m.dropped = m.horizon, m.horizon
	}
	for k, set := range m.dedup {
		if m.forgotten(k) {
			delete(m.dedup, k)
			continue
		}
		if set.changed {
			c.Dedup[k] = slices.Clone(set.ids)
			set.changed = false
		}
	}
	for key := range m.counted {
		c.Counters[key] = AppendCounts(nil, m.counters[key])
	}
	c.SetTimers, c.ClearTimers = m.timers.take(m.src == nil)
	clear(m.counted)
	if m.src != nil {
		clear(m.dedup)
	}
	m.changes, m.links, m.late, m.dead, m.emitted = nil, nil, nil, nil, nil
	m.batch++
	return c, nil
}
