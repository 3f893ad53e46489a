package lake

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
)

// commitBlock adds a one-record block without files, for tests of the manifest alone.
func commitBlock(t testing.TB, l *Lake, partition int32, offset int64) {
	t.Helper()
	e := entry{Partition: partition, First: offset, Last: offset, Files: map[Table]file{Events: {Rows: 1, Bytes: 1000}}}
	if err := l.commit(t.Context(), e, Millis(offset)); err != nil {
		t.Fatal(err)
	}
}

func listed(t testing.TB, l *Lake) (got []string) {
	t.Helper()
	m, err := l.newest()
	if err != nil {
		t.Fatal(err)
	}
	err = l.entries(m, func(e entry) error {
		got = append(got, fmt.Sprintf("%d/%d", e.Partition, e.First))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTheManifestSealsWhatIsOldAndStillListsAll(t *testing.T) {
	l := openLake(t, t.TempDir())
	m, err := l.newest()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	blocks := int64(2*segmentBlocks + 3)
	for i := range blocks {
		if m, err = l.seal(m); err != nil {
			t.Fatal(err)
		}
		m = m.with(entry{First: i, Last: i, Files: map[Table]file{Events: {Rows: 2}}}, Millis(i))
		want = append(want, fmt.Sprintf("0/%d", i))
	}
	if won, err := l.publish(m); !won || err != nil {
		t.Fatalf("publish = %t, %v", won, err)
	}
	if got := listed(t, l); !cmp.Equal(got, want) {
		t.Errorf("listed blocks differ:\n%s", cmp.Diff(want, got))
	}
	if len(m.Sealed) != 2 || len(m.Tail) != 3 || m.Rows[Events] != 2*blocks || m.partition(0).Cursor != blocks {
		t.Errorf("%d segments, %d in the tail, %d rows, cursor %d; want 2, 3, %d, %d",
			len(m.Sealed), len(m.Tail), m.Rows[Events], m.partition(0).Cursor, 2*blocks, blocks)
	}
}

func TestTheNewestTenManifestsAreKept(t *testing.T) {
	l := openLake(t, t.TempDir())
	for i := range int64(14) {
		commitBlock(t, l, 0, i)
	}
	got, err := l.versions()
	if want := []int64{5, 6, 7, 8, 9, 10, 11, 12, 13, 14}; err != nil || !cmp.Equal(got, want) {
		t.Errorf("versions = %v, %v; want %v", got, err, want)
	}
}

// Two handles stand for two processes: they share nothing but the directory.
func TestWritersOfSeveralProcessesNeverBothWin(t *testing.T) {
	const partitions, writers, blocks = 3, 2, 6
	dir := t.TempDir()
	var wg sync.WaitGroup
	for p := range int32(partitions) {
		for range writers {
			l := openLake(t, dir)
			wg.Go(func() {
				for i := range int64(blocks) {
					if err := l.WriteBlock(t.Context(), blockOf(p, i, testEvent(int(i), "Product Viewed", "lamp"))); err != nil {
						t.Errorf("partition %d, block %d: %v", p, i, err)
					}
				}
			})
		}
	}
	wg.Wait()
	l := openLake(t, dir)
	s := mustSnapshot(t, l)
	if s.Version() != partitions*blocks || s.Rows(Interactions) != partitions*blocks {
		t.Errorf("version %d with %d interactions; want every block once: %d", s.Version(), s.Rows(Interactions), partitions*blocks)
	}
	next := map[string]bool{}
	for _, b := range listed(t, l) {
		if next[b] {
			t.Errorf("block %s is there twice", b)
		}
		next[b] = true
	}
	if want := (map[int32]int64{0: blocks, 1: blocks, 2: blocks}); !cmp.Equal(s.Cursors(), want) {
		t.Errorf("Cursors = %v; want %v", s.Cursors(), want)
	}
}

// A writer that slept between reading version n and creating n+1, while others
// wrote so many versions that theirs was pruned, creates a manifest that counts for
// nothing, notices, and commits again.
func TestAWriterThatSleptThroughPruningCommitsAgain(t *testing.T) {
	dir := t.TempDir()
	sleeper, other := openLake(t, dir), openLake(t, dir)
	slept := false
	sleeper.disk.fault = func(step string) error {
		if step == "move manifest" && !slept {
			slept = true
			for i := range int64(keptManifests + 2) {
				commitBlock(t, other, 1, i)
			}
		}
		return nil
	}
	commitBlock(t, sleeper, 0, 0)
	if got := listed(t, other); len(got) != keptManifests+3 || got[len(got)-1] != "0/0" {
		t.Errorf("blocks are %v; want the sleeper's last, after %d others", got, keptManifests+2)
	}
}

func TestADamagedOrTooNewManifestIsNamed(t *testing.T) {
	good := func(t *testing.T) (dir, path string) {
		dir = t.TempDir()
		l := openLake(t, dir)
		mustWrite(t, l, blockOf(0, 0, everyKind()...))
		return dir, filepath.Join(l.manifestDir(), manifestName(1))
	}
	for name, c := range map[string]struct {
		change func(string) string
		want   string // in the error
		newer  bool
	}{
		"empty":         {func(string) string { return "" }, "is damaged", false},
		"cut short":     {func(s string) string { return s[:len(s)/2] }, "is damaged", false},
		"one digit":     {func(s string) string { return strings.Replace(s, `"cursor":9`, `"cursor":8`, 1) }, "checksum is", false},
		"no format":     {func(s string) string { return strings.Replace(s, `"format":1`, `"format":0`, 1) }, "format is 0", false},
		"future format": {func(s string) string { return strings.Replace(s, `"format":1`, `"format":2`, 1) }, "has format 2; this build reads format 1", true},
	} {
		t.Run(name, func(t *testing.T) {
			dir, path := good(t)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(c.change(string(b))), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err = Open(dir, data.DefaultSpace)
			var corrupt *CorruptError
			var format *FormatError
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("Open = %v; want an error with %q that names the file", err, c.want)
			}
			if errors.As(err, &format) != c.newer || errors.As(err, &corrupt) == c.newer {
				t.Errorf("Open = %T; want a *FormatError only for the future format, else a *CorruptError", err)
			}
		})
	}
}

func TestAManifestUnderAnotherNameOrSpaceIsRefused(t *testing.T) {
	dir := t.TempDir()
	l := openLake(t, dir)
	commitBlock(t, l, 0, 0)
	path := filepath.Join(l.manifestDir(), manifestName(1))
	if err := os.Rename(path, filepath.Join(l.manifestDir(), manifestName(7))); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, data.DefaultSpace); err == nil || !strings.Contains(err.Error(), "says it is version 1") {
		t.Errorf("renamed manifest: Open = %v", err)
	}
	if err := os.Rename(filepath.Join(dir, "default"), filepath.Join(dir, "other")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "other", "manifest", manifestName(7)), filepath.Join(dir, "other", "manifest", manifestName(1))); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, "other"); err == nil || !strings.Contains(err.Error(), `belongs to space "default"`) {
		t.Errorf("renamed space: Open = %v", err)
	}
}

func TestADamagedSegmentIsNamed(t *testing.T) {
	l := openLake(t, t.TempDir())
	m := &manifest{Space: l.space, Rows: map[Table]int64{}}
	for i := range int64(segmentBlocks) {
		m = m.with(entry{First: i, Last: i}, 0)
	}
	m, err := l.seal(m)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(l.segmentDir(), m.Sealed[0].Name)
	b, _ := os.ReadFile(path)
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	var corrupt *CorruptError
	if err := l.entries(m, func(entry) error { return nil }); !errors.As(err, &corrupt) || corrupt.File != path {
		t.Errorf("entries = %v; want a *CorruptError that names %s", err, path)
	}
}

func FuzzDecodeManifest(f *testing.F) {
	m := (&manifest{Space: data.DefaultSpace, Rows: map[Table]int64{}}).with(
		entry{Partition: 1, First: 0, Last: 9, Files: map[Table]file{Events: {Rows: 10, Bytes: 2048}}}, 1_700_000_000_000)
	good, err := encodeFile(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte(`{"format":9,"sha256":"","body":{}}`))
	f.Add([]byte(`{"format":1,"sha256":"` + checksum([]byte(`{}`)) + `","body":{}}`))
	f.Add([]byte(`{"format":1,"sha256":"` + checksum([]byte(`null`)) + `","body":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m, again manifest
		if decodeFile("fuzz", b, &m) != nil {
			return
		}
		out, err := encodeFile(m)
		if err != nil {
			t.Fatalf("a manifest that was read cannot be written: %v", err)
		}
		if err := decodeFile("again", out, &again); err != nil || !cmp.Equal(m, again, cmp.AllowUnexported(manifest{}, partition{}, sealed{}, entry{}, file{})) {
			t.Fatalf("the round trip changed the manifest: %v\n%s", err, cmp.Diff(m, again))
		}
	})
}

// BenchmarkCommit measures adding one block's entry, manifest only, to a lake that
// is empty and to one that has 10,000 blocks of 8 partitions.
func BenchmarkCommit(b *testing.B) {
	for _, blocks := range []int64{0, 10_000} {
		b.Run(fmt.Sprintf("blocks=%d", blocks), func(b *testing.B) {
			l := openLake(b, b.TempDir())
			block := func(i int64) entry {
				return entry{Partition: int32(i % 8), First: i / 8, Last: i / 8, Files: map[Table]file{
					Events: {Rows: 100_000, Bytes: 9_000_000, CRC32C: 3_000_000_000}, Interactions: {Rows: 90_000, Bytes: 3_000_000, CRC32C: 3_000_000_000},
				}}
			}
			m := &manifest{Space: l.space, Rows: map[Table]int64{}}
			var err error
			for i := range blocks {
				if m, err = l.seal(m); err != nil {
					b.Fatal(err)
				}
				m = m.with(block(i), Millis(i))
			}
			if blocks > 0 {
				if _, err := l.publish(m); err != nil {
					b.Fatal(err)
				}
			}
			next, written := blocks, 0
			for b.Loop() {
				if err := l.commit(b.Context(), block(next), Millis(next)); err != nil {
					b.Fatal(err)
				}
				next++
			}
			for _, file := range tree(b, l.manifestDir()) {
				written = max(written, len(file))
			}
			b.ReportMetric(float64(written), "manifest-bytes")
		})
	}
}
