package features

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"kindred/data"
	"kindred/model/popular"
)

const popularEvents = 30

// madeUp are events of many people with an item that nobody saw before each, but for
// every fifth, which has one of ten items, in order of arrival. The first popularEvents have
// one of the ten, too.
func madeUp(rng *rand.Rand, n int) []data.Event {
	w := newWorld(nil, Default())
	var out []data.Event
	at := noon
	for i := range n {
		at = at.Add(time.Duration(rng.IntN(600)) * time.Second)
		item := fmt.Sprint("made-up-", i)
		if i < popularEvents {
			item = fmt.Sprint("lamp-", i%10)
		} else if i%5 == 0 {
			item = fmt.Sprint("lamp-", rng.IntN(10))
		}
		user := data.UserID(fmt.Sprint("user-", rng.IntN(50)))
		e := w.event(at, user, "", "Product Viewed", data.EventItem{ID: data.ItemID(item), Facets: map[string][]string{"category": {"lamps"}}})
		e.Profile = data.NewProfileID(data.IDUser, string(user))
		out = append(out, e)
	}
	return out
}

// foldInto folds the events into a store in batches of random length up to most, each with
// a memory that begins with what is stored where fresh, and reports the most counters that
// there were.
func foldInto(t *testing.T, cfg Config, rng *rand.Rand, most int, fresh bool, events []data.Event) (*kept, int) {
	t.Helper()
	b, k, longest := NewBuilder(cfg), newKept(), 0
	m := NewMemory(0, State{}, nil, nil)
	for from := 0; from < len(events); {
		to := min(len(events), from+1+rng.IntN(most))
		for i := from; i < to; i++ {
			if _, err := b.Fold(t.Context(), m, int64(i), events[i]); err != nil {
				t.Fatal(err)
			}
			longest = max(longest, m.counters.len())
		}
		told := map[string]popular.Counts{}
		m.Counters(func(key string, c popular.Counts) { told[key] = c })
		c, err := m.Commit(int64(to))
		if err != nil {
			t.Fatal(err)
		}
		for key, v := range c.Counters {
			if (v == nil) != (told[key] == popular.Counts{}) || v != nil && string(v) != string(AppendCounts(nil, told[key])) {
				t.Fatalf("counter %q is saved as %x, told as %+v", key, v, told[key])
			}
		}
		if len(told) != len(c.Counters) {
			t.Fatalf("%d counters are told, %d saved", len(told), len(c.Counters))
		}
		k.save(c)
		if len(k.counters) != m.counters.len() {
			t.Fatalf("%d counters are stored, %d in memory", len(k.counters), m.counters.len())
		}
		if fresh {
			m = NewMemory(0, m.State, nil, nil)
			for key, v := range k.counters { // in any order
				c, err := DecodeCounts(v)
				if err != nil {
					t.Fatal(err)
				}
				m.SetCounter(key, c)
			}
		}
		from = to
	}
	return k, longest
}

func TestMadeUpItemsAreForgottenAndPopularOnesAreNot(t *testing.T) {
	cfg := Default()
	cfg.MaxCounters = 100
	events := madeUp(rand.New(rand.NewPCG(1, 1)), 4_000)
	few, longest := foldInto(t, cfg, rand.New(rand.NewPCG(2, 2)), 50, false, events)
	if longest > cfg.MaxCounters || len(few.counters) > cfg.MaxCounters || longest < cfg.MaxCounters {
		t.Errorf("%d counters at most, %d at last; want %d and no more", longest, len(few.counters), cfg.MaxCounters)
	}
	cfg.MaxCounters = 1 << 20
	all, _ := foldInto(t, cfg, rand.New(rand.NewPCG(2, 2)), 50, false, events)
	if len(all.counters) < 3100 {
		t.Fatalf("without a bound there are %d counters; want all", len(all.counters))
	}
	for key, want := range all.counters {
		if key[:6] == "i/lamp" || key[:2] == CategoryCounter {
			if got := few.counters[key]; string(got) != string(want) {
				t.Errorf("%s is %x, without a bound %x", key, got, want)
			}
		}
	}
}

func TestWhatIsForgottenFollowsFromTheLogAlone(t *testing.T) {
	cfg := Default()
	cfg.MaxCounters = 64
	events := madeUp(rand.New(rand.NewPCG(3, 3)), 3000)
	one, _ := foldInto(t, cfg, rand.New(rand.NewPCG(0, 0)), 1, false, events)
	for seed, fresh := range []bool{false, true, true} {
		most := []int{3000, 1, 200}[seed]
		other, _ := foldInto(t, cfg, rand.New(rand.NewPCG(uint64(seed), 4)), most, fresh, events)
		if diff := gocmp.Diff(one.counters, other.counters); diff != "" {
			t.Errorf("batches of %d, fresh %v: %s", most, fresh, diff)
		}
	}
}

func TestPopularItemsWeighTheSameInAnyOrderOfArrivalAboveTheBound(t *testing.T) {
	cfg := Default()
	cfg.MaxCounters = 64
	events := madeUp(rand.New(rand.NewPCG(5, 5)), 1500)
	shuffled := slices.Clone(events)
	latest := events[len(events)-1].Times.Received
	rng := rand.New(rand.NewPCG(6, 6))
	tail := shuffled[popularEvents:]
	rng.Shuffle(len(tail), func(i, j int) { tail[i], tail[j] = tail[j], tail[i] })
	for i := range shuffled {
		shuffled[i].Times.Received = latest
	}
	a, _ := foldInto(t, cfg, rng, 100, false, events)
	b, _ := foldInto(t, cfg, rng, 100, false, shuffled)
	now := latest.UnixMilli()
	for i := range 10 {
		key := fmt.Sprint(ItemCounter, "lamp-", i)
		x, errA := DecodeCounts(a.counters[key])
		y, errB := DecodeCounts(b.counters[key])
		if errA != nil || errB != nil {
			t.Fatalf("%s is stored as %x and %x", key, a.counters[key], b.counters[key])
		}
		h := popular.Default().HalfLife
		if d := x.Long.At(now, h) - y.Long.At(now, h); math.Abs(d) > 1e-9 {
			t.Errorf("%s weighs %v, shuffled %v", key, x.Long.At(now, h), y.Long.At(now, h))
		}
	}
}

// TestTheLeastAreForgotten compares bound with its definition.
func TestTheLeastAreForgotten(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	halfLife, now := popular.Default().HalfLife, noon.UnixMilli()
	for range 200 {
		limit := 1 + rng.IntN(20)
		c := newCounters()
		type one struct {
			key    string
			weight float64
		}
		var all []one
		for i := range 1 + rng.IntN(40) {
			key := fmt.Sprint(ItemCounter, rng.IntN(1000), "-", i)
			sum := popular.Decayed{S: float64(rng.IntN(4)), T: now - int64(rng.IntN(3))*halfLife.Milliseconds()}
			at := c.of([]byte(key))
			if c.all[at].counts.Long = sum; rng.IntN(2) == 0 {
				c.all[at].changed, c.changed = true, append(c.changed, at)
			}
			all = append(all, one{key, sum.At(now, halfLife)})
		}
		if len(all) > limit {
			slices.SortFunc(all, func(a, b one) int { return cmp.Or(cmp.Compare(a.weight, b.weight), cmp.Compare(a.key, b.key)) })
			all = all[len(all)-(limit-limit/4):]
		}
		c.bound(limit, now, halfLife)
		var want, got []string
		for _, x := range all {
			want = append(want, x.key)
		}
		for i := 1; i < len(c.all); i++ {
			got = append(got, c.all[i].key)
			if c.byKey[c.all[i].key] != uint32(i) || c.all[i].changed != slices.Contains(c.changed, uint32(i)) {
				t.Fatalf("%s is counter %d of %v, found as %d", c.all[i].key, i, c.changed, c.byKey[c.all[i].key])
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) || len(c.byKey) != len(want) {
			t.Fatalf("limit %d: left are %v, want %v", limit, got, want)
		}
	}
}
