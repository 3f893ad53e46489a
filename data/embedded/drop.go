package embedded

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/cockroachdb/pebble/v2"

	"kindred/data"
)

// DropState removes everything that the fold of a partition derived (profiles,
// dedup ids, timers, counters, changes, late records, its entries of the identity
// index, and the cursor) and keeps the log and the dead letters, so that the
// partition can be folded again from its start.
//
// It is durable when it returns. A drop that was interrupted is finished by the
// next Open or the next DropState; until then Load and Save refuse the partition,
// so that nobody works on half a state.
func (s *Store) DropState(ctx context.Context, partition int32) error {
	if _, err := s.begin(ctx, partition); err != nil {
		return fmt.Errorf("drop state: %w", err)
	}
	defer s.users.leave()
	return s.drop(ctx, partition)
}

// drop marks the partition, deletes its index entries in chunks, and then
// everything else and the mark in one batch.
func (s *Store) drop(ctx context.Context, p int32) error {
	part := s.parts[p]
	part.save.Lock()
	defer part.save.Unlock()
	mark := s.db.NewBatch()
	defer mark.Close()
	err := mark.Set(s.keys.meta(dropName(p)), nil, nil)
	if err == nil {
		err = s.commit(mark, true)
	}
	if err != nil {
		return fmt.Errorf("drop state: partition %d: %w", p, err)
	}
	part.dropping = true
	for more := true; more && err == nil; {
		if err = errors.Join(ctx.Err(), s.beforeChunk()); err == nil {
			more, err = s.dropIndex(ctx, p)
		}
	}
	if err == nil {
		err = s.dropRest(p)
	}
	if err != nil {
		return fmt.Errorf("drop state: partition %d: %w", p, err)
	}
	part.cursor, part.dropping = 0, false
	return nil
}

// dropIndex deletes one chunk of the index entries that the partition wrote and
// that no other partition has written since.
func (s *Store) dropIndex(ctx context.Context, p int32) (more bool, err error) {
	b := s.db.NewBatch()
	defer b.Close()
	n, prefix := 0, s.keys.part(tableOwned, p)
	err = s.scanPrefix(ctx, s.db, prefix, func(key, _ []byte) (bool, error) {
		index := append(s.keys.table(tableIndex), key[len(prefix):]...)
		switch v, err := s.get(s.db, index); {
		case errors.Is(err, data.ErrNotFound):
		case err != nil:
			return false, err
		case bytes.HasPrefix(v, binary.BigEndian.AppendUint32(nil, uint32(p))):
			if err := b.Delete(index, nil); err != nil {
				return false, err
			}
		}
		n++
		return n < s.dropChunk, b.Delete(key, nil)
	})
	if err != nil || n == 0 {
		return false, err
	}
	defer s.lookups.forgetAll()
	return n == s.dropChunk, s.commit(b, false)
}

// dropRest deletes the partition's derived tables and the mark.
func (s *Store) dropRest(p int32) error {
	b := s.db.NewBatch()
	defer b.Close()
	for _, t := range []byte(derivedTables + string(tableDue)) {
		prefix := s.keys.part(t, p)
		if err := b.DeleteRange(prefix, prefixEnd(prefix), nil); err != nil {
			return err
		}
	}
	if err := b.Delete(s.keys.meta(dropName(p)), &pebble.WriteOptions{}); err != nil {
		return err
	}
	defer s.stamps.moveAll()
	return s.commit(b, true)
}

func dropName(p int32) string { return "drop/" + strconv.Itoa(int(p)) }

func errDropping(p int32) error {
	return fmt.Errorf("partition %d: dropping its state was interrupted; call DropState again or restart", p)
}
