package online_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kindred/data"
	"kindred/serving/online"
)

const partitions = 4

// world is a profile store, a log's ends and a fold that tests move.
type world struct {
	mu       sync.Mutex // guards everything
	profiles map[data.ProfileID]data.Profile
	index    map[string]data.ProfileID
	end      [partitions]int64
	folded   [partitions]int64
	moved    chan struct{}
}

func newWorld() *world {
	return &world{profiles: map[data.ProfileID]data.Profile{}, index: map[string]data.ProfileID{}, moved: make(chan struct{})}
}

func (w *world) Profile(_ context.Context, id data.ProfileID) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.profiles[id]
	if !ok {
		return nil, fmt.Errorf("profile: %w", data.ErrNotFound)
	}
	return p.AppendBinary(nil)
}

func (w *world) Lookup(_ context.Context, kind data.IDKind, id string) (data.ProfileID, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.index[string(kind)+id]
	if !ok {
		return "", data.ErrNotFound
	}
	return p, nil
}

func (w *world) End(p int32) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.end[p]
}

func (w *world) Folded(p int32) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.folded[p]
}

func (w *world) WaitFolded(ctx context.Context, p int32, offset int64) error {
	for {
		w.mu.Lock()
		folded, moved := w.folded[p], w.moved
		w.mu.Unlock()
		if folded > offset {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// append moves the log's end.
func (w *world) append(p int32, end int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end[p] = end
}

func (w *world) fold(p int32, to int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.folded[p] = to
	close(w.moved)
	w.moved = make(chan struct{})
}

func (w *world) reader(acks *online.Acks) *online.Reader {
	return online.NewReader(online.Default(), w, w, w, partitions, acks)
}

func (w *world) meet(kind data.IDKind, id string) data.ProfileID {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := data.NewProfileID(kind, id)
	w.profiles[p] = data.Profile{ID: p, Version: 1}
	w.index[string(kind)+id] = p
	return p
}

var ann = data.IDs{User: "ann"}

func TestAReadWaitsForWhatThePersonSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		home := data.PartitionOf(string(w.meet(data.IDUser, "ann")), partitions)
		acks := online.NewAcks(10, make([]int64, partitions), w.Folded)
		acks.Note(online.Identifiers(ann), online.Position{Partition: home, Offset: 7}, data.NewProfileID(data.IDUser, "ann"))
		start := time.Now()
		go func() {
			time.Sleep(20 * time.Millisecond)
			w.fold(home, 8)
		}()
		got, err := w.reader(acks).Read(t.Context(), ann)
		if err != nil || got.Stale || !got.Known {
			t.Errorf("Read = %+v, %v; want a fresh answer", got, err)
		}
		if took := time.Since(start); took != 20*time.Millisecond {
			t.Errorf("waited %v, want until the fold", took)
		}
		start = time.Now()
		if got, _ := w.reader(acks).Read(t.Context(), data.IDs{User: "bob"}); got.Stale || got.Known || time.Since(start) != 0 {
			t.Errorf("somebody else waited: %+v", got)
		}
	})
}

func TestAnAnswerSaysThatItIsStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		home := data.PartitionOf(string(w.meet(data.IDUser, "ann")), partitions)
		acks := online.NewAcks(10, make([]int64, partitions), w.Folded)
		acks.Note(online.Identifiers(ann), online.Position{Partition: home, Offset: 7}, data.NewProfileID(data.IDUser, "ann"))
		start := time.Now()
		got, err := w.reader(acks).Read(t.Context(), ann)
		if err != nil || !got.Stale || !got.Known {
			t.Errorf("Read = %+v, %v; want what is there, as stale", got, err)
		}
		if took := time.Since(start); took != online.Default().Wait {
			t.Errorf("waited %v, want %v", took, online.Default().Wait)
		}
	})
}

// TestAReadFollowsAnIdentify: the fold of the identify puts an absorb record into the
// log of the user's partition; the read waits for both, wherever the device's profile is,
// and however far the fold has come when it begins. An alias adds a hop.
func TestAReadFollowsAnIdentify(t *testing.T) {
	user := data.NewProfileID(data.IDUser, "ann")
	home := data.PartitionOf(string(user), partitions)
	for _, c := range []struct {
		name          string
		at            int32 // the device's partition
		folded, alias bool
	}{
		{"on the same partition", home, false, false},
		{"on another", (home + 1) % partitions, false, false},
		{"folded already, on the same partition", home, true, false},
		{"folded already, on another", (home + 1) % partitions, true, false},
		{"of a user who is another now", (home + 1) % partitions, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				device := partitioned(c.at)
				acks := online.NewAcks(10, make([]int64, partitions), w.Folded)
				w.append(c.at, 1)
				acks.Note(online.Identifiers(data.IDs{User: "ann", Anonymous: data.AnonymousID(device)}), online.Position{Partition: c.at, Offset: 0}, data.NewProfileID(data.IDAnonymous, device))
				identify := func() {
					w.append(home, w.End(home)+1) // the absorb record
					w.fold(c.at, 1)
				}
				want, last := user, home
				if c.alias {
					w.profiles[user] = data.Profile{ID: user, Redirect: "anna"}
					w.profiles["anna"] = data.Profile{ID: "anna"}
					w.index["userann"] = "anna"
					want, last = "anna", data.PartitionOf("anna", partitions)
				}
				if c.folded {
					identify()
				}
				arrived := false
				go func() {
					time.Sleep(5 * time.Millisecond)
					if !c.folded {
						identify()
						time.Sleep(5 * time.Millisecond)
					}
					if c.alias { // sent on
						w.append(last, w.End(last)+1)
						w.fold(home, w.End(home))
						time.Sleep(5 * time.Millisecond)
					} else {
						w.meet(data.IDUser, "ann")
					}
					arrived = true
					w.fold(last, w.End(last))
				}()
				r := w.reader(acks)
				for range 2 {
					got, err := r.Read(t.Context(), ann)
					if err != nil || got.Stale || !got.Known || got.Profile.ID != want || !arrived {
						t.Fatalf("Read = %+v, %v (arrived: %v); want the merged profile", got, err, arrived)
					}
				}
				start := time.Now() // what comes for others is not waited for
				w.append(home, w.End(home)+1)
				if got, err := r.Read(t.Context(), ann); err != nil || got.Stale || time.Since(start) != 0 {
					t.Errorf("Read = %+v, %v after %v; nothing of the person is under way", got, err, time.Since(start))
				}
			})
		})
	}
}

// partitioned is a device whose profile is in the partition.
func partitioned(p int32) string {
	device := "d"
	for data.PartitionOf(string(data.NewProfileID(data.IDAnonymous, device)), partitions) != p {
		device += "d"
	}
	return device
}

// TestOthersDoNotSlowARead: an event that stays where it was sent needs no second wait.
func TestOthersDoNotSlowARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		user := w.meet(data.IDUser, "ann")
		home := data.PartitionOf(string(user), partitions)
		acks := online.NewAcks(10, make([]int64, partitions), w.Folded)
		acks.Note(online.Identifiers(ann), online.Position{Partition: home, Offset: 0}, user)
		w.append(home, 1000)
		w.fold(home, 1)
		start := time.Now()
		if got, err := w.reader(acks).Read(t.Context(), ann); err != nil || got.Stale || time.Since(start) != 0 {
			t.Errorf("Read = %+v, %v after %v; others' events are not waited for", got, err, time.Since(start))
		}
	})
}

// TestNothingIsSettledBeforeItsLastHop: reads of somebody else, at every moment of an
// identify's way over an alias, do not make a read of the person too early.
func TestNothingIsSettledBeforeItsLastHop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		user := data.NewProfileID(data.IDUser, "ann")
		home := data.PartitionOf(string(user), partitions)
		next := data.ProfileID(partitioned((home + 2) % partitions))
		other := data.NewProfileID(data.IDAnonymous, string(next))
		last := data.PartitionOf(string(other), partitions)
		w.profiles[user], w.profiles[other] = data.Profile{ID: user, Redirect: other}, data.Profile{ID: other}
		w.index["userann"] = other
		acks := online.NewAcks(10, make([]int64, partitions), w.Folded)
		r := w.reader(acks)
		away := (home + 1) % partitions
		acks.Note(online.Identifiers(ann), online.Position{Partition: away, Offset: 0}, "device")
		look := func(moment string, early bool) {
			t.Helper()
			acks.Note(online.Identifiers(data.IDs{User: "bob"}), online.Position{Partition: away, Offset: 0}, "bob")
			if got, err := r.Read(t.Context(), data.IDs{User: "bob"}); err != nil {
				t.Fatal(got, err)
			}
			if got, err := r.Read(t.Context(), ann); err != nil || got.Stale != early {
				t.Errorf("%s: stale %v, %v; want %v", moment, got.Stale, err, early)
			}
		}
		w.append(away, 1)
		look("identified", true)
		w.append(home, 1)
		w.fold(away, 1)
		look("sent to the user", true)
		w.append(last, 1)
		w.fold(home, 1)
		look("sent on", true)
		w.fold(last, 1)
		look("arrived", false)
	})
}

// TestWhatIsForgottenIsWaitedForToTheLastHop: a shard makes room while an absorb is under way.
func TestWhatIsForgottenIsWaitedForToTheLastHop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		user := data.NewProfileID(data.IDUser, "ann")
		home := data.PartitionOf(string(user), partitions)
		away := (home + 1) % partitions
		acks := online.NewAcks(1, make([]int64, partitions), w.Folded)
		w.append(away, 1)
		acks.Note(online.Identifiers(ann), online.Position{Partition: away, Offset: 0}, "device")
		w.append(home, 1)
		w.fold(away, 1)
		acks.Note(online.Identifiers(data.IDs{User: "bob"}), online.Position{Partition: away, Offset: 0}, "bob") // takes ann's place
		go func() {
			time.Sleep(5 * time.Millisecond)
			w.meet(data.IDUser, "ann")
			w.fold(home, 1)
		}()
		if got, err := w.reader(acks).Read(t.Context(), ann); err != nil || got.Stale || !got.Known {
			t.Errorf("Read = %+v, %v; want the merged profile", got, err)
		}
	})
}

func TestRedirectsAreFollowedAndLoopsEnd(t *testing.T) {
	w := newWorld()
	user := w.meet(data.IDUser, "ann")
	anon := w.meet(data.IDAnonymous, "c")
	w.profiles[anon] = data.Profile{ID: anon, Redirect: user}
	r := w.reader(online.NewAcks(10, make([]int64, partitions), w.Folded))
	if got, err := r.Read(t.Context(), data.IDs{Anonymous: "c"}); err != nil || got.Profile.ID != user {
		t.Errorf("Read = %+v, %v; want the user's profile", got, err)
	}
	w.profiles[user] = data.Profile{ID: user, Redirect: anon}
	if _, err := r.Read(t.Context(), ann); err == nil {
		t.Error("a loop of redirects was followed to no end and no error")
	}
	if got, err := r.Read(t.Context(), data.IDs{}); err != nil || got.Known || got.Stale {
		t.Errorf("Read of nobody = %+v, %v", got, err)
	}
}

func TestAcksWaitForTooMuchNeverForTooLittle(t *testing.T) {
	w := newWorld()
	ends := []int64{3, 0, 0, 0}
	acks := online.NewAcks(8, ends, w.Folded)
	who := func(i int) []online.Identifier {
		return online.Identifiers(data.IDs{User: data.UserID(fmt.Sprint(i))})
	}
	if got := acks.Of(who(0)); !slices.Equal(got, []online.Position{{Partition: 0, Offset: 2}}) {
		t.Errorf("after a restart wait for %v, want the log's end", got)
	}
	for i := range 100 {
		acks.Note(who(i), online.Position{Partition: int32(i % partitions), Offset: int64(100 + i)}, data.NewProfileID(data.IDUser, fmt.Sprint(i)))
	}
	if acks.Len() > 8 {
		t.Errorf("%d identifiers remembered, at most 8 allowed", acks.Len())
	}
	for i := range 100 {
		covered := slices.ContainsFunc(acks.Of(who(i)), func(p online.Position) bool {
			return p.Partition == int32(i%partitions) && p.Offset >= int64(100+i)
		})
		if !covered {
			t.Errorf("identifier %d is not waited for: %v", i, acks.Of(who(i)))
		}
	}
	w.folded = [partitions]int64{1000, 1000, 1000, 1000}
	if got := acks.Of(who(99)); len(got) != 0 {
		t.Errorf("everything is folded, still waiting for %v", got)
	}
}
