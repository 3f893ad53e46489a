package embedded

import (
	"context"
	"fmt"

	"kindred/data"
)

// LoadProfiles returns the stored profiles among ids; the others are absent from
// the answer.
func (s *Store) LoadProfiles(ctx context.Context, partition int32, ids []data.ProfileID) (map[data.ProfileID][]byte, error) {
	return loadAll(ctx, s, partition, "load profiles", ids, s.keys.profile, keep)
}

// LoadDedup returns the stored message ids among keys, sorted as they were saved.
func (s *Store) LoadDedup(ctx context.Context, partition int32, keys []data.DedupKey) (map[data.DedupKey][]uint64, error) {
	return loadAll(ctx, s, partition, "load dedup ids", keys, s.keys.dedup, parseHashes)
}

// LoadCounters returns the stored counters among keys.
func (s *Store) LoadCounters(ctx context.Context, partition int32, keys []string) (map[string][]byte, error) {
	return loadAll(ctx, s, partition, "load counters", keys, s.keys.counter, keep)
}

func keep(b []byte) ([]byte, error) { return append([]byte{}, b...), nil }

// loadAll reads the values of many names of one partition. parse must copy what it keeps.
func loadAll[N comparable, V any](ctx context.Context, s *Store, partition int32, what string, names []N,
	key func(int32, N) []byte, parse func([]byte) (V, error)) (map[N]V, error) {
	if _, err := s.begin(ctx, partition); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer s.users.leave()
	keys := make([][]byte, len(names))
	for i, name := range names {
		keys[i] = key(partition, name)
	}
	found := make(map[N]V, len(names))
	err := s.getAll(s.db, keys, func(i int, b []byte) error {
		v, err := parse(b)
		if err != nil {
			return fmt.Errorf("%v: %w", names[i], err)
		}
		found[names[i]] = v
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: partition %d: %w", what, partition, err)
	}
	return found, nil
}

// ScanCounters calls fn for every counter of a partition, by key. The value is only
// valid during the call.
func (s *Store) ScanCounters(ctx context.Context, partition int32, fn func(key string, v []byte) error) error {
	if _, err := s.begin(ctx, partition); err != nil {
		return fmt.Errorf("scan counters: %w", err)
	}
	defer s.users.leave()
	prefix := s.keys.part(tableCounter, partition)
	err := s.scanPrefix(ctx, s.db, prefix, func(key, v []byte) (bool, error) {
		return true, fn(string(key[len(prefix):]), v)
	})
	if err != nil {
		return fmt.Errorf("scan counters: partition %d: %w", partition, err)
	}
	return nil
}

// DueTimers returns at most limit timers with At ≤ until, in (At, Profile, Slot)
// order. They stay until a Save clears them.
func (s *Store) DueTimers(ctx context.Context, partition int32, until int64, limit int) ([]data.Timer, error) {
	if _, err := s.begin(ctx, partition); err != nil {
		return nil, fmt.Errorf("due timers: %w", err)
	}
	defer s.users.leave()
	if limit < 1 {
		return nil, fmt.Errorf("due timers: limit is %d; ask for at least 1", limit)
	}
	var due []data.Timer
	prefix := s.keys.part(tableDue, partition)
	err := s.scanPrefix(ctx, s.db, prefix, func(key, _ []byte) (bool, error) {
		t, err := parseDue(key[len(prefix):])
		if err != nil || t.At > until {
			return false, err
		}
		due = append(due, t)
		return len(due) < limit, nil
	})
	if err != nil {
		return nil, fmt.Errorf("due timers: partition %d: %w", partition, err)
	}
	return due, nil
}

// NextTimer returns when the earliest timer of a partition is due; ok is false
// when it has none.
func (s *Store) NextTimer(ctx context.Context, partition int32) (at int64, ok bool, err error) {
	if _, err := s.begin(ctx, partition); err != nil {
		return 0, false, fmt.Errorf("next timer: %w", err)
	}
	defer s.users.leave()
	prefix := s.keys.part(tableDue, partition)
	key, err := s.first(prefix)
	if err != nil || key == nil {
		return 0, false, err
	}
	t, err := parseDue(key[len(prefix):])
	if err != nil {
		return 0, false, fmt.Errorf("next timer: partition %d: %w", partition, err)
	}
	return t.At, true, nil
}
