package embedded

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"go.uber.org/goleak"

	"kindred/data"
)

// disk is a file system in memory whose syncs of the write-ahead log can be held
// up or made to fail, and that can lose what was not synced.
type disk struct {
	mem *vfs.MemFS
	fs  vfs.FS

	mu     sync.Mutex
	onSync func() error // called before each sync of a write-ahead log
}

func newDisk() *disk {
	d := &disk{mem: vfs.NewCrashableMem()}
	d.fs = errorfs.Wrap(d.mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		switch op.Kind {
		case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
		default:
			return nil
		}
		if !strings.HasSuffix(op.Path, ".log") {
			return nil
		}
		d.mu.Lock()
		hook := d.onSync
		d.mu.Unlock()
		if hook == nil {
			return nil
		}
		return hook()
	}))
	return d
}

// hold makes the next sync signal syncing and wait for release.
func (d *disk) hold() (syncing <-chan struct{}, release func()) {
	entered, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	d.set(func() error {
		once.Do(func() { close(entered) })
		<-leave
		return nil
	})
	return entered, sync.OnceFunc(func() { d.set(nil); close(leave) })
}

func (d *disk) set(hook func() error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onSync = hook
}

// crash is the disk as a power failure would leave it now.
func (d *disk) crash(keepPercent int, seed uint64) *disk {
	after := newDisk()
	after.mem = d.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: keepPercent, RNG: rand.New(rand.NewPCG(seed, 0))})
	after.fs = after.mem
	return after
}

func (d *disk) open(t *testing.T, opt Options) *Store {
	t.Helper()
	if opt.Partitions == 0 {
		opt.Partitions = 2
	}
	s, err := open(d.fs, "store", opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func rec(p int32, v string) data.Record { return data.Record{Partition: p, Value: []byte(v)} }

func TestAReaderNeverSeesARecordThatIsNotSynced(t *testing.T) {
	defer goleak.VerifyNone(t)
	d := newDisk()
	s := d.open(t, Options{})
	defer s.Close()
	if err := s.Append(t.Context(), []data.Record{rec(0, "synced")}); err != nil {
		t.Fatal(err)
	}
	syncing, release := d.hold()
	defer release()
	done := make(chan error, 1)
	go func() { done <- s.Append(t.Context(), []data.Record{rec(0, "not yet")}) }()
	<-syncing
	if _, err := s.get(s.db, s.keys.log(0, 1)); err != nil {
		t.Fatalf("pebble does not show the record (%v): this test no longer tests anything", err)
	}
	if recs, err := s.Read(t.Context(), 0, 0, 10); len(recs) != 1 || s.End(0) != 1 || err != nil {
		t.Errorf("Read = %v, %v with end %d; want only the synced record", recs, err, s.End(0))
	}
	select {
	case err := <-done:
		t.Errorf("Append returned %v before its sync", err)
	default:
	}
	release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if recs, err := s.Read(t.Context(), 0, 0, 10); len(recs) != 2 || err != nil {
		t.Errorf("Read after the sync = %v, %v; want 2 records", recs, err)
	}
}

func TestAPowerFailureTakesNothingThatWasSeenAndNoCursorGetsAhead(t *testing.T) {
	defer goleak.VerifyNone(t)
	d := newDisk()
	s := d.open(t, Options{})
	defer s.Close()
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	for w := range 3 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				err := s.Append(context.Background(), []data.Record{rec(0, fmt.Sprint(w, "/", i)), rec(1, fmt.Sprint(w, "/", i))})
				if err != nil {
					t.Errorf("Append: %v", err)
					return
				}
			}
		})
	}
	for p := range int32(2) {
		wg.Go(func() {
			for cursor := int64(0); ctx.Err() == nil; {
				if s.Wait(ctx, p, cursor) != nil {
					return
				}
				recs, err := s.Read(context.Background(), p, cursor, 100)
				if err == nil {
					next := cursor + int64(len(recs))
					err = s.Save(context.Background(), p, cursor, &data.Commit{Cursor: next, State: fmt.Append(nil, next)})
					cursor = next
				}
				if err != nil {
					t.Errorf("fold: %v", err)
					return
				}
			}
		})
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 15 {
		seenTo := int64(0)
		for seenTo < int64(round*5) {
			if err := s.Wait(t.Context(), 0, seenTo); err != nil {
				t.Fatal(err)
			}
			seenTo = s.End(0)
		}
		seen, err := s.Read(t.Context(), 0, 0, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		after := d.crash([]int{0, 50, 100}[round%3], rng.Uint64()).open(t, Options{}) // refuses a cursor that is ahead
		kept, err := after.Read(t.Context(), 0, 0, 1<<20)
		if err != nil || len(kept) < len(seen) {
			t.Fatalf("round %d: %d of %d seen records are left, %v", round, len(kept), len(seen), err)
		}
		for i := range seen {
			if string(kept[i].Value) != string(seen[i].Value) || kept[i].Offset != int64(i) {
				t.Fatalf("round %d: record %d is %q, was seen as %q", round, kept[i].Offset, kept[i].Value, seen[i].Value)
			}
		}
		for p := range int32(2) {
			cursor, state, err := after.Load(t.Context(), p)
			if err != nil || cursor > after.End(p) || cursor > 0 && string(state) != fmt.Sprint(cursor) {
				t.Fatalf("round %d: cursor %d, state %q, end %d, %v", round, cursor, state, after.End(p), err)
			}
		}
		if err := after.Append(t.Context(), []data.Record{rec(0, "goes on")}); err != nil {
			t.Fatal(err)
		}
		if err := after.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFailedSyncStopsAllWritesUntilTheStoreIsOpenedAgain(t *testing.T) {
	d := newDisk()
	s := d.open(t, Options{})
	if err := s.Append(t.Context(), []data.Record{rec(0, "good")}); err != nil {
		t.Fatal(err)
	}
	d.set(func() error { return errors.New("the disk is on fire") })
	err := s.Append(t.Context(), []data.Record{rec(0, "lost")})
	if err == nil || !strings.Contains(err.Error(), "on fire") {
		t.Fatalf("Append = %v, want the sync's error", err)
	}
	d.set(nil) // the disk pretends to be well again
	if err := s.Append(t.Context(), []data.Record{rec(0, "no")}); err == nil {
		t.Error("Append after a failed sync: no error")
	}
	if err := s.Save(t.Context(), 0, 0, &data.Commit{Cursor: 1}); err == nil {
		t.Error("Save after a failed sync: no error")
	}
	if s.Err() == nil {
		t.Error("Err is nil")
	}
	if recs, err := s.Read(t.Context(), 0, 0, 10); len(recs) != 1 || err != nil || s.End(0) != 1 {
		t.Errorf("Read = %v, %v, end %d; want the acknowledged record", recs, err, s.End(0))
	}
	_ = s.Close() // reports the failure; what matters is that it returns

	again := d.crash(0, 1).open(t, Options{})
	defer again.Close()
	if recs, err := again.Read(t.Context(), 0, 0, 10); len(recs) < 1 || string(recs[0].Value) != "good" || err != nil {
		t.Errorf("after opening again: %v, %v; want the acknowledged record", recs, err)
	}
	if err := again.Append(t.Context(), []data.Record{rec(0, "more")}); err != nil {
		t.Error(err)
	}
}

func TestAFullQueueIsOverloadedAndWritesNothing(t *testing.T) {
	defer goleak.VerifyNone(t)
	for name, opt := range map[string]Options{"records": {QueueRecords: 4}, "bytes": {QueueBytes: 4 * (recordOverhead + 1)}} {
		t.Run(name, func(t *testing.T) {
			d := newDisk()
			s := d.open(t, opt)
			defer s.Close()
			syncing, release := d.hold()
			defer release()
			done := make(chan error, 2)
			two := func() []data.Record { return []data.Record{rec(0, "a"), rec(0, "b")} }
			go func() { done <- s.Append(t.Context(), two()) }()
			<-syncing // what is being written counts too
			go func() { done <- s.Append(t.Context(), two()) }()
			waitQueued(s, 4)
			if err := s.Append(t.Context(), two()[:1]); !errors.Is(err, data.ErrOverloaded) {
				t.Errorf("Append to a full queue = %v, want ErrOverloaded", err)
			}
			if err := s.AppendDead(t.Context(), []data.DeadLetter{{}}); !errors.Is(err, data.ErrOverloaded) {
				t.Errorf("AppendDead to a full queue = %v, want ErrOverloaded", err)
			}
			release()
			for range 2 {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
			if s.End(0) != 4 {
				t.Errorf("end %d, want 4", s.End(0))
			}
			if err := s.Append(t.Context(), two()); err != nil {
				t.Errorf("Append after the queue drained: %v", err)
			}
			err := s.Append(t.Context(), append(append(two(), two()...), two()...))
			if err == nil || errors.Is(err, data.ErrOverloaded) {
				t.Errorf("an append larger than the queue = %v; want an error that is not worth retrying", err)
			}
		})
	}
}

func TestACancelledAppendIsWithdrawnWhileItWaitsAndUnknownOnceItIsTaken(t *testing.T) {
	defer goleak.VerifyNone(t)
	d := newDisk()
	s := d.open(t, Options{})
	defer s.Close()
	syncing, release := d.hold()
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	go func() { done <- s.Append(ctx, []data.Record{rec(0, "taken")}) }()
	<-syncing
	go func() { done <- s.Append(ctx, []data.Record{rec(0, "waiting")}) }()
	waitQueued(s, 2)
	cancel()
	for range 2 {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Append = %v, want context.Canceled", err)
		}
	}
	release()
	if err := s.Append(t.Context(), []data.Record{rec(0, "later")}); err != nil {
		t.Fatal(err)
	}
	recs, err := s.Read(t.Context(), 0, 0, 10)
	if err != nil || len(recs) != 2 || string(recs[0].Value) != "taken" || string(recs[1].Value) != "later" {
		t.Errorf("log = %v, %v; want taken, later", recs, err)
	}
	if s.queue.records != 0 || s.queue.bytes != 0 {
		t.Errorf("the queue still counts %d records and %d bytes", s.queue.records, s.queue.bytes)
	}
}

func TestClosingFailsWhatIsQueuedAndWaitsForWhatIsTaken(t *testing.T) {
	defer goleak.VerifyNone(t)
	d := newDisk()
	s := d.open(t, Options{})
	syncing, release := d.hold()
	defer release()
	taken, waiting, closed := make(chan error, 1), make(chan error, 1), make(chan error, 1)
	go func() { taken <- s.Append(t.Context(), []data.Record{rec(0, "taken")}) }()
	<-syncing
	go func() { waiting <- s.Append(t.Context(), []data.Record{rec(0, "waiting")}) }()
	waitQueued(s, 2)
	go func() { closed <- s.Close() }()
	if err := <-waiting; !errors.Is(err, data.ErrClosed) {
		t.Errorf("waiting append = %v, want ErrClosed", err)
	}
	release()
	if err := <-taken; err != nil {
		t.Errorf("taken append = %v, want nil", err)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close = %v", err)
	}
}

// waitQueued returns once n records are accepted and not durable.
func waitQueued(s *Store, n int) {
	for {
		s.queue.mu.Lock()
		queued := s.queue.records
		s.queue.mu.Unlock()
		if queued == n {
			return
		}
		runtime.Gosched()
	}
}
