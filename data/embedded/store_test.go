package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"go.uber.org/goleak"

	"kindred/data"
)

func TestAMismatchIsRefusedWithBothSidesNamed(t *testing.T) {
	d := newDisk()
	s := d.open(t, Options{Partitions: 4})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	refused := func(opt Options, words ...string) {
		t.Helper()
		_, err := open(d.fs, "store", opt)
		for _, w := range words {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("open(%+v) = %v, want an error that says %q", opt, err, w)
			}
		}
	}
	refused(Options{Partitions: 5}, "made with 4 partitions", "asks for 5")
	refused(Options{Partitions: -1}, "partitions: -1")
	refused(Options{QueueRecords: -1, QueueBytes: -1}, "queue_records", "queue_bytes")
	refused(Options{Space: "UPPER"}, "UPPER")

	s, err := open(d.fs, "store", Options{}) // 0 takes what is recorded
	if err != nil || s.Partitions() != 4 {
		t.Fatalf("open = %v with %d partitions, want 4", err, s.Partitions())
	}
	if err := s.db.Set(s.keys.meta("format"), []byte(`{"version":2,"partitions":4}`), pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	refused(Options{}, "format 2", "reads format 1")
}

func TestAStoreThatIsOpenIsLocked(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); !errors.Is(err, data.ErrLocked) {
		t.Errorf("second Open = %v, want ErrLocked", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = Open(dir, Options{})
	if err != nil {
		t.Fatalf("Open after Close: %v", err)
	}
	if s.Partitions() != DefaultPartitions {
		t.Errorf("%d partitions, want %d", s.Partitions(), DefaultPartitions)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSpacesInOneStoreShareNothing(t *testing.T) {
	d := newDisk()
	fill := func(space data.Space, records int) {
		s := d.open(t, Options{Space: space})
		defer s.Close()
		for range records {
			if err := s.Append(t.Context(), []data.Record{rec(0, string(space))}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.AppendDead(t.Context(), []data.DeadLetter{{Reason: string(space)}}); err != nil {
			t.Fatal(err)
		}
	}
	fill("a", 2)
	fill("ab", 3)
	fill("a-b", 1)
	for space, want := range map[data.Space]int64{"a": 2, "ab": 3, "a-b": 1} {
		s := d.open(t, Options{Space: space})
		dead, err := s.DeadLetters(t.Context(), 0, 10)
		if s.End(0) != want || len(dead) != 1 || dead[0].Seq != 1 || err != nil {
			t.Errorf("space %s: end %d, want %d; dead letters %v, %v", space, s.End(0), want, dead, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestStateAheadOfTheLogIsRefusedUnlessItMayBeDropped(t *testing.T) {
	d := newDisk()
	ahead := d.open(t, Options{StateOnly: true})
	if err := ahead.Append(t.Context(), []data.Record{rec(0, "x")}); err == nil {
		t.Error("Append to a store for state only: no error")
	}
	if err := ahead.Save(t.Context(), 1, 0, &data.Commit{Cursor: 50, Counters: map[string][]byte{"a": []byte("b")}}); err != nil {
		t.Fatal(err)
	}
	if err := ahead.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := open(d.fs, "store", Options{})
	for _, words := range []string{"partition 1", "offset 50", "ends at 0", "kindred replay"} {
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("open = %v, want an error that says %q", err, words)
		}
	}
	s := d.open(t, Options{DropAhead: true})
	defer s.Close()
	cursor, _, err := s.Load(t.Context(), 1)
	if got, _ := s.LoadCounters(t.Context(), 1, []string{"a"}); cursor != 0 || len(got) != 0 || err != nil {
		t.Errorf("after the drop: cursor %d, counters %v, %v", cursor, got, err)
	}
	if err := s.Save(t.Context(), 1, 0, &data.Commit{Cursor: 1}); err == nil {
		t.Error("Save with a cursor beyond the log's end: no error")
	}
}

func TestADropThatWasInterruptedIsFinishedAtOpen(t *testing.T) {
	d := newDisk()
	s := d.open(t, Options{StateOnly: true})
	s.dropChunk = 3
	c := &data.Commit{Cursor: 1, Counters: map[string][]byte{"a": []byte("b")}}
	for i := range 10 {
		c.Links = append(c.Links, data.IndexEntry{Kind: data.IDUser, ID: fmt.Sprint(i), Profile: "p"})
	}
	if err := s.Save(t.Context(), 0, 0, c); err != nil {
		t.Fatal(err)
	}
	n := 0
	s.beforeChunk = func() error {
		if n++; n == 2 {
			return errors.New("interrupted")
		}
		return nil
	}
	if err := s.DropState(t.Context(), 0); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Fatalf("DropState = %v, want the interruption", err)
	}
	if _, _, err := s.Load(t.Context(), 0); err == nil {
		t.Error("Load of half a state: no error")
	}
	if err := s.Save(t.Context(), 0, 1, &data.Commit{Cursor: 2}); err == nil {
		t.Error("Save on half a state: no error")
	}
	wantGone := func(s *Store) {
		t.Helper()
		var got, want bytes.Buffer
		left, err := s.ScanIndex(t.Context(), data.IDUser, "", 100)
		if err := errors.Join(err, s.DumpState(t.Context(), 0, &got), s.DumpState(t.Context(), 1, &want)); err != nil {
			t.Fatal(err)
		}
		if len(left) != 0 || !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("after the drop: index %v, state %q", left, got.Bytes())
		}
		if cursor, _, err := s.Load(t.Context(), 0); cursor != 0 || err != nil {
			t.Errorf("Load = %d, %v; want 0, nil", cursor, err)
		}
	}
	again := d.crash(100, 1).open(t, Options{})
	defer again.Close()
	wantGone(again)

	if err := s.DropState(t.Context(), 0); err != nil { // or without opening again
		t.Fatal(err)
	}
	wantGone(s)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestCloseWaitsForAScanAndTheScanMayCallBack(t *testing.T) {
	defer goleak.VerifyNone(t)
	d := newDisk()
	s := d.open(t, Options{StateOnly: true})
	profiles := map[data.ProfileID][]byte{"a": nil, "b": nil}
	for id := range profiles {
		profiles[id] = []byte("x")
	}
	if err := s.Save(t.Context(), 0, 0, &data.Commit{Cursor: 1, Profiles: profiles}); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	err := s.ScanProfiles(t.Context(), 0, "", func(data.ProfileID, []byte) (bool, error) {
		go func() { closed <- s.Close() }()
		for { // until Close has begun, calls from inside go on working
			if _, err := s.LoadProfiles(t.Context(), 0, []data.ProfileID{"a"}); err != nil {
				return true, err
			}
		}
	})
	if !errors.Is(err, data.ErrClosed) {
		t.Errorf("ScanProfiles = %v, want ErrClosed from the call inside", err)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close = %v", err)
	}
}

func TestALongScanEndsWithItsContext(t *testing.T) {
	d := newDisk()
	s := d.open(t, Options{StateOnly: true})
	defer s.Close()
	c := &data.Commit{Cursor: 1, Counters: map[string][]byte{}}
	for i := range 2000 {
		c.Counters[fmt.Sprint(i)] = []byte("x")
	}
	if err := s.Save(t.Context(), 0, 0, c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err := s.ScanCounters(ctx, 0, func(string, []byte) error {
		n++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || n > 300 {
		t.Errorf("ScanCounters = %v after %d counters", err, n)
	}
}

func TestAReadOfLargeRecordsStopsEarlyButAlwaysGoesOn(t *testing.T) {
	d := newDisk()
	s := d.open(t, Options{})
	defer s.Close()
	s.readBytes = 100
	for range 5 {
		if err := s.Append(t.Context(), []data.Record{{Value: make([]byte, s.readBytes/2+1)}}); err != nil {
			t.Fatal(err)
		}
	}
	for from := int64(0); from < s.End(0); {
		recs, err := s.Read(t.Context(), 0, from, 100)
		if err != nil || len(recs) < 1 || len(recs) > 2 || recs[0].Offset != from {
			t.Fatalf("Read from %d: %d records, %v", from, len(recs), err)
		}
		from += int64(len(recs))
	}
}
