package embedded

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"kindred/data"
)

// TestLookupsNeverAnswerWithWhatAFinishedSaveHasReplaced: readers and a writer race
// for the same identifiers; each answer must be at least as new as the last save
// that had returned when the question was put.
func TestLookupsNeverAnswerWithWhatAFinishedSaveHasReplaced(t *testing.T) {
	s := newDisk().open(t, Options{StateOnly: true})
	defer s.Close()
	const ids, saves = 8, 2000
	var saved [ids]atomic.Int64
	profile := func(n int64) data.ProfileID { // every third save removes the entry
		if n%3 == 0 {
			return ""
		}
		return data.ProfileID(fmt.Sprintf("p%09d", n))
	}
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for reader := range uint64(3) {
		readers.Go(func() {
			r := rand.New(rand.NewPCG(reader, 1))
			for ctx.Err() == nil {
				i := r.IntN(ids)
				before := saved[i].Load()
				p, err := s.Lookup(context.Background(), data.IDUser, fmt.Sprint("u", i))
				after := saved[i].Load() + 1 // one more may have become visible
				if err != nil && !errors.Is(err, data.ErrNotFound) {
					t.Error(err)
					return
				}
				ok := false
				for n := before; n <= after && !ok; n++ {
					ok = p == profile(n)
				}
				if !ok {
					t.Errorf("u%d leads to %q, which saves %d to %d did not write", i, p, before, after)
					return
				}
			}
		})
	}
	r := rand.New(rand.NewPCG(9, 9))
	for range saves {
		i := r.IntN(ids)
		n := saved[i].Load() + 1
		c := &data.Commit{Links: []data.IndexEntry{{Kind: data.IDUser, ID: fmt.Sprint("u", i), Profile: profile(n)}}}
		if err := s.Save(t.Context(), 0, 0, c); err != nil {
			t.Fatal(err)
		}
		saved[i].Store(n)
	}
	stop()
	readers.Wait()
	if err := s.DropState(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	for i := range ids {
		if p, err := s.Lookup(t.Context(), data.IDUser, fmt.Sprint("u", i)); !errors.Is(err, data.ErrNotFound) {
			t.Errorf("after a drop u%d leads to %q, %v", i, p, err)
		}
	}
}

// TestAnAnswerFromBeforeAWriteIsNotRemembered plays the race that the counts of
// writes are for, step by step.
func TestAnAnswerFromBeforeAWriteIsNotRemembered(t *testing.T) {
	l := newLookups()
	_, _, writes := l.find(data.IDUser, "ann") // asked, and the index says nobody …
	l.forget(data.IDUser, "ann")               // … an entry is saved …
	l.remember(data.IDUser, "ann", "", writes) // … and the answer comes too late
	if p, known, _ := l.find(data.IDUser, "ann"); known {
		t.Errorf("remembers %q", p)
	}
	_, _, writes = l.find(data.IDUser, "ann")
	l.forgetAll()
	l.remember(data.IDUser, "ann", "", writes)
	if _, known, _ := l.find(data.IDUser, "ann"); known {
		t.Error("remembers across a drop")
	}
}

func TestLookupsAreBounded(t *testing.T) {
	l := newLookups()
	for i := range 120_000 {
		id := fmt.Sprint("u", i)
		if i%100 == 0 {
			id += strings.Repeat("-", 50_000) // somebody made it up
		}
		_, _, writes := l.find(data.IDAnonymous, id)
		l.remember(data.IDAnonymous, id, data.ProfileID(id), writes)
		l.find(data.IDAnonymous, "u1") // asked for again and again: stays
	}
	bytes, n := 0, 0
	for i := range l.shards {
		known := &l.shards[i].known
		for _, generation := range []map[lookupKey]data.ProfileID{known.young, known.old} {
			for k, p := range generation {
				n, bytes = n+1, bytes+k.bytes(p)
			}
		}
	}
	if most := 2*maxLookupBytes + lookupShards*110_000; bytes > most || n < 1000 { // the last of a generation may be too many
		t.Errorf("%d identifiers of %d bytes, want %d bytes at most", n, bytes, most)
	}
	if p, known, _ := l.find(data.IDAnonymous, "u1"); !known || p != "u1" {
		t.Errorf("u1, asked for all the time, is %q, %v", p, known)
	}
	if _, known, _ := l.find(data.IDUser, "u1"); known {
		t.Error("a user is taken for a visitor")
	}
}
