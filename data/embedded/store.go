package embedded

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"kindred/data"
)

// Store is the log and the profiles of one space in one pebble instance. Its
// methods may be called from any goroutine. Values returned are the caller's own.
type Store struct {
	keys  keys
	opt   Options
	db    *pebble.DB
	lock  *pebble.Lock
	fs    vfs.FS
	dir   string
	cache *pebble.Cache

	parts   []*partition
	lookups *lookups
	stamps  *stamps
	queue   *queue
	users   users

	deadMu  sync.Mutex // orders dead letters: assigned and committed under it
	deadSeq uint64     // last assigned

	failed    atomic.Pointer[error] // why writes are refused
	wedged    atomic.Bool           // the engine panicked while it held its locks
	readBytes int                   // maxReadBytes
	dropChunk int                   // index entries deleted per batch by DropState
	// beforeChunk runs before each of these batches; tests interrupt there.
	beforeChunk func() error
	writer      chan struct{} // closed when the writer has returned
}

// partition is what is kept in memory of one partition.
type partition struct {
	start int64

	mu       sync.Mutex
	end      int64         // offset after the last synced record
	advanced chan struct{} // closed when end moves or the store closes

	save     sync.Mutex // one Save or DropState at a time
	cursor   int64
	dropping bool // a drop began and did not finish
}

// Open opens the store in dir/store, making it if there is none, and finishes what
// a crash interrupted. Errors: data.ErrLocked when another process has it, one that
// names both sides when the recorded format or partition count is another, and one
// that says what to do when the state is ahead of the log.
func Open(dir string, opt Options) (*Store, error) {
	return open(vfs.Default, filepath.Join(dir, "store"), opt)
}

func open(filesystem vfs.FS, dir string, opt Options) (_ *Store, err error) {
	if err := opt.Validate(); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	opt = opt.withDefaults()
	if err := filesystem.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	lock, err := lockDir(filesystem, dir)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := &Store{
		keys: keys{opt.Space}, opt: opt, fs: filesystem, dir: dir, lock: lock, lookups: newLookups(), stamps: newStamps(),
		cache: pebble.NewCache(opt.CacheBytes), readBytes: maxReadBytes, dropChunk: 10_000, beforeChunk: func() error { return nil }, writer: make(chan struct{}),
	}
	if s.db, err = pebble.Open(dir, s.engineOptions()); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", dir, err), s.release())
	}
	if err := s.recover(); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", dir, err), s.db.Close(), s.release())
	}
	s.queue = newQueue(opt.QueueRecords, opt.QueueBytes)
	go s.write()
	return s, nil
}

// engineOptions tune pebble for a log that is appended and read at its end, and
// small values that are read by key. The format is fixed here, not "newest": a new
// library must not silently make the directory unreadable to the old program. This
// one marks how far the log was synced, so that a torn tail is told from damage.
func (s *Store) engineOptions() *pebble.Options {
	o := &pebble.Options{
		FS: s.fs, Lock: s.lock, Cache: s.cache, Logger: engineLogger{s.opt.Logger},
		FormatMajorVersion:          pebble.FormatWALSyncChunks,
		MemTableSize:                64 << 20,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       24,
		LBaseMaxBytes:               64 << 20,
		MaxOpenFiles:                500,
		BytesPerSync:                1 << 20,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return o
}

// format is the record that says how the space's keys are laid out.
type format struct {
	Version    int   `json:"version"`
	Partitions int32 `json:"partitions"`
}

// recover reads what is there: format, ends, cursors, unfinished drops.
func (s *Store) recover() error {
	n, err := s.checkFormat()
	if err != nil {
		return err
	}
	for p := range n {
		part, err := s.recoverPartition(p)
		if err != nil {
			return fmt.Errorf("partition %d: %w", p, err)
		}
		s.parts = append(s.parts, part)
	}
	for p, part := range s.parts {
		if err := s.checkCursor(int32(p), part); err != nil {
			return err
		}
		if part.dropping {
			s.opt.Logger.Info("finishing an interrupted drop of state", "partition", p)
			if err := s.drop(context.Background(), int32(p)); err != nil {
				return err
			}
		}
	}
	return s.loadDead()
}

// checkFormat compares the recorded format with the wanted one, or records it.
func (s *Store) checkFormat() (partitions int32, err error) {
	key, want := s.keys.meta("format"), format{formatVersion, s.opt.Partitions}
	b, err := s.get(s.db, key)
	if errors.Is(err, data.ErrNotFound) {
		if want.Partitions == 0 {
			want.Partitions = DefaultPartitions
		}
		b, err := json.Marshal(want)
		if err != nil {
			return 0, err
		}
		return want.Partitions, s.db.Set(key, b, pebble.Sync)
	}
	if err != nil {
		return 0, err
	}
	var got format
	if err := json.Unmarshal(b, &got); err != nil {
		return 0, fmt.Errorf("read the format record: %w", err)
	}
	if got.Version != want.Version {
		return 0, fmt.Errorf("the store has format %d, this program reads format %d; use the program that wrote it, or export and import", got.Version, want.Version)
	}
	if want.Partitions != 0 && got.Partitions != want.Partitions {
		return 0, fmt.Errorf("the store was made with %d partitions, the configuration asks for %d; the number is fixed when a store is made: set partitions to %d, or export and import into a new directory", got.Partitions, want.Partitions, got.Partitions)
	}
	if got.Partitions < 1 || got.Partitions > MaxPartitions {
		return 0, fmt.Errorf("the format record says %d partitions; the store is damaged", got.Partitions)
	}
	return got.Partitions, nil
}

func (s *Store) recoverPartition(p int32) (*partition, error) {
	part := &partition{advanced: make(chan struct{})}
	prefix := s.keys.part(tableLog, p)
	first, err := s.first(prefix)
	if err != nil {
		return nil, err
	}
	if first != nil {
		last, err := s.last(prefix)
		if err != nil {
			return nil, err
		}
		part.start = int64(binary.BigEndian.Uint64(first[len(prefix):]))
		part.end = int64(binary.BigEndian.Uint64(last[len(prefix):])) + 1
	}
	if part.cursor, _, err = s.readState(p); err != nil {
		return nil, err
	}
	switch _, err := s.get(s.db, s.keys.meta(dropName(p))); {
	case err == nil:
		part.dropping = true
	case !errors.Is(err, data.ErrNotFound):
		return nil, err
	}
	return part, nil
}

// checkCursor refuses a state that was folded from records the log does not have.
func (s *Store) checkCursor(p int32, part *partition) error {
	if s.opt.StateOnly || part.dropping || part.cursor <= part.end {
		return nil
	}
	if s.opt.DropAhead {
		s.opt.Logger.Warn("dropping state that is ahead of the log", "partition", p, "cursor", part.cursor, "end", part.end)
		return s.drop(context.Background(), p)
	}
	return fmt.Errorf("partition %d: profiles are folded up to offset %d, but the log ends at %d: files of different ages were mixed; restore the whole directory from one backup, or run `kindred replay` to rebuild the profiles", p, part.cursor, part.end)
}

// Partitions is the number of partitions, fixed when the store was made.
func (s *Store) Partitions() int32 { return int32(len(s.parts)) }

// Err is nil while the store accepts writes, and otherwise why it does not: a
// write or sync failed, and only opening the store again tells what is on disk.
func (s *Store) Err() error {
	if err := s.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Close stops the writer after what it has taken, fails what is still queued with
// data.ErrClosed, waits for calls in progress, and closes the files. Calling it
// again is harmless.
func (s *Store) Close() error {
	if !s.users.close() {
		return nil
	}
	s.queue.close()
	for _, part := range s.parts {
		part.wake()
	}
	<-s.writer
	s.users.wait()
	if s.wedged.Load() { // closing would wait for locks that nobody will release
		return fmt.Errorf("close store: it can not be closed cleanly: %w", s.Err())
	}
	err := s.db.Close()
	return errors.Join(err, s.release())
}

// release gives up what open took before pebble did.
func (s *Store) release() error {
	s.cache.Unref()
	err := s.fs.Remove(holderPath(s.fs, s.dir))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, s.lock.Close())
}

// commit writes a batch, and waits for the disk if sync. Any failure poisons the
// store: after a failed write or sync nobody knows what is on disk.
func (s *Store) commit(b *pebble.Batch, sync bool) (err error) {
	if err := s.Err(); err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			s.wedged.Store(true)
			err = fmt.Errorf("storage engine: %v", p)
		}
		if err != nil {
			err = s.poison(err)
		}
	}()
	if !sync {
		return s.db.Apply(b, pebble.NoSync)
	}
	if err := s.db.ApplyNoSyncWait(b, pebble.Sync); err != nil {
		return err
	}
	return b.SyncWait() // returns a failed sync, where Apply would call Fatalf
}

func (s *Store) poison(cause error) error {
	err := fmt.Errorf("the store stopped accepting writes, restart to recover: %w", cause)
	if s.failed.CompareAndSwap(nil, &err) {
		s.opt.Logger.Error("store failed", "error", cause)
	}
	return s.Err()
}

// partition checks a partition number that came from a caller.
func (s *Store) partition(p int32) (*partition, error) {
	if p < 0 || int(p) >= len(s.parts) {
		return nil, fmt.Errorf("partition %d: the store has partitions 0 to %d", p, len(s.parts)-1)
	}
	return s.parts[p], nil
}

// users counts calls in progress, so that Close can wait for them. A counter and
// not a read lock: a callback may call back into the store.
type users struct {
	mu     sync.Mutex
	n      int
	closed bool
	idle   chan struct{}
}

func (u *users) enter() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return data.ErrClosed
	}
	u.n++
	return nil
}

func (u *users) leave() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n--; u.n == 0 && u.closed {
		close(u.idle)
	}
}

// close refuses further calls and reports whether this was the first close.
func (u *users) close() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return false
	}
	u.closed, u.idle = true, make(chan struct{})
	if u.n == 0 {
		close(u.idle)
	}
	return true
}

func (u *users) wait() { <-u.idle }
