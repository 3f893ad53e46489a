package embedded

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"kindred/data"
)

// lastDead is the name under which the last number given to a dead letter is kept, once
// letters have been removed.
const lastDead = "dead"

// loadDead finds the last number given to a dead letter.
func (s *Store) loadDead() error {
	last, err := s.last(s.keys.table(tableDead))
	if err != nil {
		return err
	}
	if last != nil {
		s.deadSeq = binary.BigEndian.Uint64(last[len(last)-8:])
	}
	b, err := s.get(s.db, s.keys.meta(lastDead))
	switch {
	case errors.Is(err, data.ErrNotFound):
		return nil
	case err != nil:
		return err
	case len(b) != 8:
		return fmt.Errorf("the last dead letter's number has %d bytes, not 8", len(b))
	}
	s.deadSeq = max(s.deadSeq, binary.BigEndian.Uint64(b))
	return nil
}

// SettleDead removes the dead letters with the numbers in done, and writes those in again
// over the ones that have their numbers, in one synced write. Letters that are no longer
// there stay away: who settles at the same time brings none back.
func (s *Store) SettleDead(ctx context.Context, done []uint64, again []data.DeadLetter) error {
	if err := s.enter(ctx); err != nil {
		return fmt.Errorf("settle dead letters: %w", err)
	}
	defer s.users.leave()
	s.deadMu.Lock()
	defer s.deadMu.Unlock()
	b := s.db.NewBatch()
	defer b.Close()
	for _, l := range again {
		if _, err := s.get(s.db, s.keys.dead(l.Seq)); errors.Is(err, data.ErrNotFound) {
			continue
		} else if err != nil {
			return fmt.Errorf("settle dead letter %d: %w", l.Seq, err)
		}
		l.At = l.At.UTC()
		v, err := json.Marshal(l)
		if err == nil {
			err = b.Set(s.keys.dead(l.Seq), v, nil)
		}
		if err != nil {
			return fmt.Errorf("settle dead letter %d: %w", l.Seq, err)
		}
	}
	for _, seq := range done {
		if err := b.Delete(s.keys.dead(seq), nil); err != nil {
			return fmt.Errorf("settle dead letter %d: %w", seq, err)
		}
	}
	if b.Empty() {
		return nil
	}
	// Numbers are not given twice, even where the last letter is gone at the next start.
	if err := b.Set(s.keys.meta(lastDead), binary.BigEndian.AppendUint64(nil, s.deadSeq), nil); err != nil {
		return fmt.Errorf("settle dead letters: %w", err)
	}
	if err := s.commit(b, true); err != nil {
		return fmt.Errorf("settle dead letters: %w", err)
	}
	return nil
}
