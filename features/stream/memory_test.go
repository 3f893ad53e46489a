package stream

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"kindred/data"
)

// memory is a log and a state store in memory: the promises of the real ones,
// conditional save included, and a switch to break them.
type memory struct {
	mu       sync.Mutex
	log      [][]data.Record
	starts   []int64
	states   []stored
	index    map[string]data.ProfileID
	dead     []data.DeadLetter
	advanced chan struct{}
	saves    int

	failSave   func() error // asked before a save; an error is answered and nothing saved
	failAppend func() error // asked after an append that has happened
}

type stored struct {
	cursor   int64
	state    []byte
	profiles map[data.ProfileID][]byte
	dedup    map[data.DedupKey][]uint64
	timers   map[[2]string]data.Timer
	counters map[string][]byte
	changes  map[[2]int64]data.Change
	late     map[int64]data.Record
	links    map[string]data.ProfileID
}

func newMemory(partitions int32) *memory {
	m := &memory{log: make([][]data.Record, partitions), starts: make([]int64, partitions), index: map[string]data.ProfileID{}, advanced: make(chan struct{})}
	for range partitions {
		m.states = append(m.states, emptyState())
	}
	return m
}

func emptyState() stored {
	return stored{profiles: map[data.ProfileID][]byte{}, dedup: map[data.DedupKey][]uint64{}, timers: map[[2]string]data.Timer{},
		counters: map[string][]byte{}, changes: map[[2]int64]data.Change{}, late: map[int64]data.Record{}, links: map[string]data.ProfileID{}}
}

func (m *memory) Append(_ context.Context, recs []data.Record) error {
	m.mu.Lock()
	for i := range recs {
		p := recs[i].Partition
		recs[i].Offset = m.starts[p] + int64(len(m.log[p]))
		r := recs[i]
		r.Value = bytes.Clone(r.Value)
		m.log[p] = append(m.log[p], r)
	}
	close(m.advanced)
	m.advanced = make(chan struct{})
	fail := m.failAppend
	m.mu.Unlock()
	if fail != nil {
		return fail()
	}
	return nil
}

func (m *memory) Read(_ context.Context, p int32, from int64, limit int) ([]data.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if from < m.starts[p] {
		return nil, fmt.Errorf("offset %d is before the log's start %d", from, m.starts[p])
	}
	recs := m.log[p][min(from-m.starts[p], int64(len(m.log[p]))):]
	return slices.Clone(recs[:min(limit, len(recs))]), nil
}

func (m *memory) Wait(ctx context.Context, p int32, after int64) error {
	for {
		m.mu.Lock()
		end, advanced := m.starts[p]+int64(len(m.log[p])), m.advanced
		m.mu.Unlock()
		if end > after {
			return nil
		}
		select {
		case <-advanced:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (m *memory) Start(p int32) int64 { m.mu.Lock(); defer m.mu.Unlock(); return m.starts[p] }

func (m *memory) End(p int32) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.starts[p] + int64(len(m.log[p]))
}

func (m *memory) Load(_ context.Context, p int32) (int64, []byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.states[p].cursor, bytes.Clone(m.states[p].state), nil
}

func (m *memory) Save(_ context.Context, p int32, expect int64, c *data.Commit) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failSave != nil {
		if err := m.failSave(); err != nil {
			return err
		}
	}
	s := &m.states[p]
	if s.cursor != expect {
		return fmt.Errorf("save: %w", data.ErrStale)
	}
	m.saves++
	s.cursor, s.state = c.Cursor, bytes.Clone(c.State)
	for id, b := range c.Profiles {
		s.profiles[id] = bytes.Clone(b)
	}
	maps.DeleteFunc(s.dedup, func(k data.DedupKey, _ []uint64) bool { return !k.Imported && k.Day < c.DropDedupBefore })
	for k, ids := range c.Dedup {
		if ids == nil {
			delete(s.dedup, k)
		} else {
			s.dedup[k] = slices.Clone(ids)
		}
	}
	for _, t := range c.ClearTimers {
		delete(s.timers, [2]string{string(t.Profile), t.Slot})
	}
	for _, t := range c.SetTimers {
		s.timers[[2]string{string(t.Profile), t.Slot}] = t
	}
	for key, b := range c.Counters {
		if b == nil {
			delete(s.counters, key)
		} else {
			s.counters[key] = bytes.Clone(b)
		}
	}
	for _, ch := range c.Changes {
		s.changes[[2]int64{ch.Offset, int64(ch.K)}] = ch
	}
	for _, r := range c.Late {
		s.late[r.Offset] = r
	}
	for _, l := range c.Links {
		key := string(l.Kind) + "/" + l.ID
		s.links[key] = l.Profile
		if l.Profile == "" {
			delete(m.index, key)
		} else {
			m.index[key] = l.Profile
		}
	}
	m.dead = append(m.dead, c.Dead...)
	return nil
}

func (m *memory) LoadProfiles(_ context.Context, p int32, ids []data.ProfileID) (map[data.ProfileID][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[data.ProfileID][]byte{}
	for _, id := range ids {
		if b, ok := m.states[p].profiles[id]; ok {
			out[id] = bytes.Clone(b)
		}
	}
	return out, nil
}

func (m *memory) LoadDedup(_ context.Context, p int32, keys []data.DedupKey) (map[data.DedupKey][]uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[data.DedupKey][]uint64{}
	for _, k := range keys {
		if ids, ok := m.states[p].dedup[k]; ok {
			out[k] = slices.Clone(ids)
		}
	}
	return out, nil
}

func (m *memory) timers(p int32) []data.Timer {
	out := slices.Collect(maps.Values(m.states[p].timers))
	slices.SortFunc(out, func(a, b data.Timer) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Profile, b.Profile), cmp.Compare(a.Slot, b.Slot))
	})
	return out
}

func (m *memory) DueTimers(_ context.Context, p int32, until int64, limit int) ([]data.Timer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []data.Timer
	for _, t := range m.timers(p) {
		if t.At <= until && len(out) < limit {
			out = append(out, t)
		}
	}
	return out, nil
}

func (m *memory) NextTimer(_ context.Context, p int32) (int64, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if all := m.timers(p); len(all) > 0 {
		return all[0].At, true, nil
	}
	return 0, false, nil
}

func (m *memory) ScanCounters(_ context.Context, p int32, fn func(string, []byte) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(m.states[p].counters)) {
		if err := fn(key, m.states[p].counters[key]); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) DropState(_ context.Context, p int32) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.states[p] = emptyState()
	return nil
}

// dump is everything that folding derived, in one order.
func (m *memory) dump() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out bytes.Buffer
	for p, s := range m.states {
		fmt.Fprintf(&out, "partition %d cursor %d state %x\n", p, s.cursor, s.state)
		for _, id := range slices.Sorted(maps.Keys(s.profiles)) {
			fmt.Fprintf(&out, "profile %s %x\n", id, s.profiles[id])
		}
		keys := slices.Collect(maps.Keys(s.dedup))
		slices.SortFunc(keys, func(a, b data.DedupKey) int {
			return cmp.Or(cmp.Compare(a.Profile, b.Profile), cmp.Compare(a.Day, b.Day), cmp.Compare(fmt.Sprint(a.Imported), fmt.Sprint(b.Imported)))
		})
		for _, k := range keys {
			fmt.Fprintf(&out, "dedup %v %v\n", k, s.dedup[k])
		}
		for _, t := range m.timers(int32(p)) {
			fmt.Fprintf(&out, "timer %v\n", t)
		}
		for _, k := range slices.Sorted(maps.Keys(s.counters)) {
			fmt.Fprintf(&out, "counter %s %x\n", k, s.counters[k])
		}
		var changes []data.Change
		for _, c := range s.changes {
			changes = append(changes, c)
		}
		slices.SortFunc(changes, func(a, b data.Change) int { return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.K, b.K)) })
		for _, c := range changes {
			b, _ := json.Marshal(c)
			fmt.Fprintf(&out, "change %s\n", b)
		}
		for _, o := range slices.Sorted(maps.Keys(s.late)) {
			fmt.Fprintf(&out, "late %d %s\n", o, s.late[o].Value)
		}
		for _, k := range slices.Sorted(maps.Keys(s.links)) {
			fmt.Fprintf(&out, "link %s %s\n", k, s.links[k])
		}
	}
	for _, k := range slices.Sorted(maps.Keys(m.index)) { // over all partitions, whoever wrote last
		fmt.Fprintf(&out, "index %s %s\n", k, m.index[k])
	}
	return out.Bytes()
}

var errCrash = errors.New("crash")
