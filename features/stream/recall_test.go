package stream

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
	"kindred/data/event"
)

// TestRecallSaysWhatTheStoreSays puts random questions between random saves and
// restarts, within bounds that are too small for the answers.
func TestRecallSaysWhatTheStoreSays(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 3))
		m := newMemory(1)
		r := recall{State: m, limit: recallOverhead * (1 + rng.IntN(40))}
		person := func() data.ProfileID { return data.ProfileID(fmt.Sprint("p", rng.IntN(200))) }
		key := func() data.DedupKey {
			return data.DedupKey{Profile: person(), Day: int32(rng.IntN(3)), Imported: rng.IntN(4) == 0}
		}
		cursor := int64(0)
		for range 2000 {
			switch rng.IntN(8) {
			case 0:
				if rng.IntN(40) == 0 {
					r.forgetAll()
				}
			case 1, 2:
				c := &data.Commit{Cursor: cursor + 1, Profiles: map[data.ProfileID][]byte{}, Dedup: map[data.DedupKey][]uint64{}}
				for range 1 + rng.IntN(4) {
					k := key()
					c.Profiles[k.Profile] = []byte{1}
					c.Dedup[k] = append(slices.Clone(m.states[0].dedup[k]), rng.Uint64())
				}
				if err := m.Save(t.Context(), 0, cursor, c); err != nil {
					t.Fatal(err)
				}
				r.saved(c)
				for _, ids := range c.Dedup {
					clear(ids) // the fold uses the memory again
				}
				cursor++
			case 3, 4:
				ids := []data.ProfileID{person(), person()}
				got, err := r.LoadProfiles(t.Context(), 0, ids)
				want, _ := m.LoadProfiles(t.Context(), 0, ids)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Fatalf("seed %d: profiles: %v %s", seed, err, diff)
				}
			default:
				keys := []data.DedupKey{key(), key(), key()}
				got, err := r.LoadDedup(t.Context(), 0, keys)
				want, _ := m.LoadDedup(t.Context(), 0, keys)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Fatalf("seed %d: ids: %v %s", seed, err, diff)
				}
			}
			bytes := 0
			for _, ids := range r.young {
				bytes += recallOverhead + 8*len(ids)
			}
			if bytes != r.bytes || bytes > r.limit || len(r.strangers) > r.limit/recallOverhead {
				t.Fatalf("seed %d: %d bytes and %d strangers, counted %d, limit %d", seed, bytes, len(r.strangers), r.bytes, r.limit)
			}
		}
	}
}

// counting is a state that counts what it is asked.
type counting struct {
	*memory
	profiles, ids int
}

func (c *counting) LoadProfiles(ctx context.Context, p int32, ids []data.ProfileID) (map[data.ProfileID][]byte, error) {
	c.profiles += len(ids)
	return c.memory.LoadProfiles(ctx, p, ids)
}

func (c *counting) LoadDedup(ctx context.Context, p int32, keys []data.DedupKey) (map[data.DedupKey][]uint64, error) {
	c.ids += len(keys)
	return c.memory.LoadDedup(ctx, p, keys)
}

func TestAnImpressionLoadsNobodyAndAKnownDayIsNotLookedUpAgain(t *testing.T) {
	m := newMemory(1)
	state := &counting{memory: m}
	opt := options(m, nil)
	opt.State = state
	w, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	e := data.Event{V: 1, ID: "s", Source: "kindred", Type: data.System, Name: data.SysImpression, Profile: ofUser("ann"),
		Times: data.Times{Event: noon, Received: noon}, Shown: &data.Shown{Request: "r"}}
	if err := m.Append(t.Context(), []data.Record{{Value: event.Seal(e)}}); err != nil {
		t.Fatal(err)
	}
	if err := w.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if state.profiles != 0 || state.ids != 0 || m.states[0].cursor != 1 {
		t.Errorf("an impression asked for %d profiles and %d sets of ids, cursor %d; want none and 1", state.profiles, state.ids, m.states[0].cursor)
	}
	for i, want := range []int{0, 0, 1} { // a stranger, a known day, a day nobody asked for
		m.send(view(fmt.Sprint("m", i), "ann", "", noon.AddDate(0, 0, i/2), "lamp"))
		if err := w.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if state.ids != want || state.profiles != 1 {
			t.Errorf("after %d views: asked for %d profiles and %d sets of ids, want 1 and %d", i+1, state.profiles, state.ids, want)
		}
	}
}

// What recall makes of a stranger rests on this.
func TestNobodyHasMessageIDsWithoutAProfile(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	m := newMemory(3)
	w, err := New(options(m, nil))
	if err != nil {
		t.Fatal(err)
	}
	at := noon
	for range 40 {
		at = crowd(rng, m, 25, at)
		if err := w.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, s := range m.states {
			for k := range maps.Keys(s.dedup) {
				if _, ok := s.profiles[k.Profile]; !ok {
					t.Fatalf("%v has ids and no profile", k)
				}
			}
		}
	}
}
