package embedded

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"kindred/data"
)

// Profile returns one encoded profile; data.ErrNotFound when nobody has met the person.
func (s *Store) Profile(ctx context.Context, id data.ProfileID) ([]byte, error) {
	if err := s.enter(ctx); err != nil {
		return nil, fmt.Errorf("profile %q: %w", id, err)
	}
	defer s.users.leave()
	b, err := s.get(s.db, s.keys.profile(data.PartitionOf(string(id), s.Partitions()), id))
	if err != nil {
		return nil, fmt.Errorf("profile %q: %w", id, err)
	}
	return b, nil
}

// ScanProfiles calls fn for the profiles of a partition with an id greater than
// after, in id order, as they were when the scan began, until fn says no more. The
// value is only valid during the call.
func (s *Store) ScanProfiles(ctx context.Context, partition int32, after data.ProfileID, fn func(id data.ProfileID, v []byte) (more bool, err error)) error {
	if _, err := s.begin(ctx, partition); err != nil {
		return fmt.Errorf("scan profiles: %w", err)
	}
	defer s.users.leave()
	prefix := s.keys.part(tableProfile, partition)
	err := s.scan(ctx, s.db, next(prefix, string(after)), prefixEnd(prefix), func(key, v []byte) (bool, error) {
		return fn(data.ProfileID(key[len(prefix):]), v)
	})
	if err != nil {
		return fmt.Errorf("scan profiles: partition %d: %w", partition, err)
	}
	return nil
}

// Lookup returns the profile that an identifier leads to, or data.ErrNotFound, as
// it is: most people have no entry before they are known by a second identifier.
func (s *Store) Lookup(ctx context.Context, kind data.IDKind, id string) (data.ProfileID, error) {
	if err := s.enter(ctx); err != nil {
		return "", fmt.Errorf("look up %s %q: %w", kind, id, err)
	}
	defer s.users.leave()
	p, known, writes := s.lookups.find(kind, id)
	if !known {
		var err error
		if p, err = s.readIndex(kind, id); err != nil {
			return "", fmt.Errorf("look up %s %q: %w", kind, id, err)
		}
		s.lookups.remember(kind, id, p, writes)
	}
	if p == "" {
		return "", data.ErrNotFound
	}
	return p, nil
}

// readIndex is the index's entry for an identifier, or "".
func (s *Store) readIndex(kind data.IDKind, id string) (data.ProfileID, error) {
	b, err := s.get(s.db, s.keys.index(kind, id))
	switch {
	case errors.Is(err, data.ErrNotFound):
		return "", nil
	case err == nil && len(b) < 4:
		return "", errKey
	case err != nil:
		return "", err
	}
	return data.ProfileID(b[4:]), nil
}

// ScanIndex returns at most limit entries of one kind with an id greater than
// after, by id.
func (s *Store) ScanIndex(ctx context.Context, kind data.IDKind, after string, limit int) ([]data.IndexEntry, error) {
	if err := s.enter(ctx); err != nil {
		return nil, fmt.Errorf("scan index: %w", err)
	}
	defer s.users.leave()
	if limit < 1 {
		return nil, fmt.Errorf("scan index: limit is %d; ask for at least 1", limit)
	}
	var entries []data.IndexEntry
	prefix := s.keys.indexKind(kind)
	err := s.scan(ctx, s.db, next(prefix, after), prefixEnd(prefix), func(key, v []byte) (bool, error) {
		if len(v) < 4 {
			return false, errKey
		}
		entries = append(entries, data.IndexEntry{Kind: kind, ID: string(key[len(prefix):]), Profile: data.ProfileID(v[4:])})
		return len(entries) < limit, nil
	})
	if err != nil {
		return nil, fmt.Errorf("scan index: %w", err)
	}
	return entries, nil
}

// Changes returns at most max changes of a partition after (afterOffset, afterK),
// in that order; (-1, 0) is before the first.
func (s *Store) Changes(ctx context.Context, partition int32, afterOffset int64, afterK int32, max int) ([]data.Change, error) {
	lower := s.keys.part(tableChange, partition)
	if afterOffset >= 0 {
		lower = after(s.keys.change(partition, afterOffset, afterK))
	}
	var changes []data.Change
	err := s.page(ctx, partition, tableChange, lower, max, func(_, v []byte) error {
		var c data.Change
		err := json.Unmarshal(v, &c)
		changes = append(changes, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	return changes, nil
}

// Late returns at most max records of a partition that were refused for their age,
// after the offset, in order; -1 is before the first.
func (s *Store) Late(ctx context.Context, partition int32, afterOffset int64, max int) ([]data.Record, error) {
	var recs []data.Record
	err := s.page(ctx, partition, tableLate, s.keys.late(partition, afterOffset+1), max, func(key, v []byte) error {
		offset := int64(binary.BigEndian.Uint64(key[len(key)-8:]))
		recs = append(recs, data.Record{Partition: partition, Offset: offset, Value: append([]byte{}, v...)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read late records: %w", err)
	}
	return recs, nil
}

// DeadLetters returns at most max dead letters with a number greater than after, in
// order; 0 is before the first.
func (s *Store) DeadLetters(ctx context.Context, after uint64, max int) ([]data.DeadLetter, error) {
	if err := s.enter(ctx); err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	defer s.users.leave()
	if max < 1 {
		return nil, fmt.Errorf("read dead letters: max is %d; ask for at least 1", max)
	}
	var letters []data.DeadLetter
	err := s.scan(ctx, s.db, s.keys.dead(after+1), prefixEnd(s.keys.table(tableDead)), func(_, v []byte) (bool, error) {
		var l data.DeadLetter
		err := json.Unmarshal(v, &l)
		letters = append(letters, l)
		return len(letters) < max, err
	})
	if err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	return letters, nil
}

// page calls fn for at most max keys of a partition's table from lower on.
func (s *Store) page(ctx context.Context, partition int32, table byte, lower []byte, max int, fn func(key, v []byte) error) error {
	if _, err := s.begin(ctx, partition); err != nil {
		return err
	}
	defer s.users.leave()
	if max < 1 {
		return fmt.Errorf("max is %d; ask for at least 1", max)
	}
	n := 0
	return s.scan(ctx, s.db, lower, prefixEnd(s.keys.part(table, partition)), func(key, v []byte) (bool, error) {
		n++
		return n < max, fn(key, v)
	})
}

// next is the first key under prefix whose name is greater than name; all of them
// when name is empty.
func next(prefix []byte, name string) []byte {
	if name == "" {
		return prefix
	}
	return after(append(prefix[:len(prefix):len(prefix)], name...))
}
