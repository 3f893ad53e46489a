package embedded_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"kindred/data"
	"kindred/data/embedded"
)

// crashDir names, in a child process, the directory to write to until it is killed.
const crashDir = "KINDRED_TEST_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(dir, os.Stdout))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeUntilKilled appends from several goroutines, telling out what was
// acknowledged, and folds each partition into a count beside its cursor.
func writeUntilKilled(dir string, out io.Writer) error {
	ctx := context.Background()
	s, err := embedded.Open(dir, embedded.Options{Partitions: 2})
	if err != nil {
		return err
	}
	failed := make(chan error)
	var mu sync.Mutex
	for w := range 4 {
		go func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%d/%d/%d", os.Getpid(), w, i)
				recs := []data.Record{{Partition: 0, Value: []byte(id)}, {Partition: 1, Value: []byte(id)}, {Partition: 0, Value: []byte(id + "+")}}
				if err := s.Append(ctx, recs); err != nil {
					failed <- err
					return
				}
				mu.Lock()
				fmt.Fprintf(out, "%s %d %d %d\n", id, recs[0].Offset, recs[1].Offset, recs[2].Offset)
				mu.Unlock()
			}
		}()
	}
	for p := range s.Partitions() {
		go func() { failed <- fold(ctx, s, p) }()
	}
	return <-failed
}

// fold counts records: profile "n" and the state both hold how many there were.
func fold(ctx context.Context, s *embedded.Store, p int32) error {
	cursor, _, err := s.Load(ctx, p)
	for err == nil {
		if err = s.Wait(ctx, p, cursor); err != nil {
			return err
		}
		var recs []data.Record
		if recs, err = s.Read(ctx, p, cursor, 50); err != nil {
			return err
		}
		next := cursor + int64(len(recs))
		count := fmt.Append(nil, next)
		err = s.Save(ctx, p, cursor, &data.Commit{Cursor: next, State: count,
			Profiles:  map[data.ProfileID][]byte{"n": count},
			SetTimers: []data.Timer{{At: next, Profile: "n", Slot: "x"}},
		})
		cursor = next
	}
	return err
}

func TestAfterSIGKILLEveryAcknowledgedRecordIsThereExactlyOnce(t *testing.T) {
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	acked := map[string][3]int64{} // offsets of id in 0, id in 1, id+ in 0
	for range 5 {
		runUntilKilled(t, dir, 50+rng.IntN(400), acked)
		checkAfterCrash(t, dir, acked)
	}
}

// runUntilKilled runs a child until it has told of n more appends, then kills it.
// Appends that it told of after that, before it died, count too.
func runUntilKilled(t *testing.T, dir string, n int, acked map[string][3]int64) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), crashDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	told := 0
	for ; lines.Scan(); told++ {
		var id string
		var at [3]int64
		if _, err := fmt.Sscan(lines.Text(), &id, &at[0], &at[1], &at[2]); err != nil {
			break // the line that was cut off by the kill
		}
		acked[id] = at
		if told == n/2 {
			checkLocked(t, dir, child.Process.Pid)
		}
		if told == n {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || told < n {
		t.Fatalf("the child told of %d appends and ended with %v; want %d and a kill", told, err, n)
	}
}

func checkLocked(t *testing.T, dir string, pid int) {
	t.Helper()
	_, err := embedded.Open(dir, embedded.Options{})
	if !errors.Is(err, data.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("process %d ", pid)) {
		t.Errorf("Open beside process %d = %v, want ErrLocked that names it", pid, err)
	}
}

func checkAfterCrash(t *testing.T, dir string, acked map[string][3]int64) {
	t.Helper()
	s, err := embedded.Open(dir, embedded.Options{}) // refuses a cursor beyond the log
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	found := map[string][]int64{} // value to offsets, by partition
	for p := range s.Partitions() {
		recs, err := s.Read(t.Context(), p, 0, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range recs {
			if r.Offset != int64(i) {
				t.Fatalf("partition %d: offset %d follows %d", p, r.Offset, i-1)
			}
			key := fmt.Sprintf("%d:%s", p, r.Value)
			found[key] = append(found[key], r.Offset)
		}
		if int64(len(recs)) != s.End(p) {
			t.Fatalf("partition %d: %d records, end %d", p, len(recs), s.End(p))
		}
		checkState(t, s, p)
	}
	for id, at := range acked {
		for key, offset := range map[string]int64{"0:" + id: at[0], "1:" + id: at[1], "0:" + id + "+": at[2]} {
			if got := found[key]; len(got) != 1 || got[0] != offset {
				t.Fatalf("%s was acknowledged at offset %d, found at %v", key, offset, got)
			}
		}
	}
	// An append that was not acknowledged is there whole or not at all.
	for key, at := range found {
		p, id, _ := strings.Cut(strings.TrimSuffix(key, "+"), ":")
		if len(at) != 1 || p == "0" && (len(found["0:"+id]) != 1 || len(found["0:"+id+"+"]) != 1 || len(found["1:"+id]) != 1) {
			t.Fatalf("append %s is there in part", id)
		}
	}
}

// checkState expects state, profile and timer to be those of one save.
func checkState(t *testing.T, s *embedded.Store, p int32) {
	t.Helper()
	cursor, state, err := s.Load(t.Context(), p)
	if err != nil || cursor > s.End(p) {
		t.Fatalf("partition %d: cursor %d, end %d, %v", p, cursor, s.End(p), err)
	}
	if cursor == 0 {
		return
	}
	profiles, err := s.LoadProfiles(t.Context(), p, []data.ProfileID{"n"})
	if err != nil {
		t.Fatal(err)
	}
	timers, err := s.DueTimers(t.Context(), p, 1<<60, 10)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprint(cursor)
	if string(state) != want || string(profiles["n"]) != want || len(timers) != 1 || timers[0].At != cursor {
		t.Fatalf("partition %d: cursor %d with state %s, profile %s, timers %v", p, cursor, state, profiles["n"], timers)
	}
}
