package online_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
	"kindred/serving/online"
)

// stamped is a world that says when profiles were written, and counts reads.
type stamped struct {
	*world
	stamps sync.Map // data.ProfileID -> *atomic.Uint64
	reads  atomic.Int64
	during func() // called between a read and its return, if not nil
}

func (s *stamped) stamp(id data.ProfileID) *atomic.Uint64 {
	n, _ := s.stamps.LoadOrStore(id, new(atomic.Uint64))
	return n.(*atomic.Uint64)
}

func (s *stamped) ProfileStamp(id data.ProfileID) uint64 { return s.stamp(id).Load() }

func (s *stamped) Profile(ctx context.Context, id data.ProfileID) ([]byte, error) {
	s.reads.Add(1)
	b, err := s.world.Profile(ctx, id)
	if during := s.during; during != nil {
		s.during = nil
		during()
	}
	return b, err
}

// write stores a profile as Save does: the stamp follows the write.
func (s *stamped) write(p data.Profile) {
	s.mu.Lock()
	s.profiles[p.ID] = p
	s.mu.Unlock()
	s.stamp(p.ID).Add(1)
}

// newStamped has ann.
func newStamped(bytes int64) (*stamped, *online.Reader) {
	s := &stamped{world: newWorld()}
	s.write(data.Profile{ID: "p-ann", Version: 1, History: []data.HistoryItem{{Item: "lamp", Count: 1}}})
	s.index["userann"] = "p-ann"
	cfg := online.Default()
	cfg.KeptBytes = bytes
	return s, online.NewReader(cfg, s, s, s, partitions, online.NewAcks(100, make([]int64, partitions), s.Folded))
}

func readAnn(t *testing.T, r *online.Reader) data.Profile {
	t.Helper()
	p, err := r.Histories().Read(t.Context(), data.IDs{User: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	return p.Profile
}

func TestAProfileIsReadOnceUntilItIsWritten(t *testing.T) {
	s, r := newStamped(1 << 20)
	first := readAnn(t, r)
	if diff := cmp.Diff(first, readAnn(t, r)); diff != "" || s.reads.Load() != 1 {
		t.Errorf("%d reads of the store; the kept profile differs:\n%s", s.reads.Load(), diff)
	}
	first.Version, first.History = 2, nil
	s.write(first)
	if p := readAnn(t, r); p.Version != 2 || s.reads.Load() != 2 {
		t.Errorf("version %d after %d reads; want the one written", p.Version, s.reads.Load())
	}
	s.write(data.Profile{ID: "p-ann", Version: 3, Redirect: "p-anna"})
	s.write(data.Profile{ID: "p-anna", Version: 9})
	for range 2 {
		if p := readAnn(t, r); p.ID != "p-anna" {
			t.Errorf("ann is %s; want whom she was merged into", p.ID)
		}
	}
	s.write(data.Profile{ID: "p-anna", Version: 10, Deleted: true})
	if p, err := r.Histories().Read(t.Context(), data.IDs{User: "ann"}); err != nil || p.Known || p.Profile.Version != 10 {
		t.Errorf("%+v, %v; want the tombstone", p, err)
	}
	reads := s.reads.Load()
	r.Forget("p-anna")
	if readAnn(t, r); s.reads.Load() != reads+1 {
		t.Error("a forgotten profile was kept")
	}
}

// TestAWriteDuringAReadIsSeenByTheNext: what was read before the write must not be
// kept as if it were read after it.
func TestAWriteDuringAReadIsSeenByTheNext(t *testing.T) {
	s, r := newStamped(1 << 20)
	s.during = func() { s.write(data.Profile{ID: "p-ann", Version: 2}) }
	if p := readAnn(t, r); p.Version != 1 {
		t.Fatalf("version %d; want the one that was read", p.Version)
	}
	if p := readAnn(t, r); p.Version != 2 {
		t.Errorf("version %d; want the one written during the first read", p.Version)
	}
}

func TestNothingIsKeptWithoutStampsOrRoom(t *testing.T) {
	for _, bytes := range []int64{0, 1000} { // 1000: less than a profile a shard
		s, r := newStamped(bytes)
		readAnn(t, r)
		if readAnn(t, r); s.reads.Load() != 2 {
			t.Errorf("%d bytes: %d reads; want 2", bytes, s.reads.Load())
		}
	}
	s, _ := newStamped(1 << 20)
	r := online.NewReader(online.Default(), struct{ online.Profiles }{s}, s, s, partitions, online.NewAcks(100, make([]int64, partitions), s.Folded))
	readAnn(t, r)
	if readAnn(t, r); s.reads.Load() != 2 {
		t.Errorf("no stamps: %d reads; want 2", s.reads.Load())
	}
}

// TestKeptProfilesAreBounded: the newest are there, the oldest are not.
func TestKeptProfilesAreBounded(t *testing.T) {
	s, r := newStamped(1 << 20)
	id := func(i int) data.ProfileID { return data.NewProfileID(data.IDUser, fmt.Sprint(i)) }
	read := func(i int) int64 {
		before := s.reads.Load()
		if p, err := r.Histories().Read(t.Context(), data.IDs{User: data.UserID(fmt.Sprint(i))}); err != nil || p.Profile.ID != id(i) {
			t.Fatal(p.Profile.ID, err)
		}
		return s.reads.Load() - before
	}
	const n = 2000
	for i := range n {
		s.write(data.Profile{ID: id(i), History: make([]data.HistoryItem, 32)})
		read(i)
	}
	if read(n-1) != 0 {
		t.Error("the newest profile is not kept")
	}
	kept := 0
	for i := range n {
		if read(n-1-i) == 0 {
			kept++
		}
	}
	if kept < 100 || kept > 500 {
		t.Errorf("%d of %d profiles of more than 2 kB were kept in 1 MiB", kept, n)
	}
}

// TestNobodyReadsWhatWasOverwritten: readers beside writers never see a version older
// than one whose writer has returned.
func TestNobodyReadsWhatWasOverwritten(t *testing.T) {
	s, r := newStamped(1 << 20)
	var told atomic.Uint64
	var wait sync.WaitGroup
	wait.Go(func() {
		for v := range uint64(2000) {
			s.write(data.Profile{ID: "p-ann", Version: v + 2})
			told.Store(v + 2)
		}
	})
	for range 3 {
		wait.Go(func() {
			for told.Load() < 2001 {
				least := told.Load()
				p, err := r.Histories().Read(context.Background(), data.IDs{User: "ann"})
				if err != nil || p.Profile.Version < least {
					t.Errorf("version %d, %v; %d was written before", p.Profile.Version, err, least)
					return
				}
			}
		})
	}
	wait.Wait()
	if _, err := r.Profile(t.Context(), "p-nobody"); !errors.Is(err, data.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
}

// TestHistoriesAreThoseOfTheProfiles: the same person by the same way, without the rest.
func TestHistoriesAreThoseOfTheProfiles(t *testing.T) {
	s, r := newStamped(1 << 20)
	s.write(data.Profile{
		ID: "p-ann", Version: 4, LastOffset: 7, FirstSeen: 1, LastSeen: 9, Traits: []data.Trait{{Name: "plan"}},
		History: []data.HistoryItem{{Item: "lamp", Kinds: 2, Count: 1, Weight: 1, Last: 9}},
	})
	s.write(data.Profile{ID: "p-old", Redirect: "p-ann"})
	s.index["userbob"] = "p-old"
	for _, user := range []data.UserID{"ann", "bob", "nobody", ""} {
		whole, werr := r.Read(t.Context(), data.IDs{User: user})
		for range 2 { // read, then kept
			got, err := r.Histories().Read(t.Context(), data.IDs{User: user})
			want := whole
			want.Profile.Traits = nil
			if diff := cmp.Diff(want, got); diff != "" || werr != nil || err != nil {
				t.Errorf("%q: %v, %v (-whole +history):\n%s", user, werr, err, diff)
			}
		}
	}
}
