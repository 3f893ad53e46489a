package embedded

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"kindred/data"
)

// Load returns the cursor of a partition, the offset of the next record to fold,
// and the state that its owner saved with it. A partition that nobody has folded
// has cursor 0 and no state.
func (s *Store) Load(ctx context.Context, partition int32) (cursor int64, state []byte, err error) {
	part, err := s.begin(ctx, partition)
	if err != nil {
		return 0, nil, fmt.Errorf("load state: %w", err)
	}
	defer s.users.leave()
	part.save.Lock()
	defer part.save.Unlock()
	if part.dropping {
		return 0, nil, fmt.Errorf("load state: %w", errDropping(partition))
	}
	if cursor, state, err = s.readState(partition); err != nil {
		return 0, nil, fmt.Errorf("load state: partition %d: %w", partition, err)
	}
	return cursor, state, nil
}

// Save writes everything in c, and its cursor, in one atomic batch, if the stored
// cursor is expect; otherwise it writes nothing and the error is data.ErrStale. It
// is not synced: a crash may take back the newest saves, always whole and always
// newest first.
//
// A nil value in c.Profiles, c.Dedup or c.Counters deletes. c.DropDedupBefore is
// applied before c.Dedup, and c.ClearTimers before c.SetTimers; of several timers
// with one identity the last stands. Offsets and partitions in c must be those of
// the partition, and c.Cursor between expect and End.
func (s *Store) Save(ctx context.Context, partition int32, expect int64, c *data.Commit) error {
	part, err := s.begin(ctx, partition)
	if err != nil {
		return fmt.Errorf("save: %w", err)
	}
	defer s.users.leave()
	part.save.Lock()
	defer part.save.Unlock()
	switch end := part.durableEnd(); {
	case part.dropping:
		return fmt.Errorf("save: %w", errDropping(partition))
	case part.cursor != expect:
		return fmt.Errorf("save: partition %d: stored cursor %d, expected %d: %w", partition, part.cursor, expect, data.ErrStale)
	case c.Cursor < expect || !s.opt.StateOnly && c.Cursor > end:
		return fmt.Errorf("save: partition %d: new cursor %d: must be from %d, the stored one, to %d, the log's end", partition, c.Cursor, expect, end)
	}
	b := s.db.NewBatch()
	defer b.Close()
	if err := s.fill(b, partition, c); err != nil {
		return fmt.Errorf("save: partition %d: %w", partition, err)
	}
	if len(c.Dead) > 0 {
		s.deadMu.Lock()
		defer s.deadMu.Unlock()
		if err := s.putDead(b, append([]data.DeadLetter(nil), c.Dead...)); err != nil {
			return fmt.Errorf("save: partition %d: %w", partition, err)
		}
	}
	err = s.commit(b, false)
	for _, e := range c.Links { // written or, after an error, who knows
		s.lookups.forget(e.Kind, e.ID)
	}
	for id := range c.Profiles {
		s.stamps.of(id).Add(1)
	}
	if err != nil {
		return fmt.Errorf("save: partition %d: %w", partition, err)
	}
	part.cursor = c.Cursor
	return nil
}

// fill writes all of c but the dead letters into a batch.
func (s *Store) fill(b *pebble.Batch, p int32, c *data.Commit) error {
	w := &filler{b: b}
	w.put(s.keys.state(p), append(binary.AppendUvarint(nil, uint64(c.Cursor)), c.State...))
	for id, v := range c.Profiles {
		w.put(s.keys.profile(p, id), v)
	}
	if c.DropDedupBefore > 0 {
		w.err = errors.Join(w.err, b.DeleteRange(s.keys.part(tableDedup, p), s.keys.dedupDay(p, c.DropDedupBefore), nil))
	}
	for key, hashes := range c.Dedup {
		if hashes == nil {
			w.put(s.keys.dedup(p, key), nil)
			continue
		}
		w.put(s.keys.dedup(p, key), appendHashes([]byte{}, hashes))
	}
	for key, v := range c.Counters {
		w.put(s.keys.counter(p, key), v)
	}
	s.fillTimers(w, p, c)
	for _, ch := range c.Changes {
		if ch.Partition != p {
			return fmt.Errorf("change (%d, %d, %d) belongs to another partition", ch.Partition, ch.Offset, ch.K)
		}
		ch.At = ch.At.UTC()
		w.putJSON(s.keys.change(p, ch.Offset, ch.K), ch)
	}
	for _, r := range c.Late {
		if r.Partition != p {
			return fmt.Errorf("late record (%d, %d) belongs to another partition", r.Partition, r.Offset)
		}
		w.put(s.keys.late(p, r.Offset), append([]byte{}, r.Value...))
	}
	for _, e := range c.Links {
		s.fillLink(w, p, e)
	}
	return w.err
}

// fillLink writes one entry of the identity index: the last writer stands.
func (s *Store) fillLink(w *filler, p int32, e data.IndexEntry) {
	if e.Profile == "" {
		w.put(s.keys.index(e.Kind, e.ID), nil)
		w.put(s.keys.owned(p, e.Kind, e.ID), nil)
		return
	}
	v := binary.BigEndian.AppendUint32(nil, uint32(p))
	w.put(s.keys.index(e.Kind, e.ID), append(v, e.Profile...))
	w.put(s.keys.owned(p, e.Kind, e.ID), []byte{})
}

// fillTimers moves and clears timers in both tables. A timer's old time must be
// known to take it out of the firing order.
func (s *Store) fillTimers(w *filler, p int32, c *data.Commit) {
	type identity struct {
		profile data.ProfileID
		slot    string
	}
	final := make(map[identity]*int64, len(c.SetTimers)+len(c.ClearTimers))
	for _, t := range c.ClearTimers {
		final[identity{t.Profile, t.Slot}] = nil
	}
	for _, t := range c.SetTimers {
		final[identity{t.Profile, t.Slot}] = &t.At
	}
	ids, keys := make([]identity, 0, len(final)), make([][]byte, 0, len(final))
	for id := range final {
		ids = append(ids, id)
		keys = append(keys, s.keys.timer(p, data.Timer{Profile: id.profile, Slot: id.slot}))
	}
	err := s.getAll(s.db, keys, func(i int, old []byte) error {
		if len(old) != 8 {
			return errKey
		}
		w.put(s.keys.due(p, data.Timer{At: readInt64(old), Profile: ids[i].profile, Slot: ids[i].slot}), nil)
		return nil
	})
	w.err = errors.Join(w.err, err)
	for i, id := range ids {
		at := final[id]
		if at == nil {
			w.put(keys[i], nil)
			continue
		}
		w.put(keys[i], appendInt64(nil, *at))
		w.put(s.keys.due(p, data.Timer{At: *at, Profile: id.profile, Slot: id.slot}), []byte{})
	}
}

// filler adds to a batch and keeps the first errors for the end.
type filler struct {
	b   *pebble.Batch
	err error
}

// put sets key, or deletes it when v is nil.
func (w *filler) put(key, v []byte) {
	var err error
	if v == nil {
		err = w.b.Delete(key, nil)
	} else {
		err = w.b.Set(key, v, nil)
	}
	if err != nil {
		w.err = errors.Join(w.err, err)
	}
}

func (w *filler) putJSON(key []byte, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		w.err = errors.Join(w.err, err)
		return
	}
	w.put(key, b)
}

// readState reads a partition's cursor and state.
func (s *Store) readState(p int32) (cursor int64, state []byte, err error) {
	b, err := s.get(s.db, s.keys.state(p))
	if errors.Is(err, data.ErrNotFound) {
		return 0, nil, nil
	}
	if err != nil {
		return 0, nil, err
	}
	v, n := binary.Uvarint(b)
	if n <= 0 || v > 1<<62 {
		return 0, nil, errors.New("the cursor can not be read; the store is damaged")
	}
	if state = b[n:]; len(state) == 0 {
		state = nil
	}
	return int64(v), state, nil
}
