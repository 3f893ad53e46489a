package storetest

import (
	"context"
	"io"
	"testing"

	"kindred/data"
)

// MaxCursor is the highest cursor that the Profiles suite saves. A store that keeps
// its log beside its profiles must have that many records in each partition when
// open returns.
const MaxCursor = 100

// ProfileStore keeps the state of partition owners, and answers readers.
type ProfileStore interface {
	Partitions() int32
	Load(ctx context.Context, partition int32) (cursor int64, state []byte, err error)
	Save(ctx context.Context, partition int32, expect int64, c *data.Commit) error
	LoadProfiles(ctx context.Context, partition int32, ids []data.ProfileID) (map[data.ProfileID][]byte, error)
	LoadDedup(ctx context.Context, partition int32, keys []data.DedupKey) (map[data.DedupKey][]uint64, error)
	DueTimers(ctx context.Context, partition int32, until int64, limit int) ([]data.Timer, error)
	NextTimer(ctx context.Context, partition int32) (at int64, ok bool, err error)
	LoadCounters(ctx context.Context, partition int32, keys []string) (map[string][]byte, error)
	ScanCounters(ctx context.Context, partition int32, fn func(key string, v []byte) error) error

	Profile(ctx context.Context, id data.ProfileID) ([]byte, error)
	ScanProfiles(ctx context.Context, partition int32, after data.ProfileID, fn func(id data.ProfileID, v []byte) (more bool, err error)) error
	Lookup(ctx context.Context, kind data.IDKind, id string) (data.ProfileID, error)
	ScanIndex(ctx context.Context, kind data.IDKind, after string, limit int) ([]data.IndexEntry, error)
	Changes(ctx context.Context, partition int32, afterOffset int64, afterK int32, max int) ([]data.Change, error)
	Late(ctx context.Context, partition int32, afterOffset int64, max int) ([]data.Record, error)
	AppendDead(ctx context.Context, letters []data.DeadLetter) error
	DeadLetters(ctx context.Context, after uint64, max int) ([]data.DeadLetter, error)
	SettleDead(ctx context.Context, done []uint64, again []data.DeadLetter) error

	DropState(ctx context.Context, partition int32) error
	DumpState(ctx context.Context, partition int32, w io.Writer) error
	Close() error
}

// OpenProfiles opens the profile store of that name.
type OpenProfiles func(t *testing.T, name string) ProfileStore

// Profiles checks every promise of a profile store. Stores from open have at least
// two partitions.
func Profiles(t *testing.T, open OpenProfiles) {
	t.Run("save", func(t *testing.T) { testSave(t, open) })
	t.Run("timers", func(t *testing.T) { testTimers(t, open) })
	t.Run("readers", func(t *testing.T) { testReaders(t, open) })
	t.Run("dead letters", func(t *testing.T) { testDead(t, open) })
	t.Run("drop and dump", func(t *testing.T) { testDrop(t, open) })
	t.Run("stamps", func(t *testing.T) { testStamps(t, open) })
}

func (open OpenProfiles) fresh(t *testing.T) ProfileStore {
	t.Helper()
	s := open(t, t.Name())
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// people derives n profile ids that belong to the partition, in order.
func people(s ProfileStore, partition int32, n int) []data.ProfileID {
	var ids []data.ProfileID
	for c := 'a'; len(ids) < n; c++ {
		id := data.ProfileID("person-" + string(c))
		if data.PartitionOf(string(id), s.Partitions()) == partition {
			ids = append(ids, id)
		}
	}
	return ids
}
