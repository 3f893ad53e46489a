package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"kindred/data"
	"kindred/data/lake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memoryLog is one partition's log.
type memoryLog struct {
	mu      sync.Mutex
	records []data.Record
	grown   chan struct{}
	fail    func(from int64) error // asked before every read
}

func newMemoryLog(records ...data.Record) *memoryLog {
	return &memoryLog{records: records, grown: make(chan struct{})}
}

func (l *memoryLog) append(records ...data.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = append(l.records, records...)
	close(l.grown)
	l.grown = make(chan struct{})
}

func (l *memoryLog) Read(_ context.Context, _ int32, from int64, max int) ([]data.Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		if err := l.fail(from); err != nil {
			return nil, err
		}
	}
	for i, r := range l.records {
		if r.Offset >= from {
			return l.records[i:min(i+max, len(l.records))], nil
		}
	}
	return nil, nil
}

func (l *memoryLog) End(int32) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.records) == 0 {
		return 0
	}
	return l.records[len(l.records)-1].Offset + 1
}

func (l *memoryLog) Wait(ctx context.Context, partition int32, after int64) error {
	for {
		l.mu.Lock()
		grown := l.grown
		l.mu.Unlock()
		if l.End(partition) > after {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func openLake(t *testing.T, dir string) *lake.Lake {
	t.Helper()
	l, err := lake.Open(dir, data.DefaultSpace)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// tables reads the lake's Parquet files by path.
func tables(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".parquet") {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[rel] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// someLog is 24 records over 36 minutes with two flushes; the last records end no block.
func someLog() (log []data.Record) {
	for i := range int64(24) {
		rec := at(i, time.Duration(i)*90*time.Second)
		if i == 10 || i == 11 {
			rec = flush(i, time.Duration(i)*90*time.Second)
		}
		log = append(log, rec)
	}
	return log
}

func testOptions() Options {
	return Options{BlockSpan: 5 * time.Minute, BlockRecords: 3, BlockBytes: 1 << 20, ReadRecords: 7}
}

var errBroken = errors.New("the disk went away")

// Batch sizes, restarts, failures and a second archiver leave no trace in the files.
func TestAnyWayOfArchivingALogGivesTheSameFiles(t *testing.T) {
	dir := t.TempDir()
	if err := New(newMemoryLog(someLog()...), openLake(t, dir), 0, testOptions()).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := tables(t, dir)
	if len(want) < 16 {
		t.Fatalf("only %d files: the log is too small to say anything", len(want))
	}
	for name, archive := range map[string]func(t *testing.T, dir string){
		"one record at a time": func(t *testing.T, dir string) {
			opt := testOptions()
			opt.ReadRecords = 1
			if err := New(newMemoryLog(someLog()...), openLake(t, dir), 0, opt).CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		"the log grows while it is archived": func(t *testing.T, dir string) {
			log := newMemoryLog()
			a := New(log, openLake(t, dir), 0, testOptions())
			random := rand.New(rand.NewPCG(1, 1))
			for rest := someLog(); len(rest) > 0; {
				n := min(1+random.IntN(5), len(rest))
				log.append(rest[:n]...)
				rest = rest[n:]
				if err := a.CatchUp(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		},
		"restarts at every record": func(t *testing.T, dir string) {
			log := newMemoryLog()
			for _, rec := range someLog() {
				log.append(rec)
				if err := New(log, openLake(t, dir), 0, testOptions()).CatchUp(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		},
		"every other read fails": func(t *testing.T, dir string) {
			log := newMemoryLog(someLog()...)
			reads := 0
			log.fail = func(int64) error {
				if reads++; reads%2 == 0 {
					return errBroken
				}
				return nil
			}
			a := New(log, openLake(t, dir), 0, testOptions())
			for err := a.CatchUp(t.Context()); err != nil; err = a.CatchUp(t.Context()) {
				if !errors.Is(err, errBroken) {
					t.Fatal(err)
				}
			}
		},
		"three archivers at once": func(t *testing.T, dir string) {
			log := newMemoryLog(someLog()...)
			var wg sync.WaitGroup
			for i := range 3 {
				opt := testOptions()
				opt.ReadRecords = 1 + 5*i
				a := New(log, openLake(t, dir), 0, opt)
				wg.Go(func() {
					if err := a.CatchUp(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			archive(t, dir)
			if diff := cmp.Diff(want, tables(t, dir)); diff != "" {
				t.Errorf("other files:\n%s", diff)
			}
			var offsets []int64
			s, err := openLake(t, dir).Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			err = s.Events(t.Context(), 0, func(r data.Record, _ data.Event) error { offsets = append(offsets, r.Offset); return nil })
			for i, o := range offsets {
				if o != int64(i) {
					t.Fatalf("offset %d comes as number %d", o, i)
				}
			}
			if err != nil || int64(len(offsets)) != s.Cursors()[0] {
				t.Errorf("%d events, %v; the cursor says %d", len(offsets), err, s.Cursors()[0])
			}
		})
	}
}

func TestABlockThatCouldNotBeWrittenIsWrittenNextTime(t *testing.T) {
	dir := t.TempDir()
	l := openLake(t, dir)
	a := New(newMemoryLog(at(0, 0), flush(1, 0)), l, 0, testOptions())
	events, away := filepath.Join(dir, "default", "events"), filepath.Join(dir, "away")
	if err := os.Rename(events, away); err != nil {
		t.Fatal(err)
	}
	if err := a.CatchUp(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("CatchUp without the directory = %v; want the lake's error", err)
	}
	if err := os.Rename(away, events); err != nil {
		t.Fatal(err)
	}
	if err := a.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Cursor(t.Context(), 0); got != 2 || err != nil {
		t.Errorf("Cursor = %d, %v; want 2: the block is there", got, err)
	}
}

func TestAnArchiverThatWasOvertakenGoesOnFromWhereTheLakeIs(t *testing.T) {
	log := newMemoryLog(at(0, 0), at(1, 0), at(2, 0), at(3, 0))
	l := openLake(t, t.TempDir())
	long := testOptions()
	long.BlockRecords = 5 // as if the options had been changed and an old process were still there
	slow := New(log, l, 0, long)
	for _, a := range []*Archiver{slow, New(log, l, 0, testOptions())} {
		if err := a.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	log.append(at(4, 0), at(5, 0), at(6, 0), at(7, 0)) // completes 0-4 for the slow one, but 0-2 is archived
	if err := slow.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Cursor(t.Context(), 0); got != 8 || err != nil {
		t.Errorf("Cursor = %d, %v; want 8: after 0-2 and 3-7", got, err)
	}
}

func TestCatchUpLeavesTheIncompleteBlockInTheLog(t *testing.T) {
	log := newMemoryLog(at(0, 0), at(1, 0), flush(2, 0), at(3, 0), at(4, 0))
	l := openLake(t, t.TempDir())
	a := New(log, l, 0, testOptions())
	if err := a.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Cursor(t.Context(), 0); got != 3 || err != nil {
		t.Errorf("Cursor = %d, %v; want 3: after the flush", got, err)
	}
	if got := a.Lag(); got != 2 {
		t.Errorf("Lag = %d; want the 2 records after the flush", got)
	}
	log.append(flush(5, 0))
	if err := a.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := a.Lag(); got != 0 {
		t.Errorf("Lag = %d after another flush; want 0", got)
	}
}

func TestRunFollowsTheLogUntilItIsStopped(t *testing.T) {
	log := newMemoryLog(at(0, 0))
	l := openLake(t, t.TempDir())
	a := New(log, l, 0, testOptions())
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	for i := int64(1); i < 10; i += 3 {
		log.append(at(i, 0), at(i+1, 0), flush(i+2, 0))
		if err := a.Archived(t.Context(), i+2); err != nil {
			t.Fatal(err)
		}
		if got, err := l.Cursor(t.Context(), 0); got != i+3 || err != nil {
			t.Errorf("Cursor = %d, %v after Archived; want %d", got, err, i+3)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run = %v when stopped; want nil", err)
	}
}

func TestRunEndsWithTheErrorAndGoesOnWhenItIsRunAgain(t *testing.T) {
	log := newMemoryLog(someLog()...)
	l := openLake(t, t.TempDir())
	a := New(log, l, 0, testOptions())
	log.fail = func(from int64) error {
		if from > 14 {
			return errBroken
		}
		return nil
	}
	if err := a.Run(t.Context()); !errors.Is(err, errBroken) {
		t.Fatalf("Run = %v; want the log's error", err)
	}
	log.fail = nil
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	if err := a.Archived(t.Context(), 17); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run = %v when stopped; want nil", err)
	}
}

func TestArchivedGivesUpWithItsContext(t *testing.T) {
	a := New(newMemoryLog(), openLake(t, t.TempDir()), 0, testOptions())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Archived(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("Archived = %v; want the context's error", err)
	}
}

func ExampleArchiver_CatchUp() {
	dir, err := os.MkdirTemp("", "lake")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	l, err := lake.Open(dir, data.DefaultSpace)
	if err != nil {
		fmt.Println(err)
		return
	}
	a := New(newMemoryLog(at(0, 0), at(1, time.Minute), flush(2, 2*time.Minute), at(3, 2*time.Minute)), l, 0, Default())
	if err := a.CatchUp(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	next, _ := l.Cursor(context.Background(), 0)
	fmt.Println("archived up to", next, "and", a.Lag(), "record waits for its block's end")
	// Output: archived up to 3 and 1 record waits for its block's end
}
