package members

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"kindred/data"
	"kindred/serving/changes"
)

// kept is a checkpoint in memory.
type kept struct{ b []byte }

func (k *kept) Save(_ string, write func(io.Writer) error) error {
	var b bytes.Buffer
	err := write(&b)
	k.b = b.Bytes()
	return err
}

func (k *kept) Load(_ string, read func(io.Reader) error) error {
	if k.b == nil {
		return data.ErrNotFound
	}
	return read(bytes.NewReader(k.b))
}

const partitions = 3

var start = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func made(cfg Config, at time.Time) *Members {
	m := New(cfg, Deps{Feed: changes.New(nil, nil, nil, partitions, time.Second), Checkpoints: &kept{}, Now: func() time.Time { return at }})
	m.ready = true
	return m
}

// history makes changes over some days; each partition's time runs on its own.
func history(rng *rand.Rand, days, each int) [][]data.Change {
	parts := make([][]data.Change, partitions)
	type key struct{ who, segment string }
	for p := range parts {
		in := map[key]bool{}
		for i := range days * each {
			at := start.Add(time.Duration(i) * day / time.Duration(each))
			who := data.ProfileID(fmt.Sprintf("%d-%d", p, rng.IntN(30)))
			c := data.Change{Partition: int32(p), Offset: int64(i), At: at, Profile: who}
			switch rng.IntN(25) {
			case 0:
				c.Type, c.From, c.To = "merged", string(who), "other"
			case 1:
				c.Type, c.From = "deleted", string(who)
			case 2:
				c.Type, c.To = "session_started", "s"
			default:
				s := fmt.Sprint("s", rng.IntN(4))
				if in[key{string(who), s}] {
					c.Type, c.From = "segment_exited", s
				} else {
					c.Type, c.To = "segment_entered", s
				}
				in[key{string(who), s}] = c.Type == "segment_entered"
			}
			parts[p] = append(parts[p], c)
		}
	}
	return parts
}

// naive recounts who is in a segment at the end of a day, by all changes up to it. Who was deleted
// at any time, and did not come again since, was never there.
func naive(parts [][]data.Change, segment string, end time.Time) []data.ProfileID {
	in := map[data.ProfileID]bool{}
	for _, part := range parts {
		deleted := map[data.ProfileID]int64{}
		for _, c := range part {
			if c.Type == "deleted" {
				deleted[c.Profile] = c.Offset
			}
		}
		for _, c := range part {
			if last, ok := deleted[c.Profile]; !c.At.Before(end) || ok && c.Offset <= last {
				continue
			}
			switch {
			case c.Type == "segment_entered" && c.To == segment:
				in[c.Profile] = true
			case c.Type == "segment_exited" && c.From == segment, c.Type == "merged":
				delete(in, c.Profile)
			}
		}
	}
	return slices.Sorted(maps.Keys(in))
}

func list(t *testing.T, m *Members, q Query, limit int) []data.ProfileID {
	t.Helper()
	var out []data.ProfileID
	after := int64(-1)
	for {
		page, last, more, err := m.List(q, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		out, after = append(out, page...), last
		if !more {
			break
		}
	}
	n, err := m.Count(q)
	if err != nil || n != uint64(len(out)) {
		t.Errorf("%v: %d are counted and %d listed (%v)", q, n, len(out), err)
	}
	slices.Sort(out)
	return out
}

// TestEveryDayIsTheNaiveRecount feeds random changes, the partitions by turns of any size, through
// checkpoints at random places, and compares every segment on every day with a recount.
func TestEveryDayIsTheNaiveRecount(t *testing.T) {
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		const days = 9
		parts := history(rng, days, 60)
		end := start.Add(days*day - time.Second)
		m := made(Config{Days: 90}, end)
		next := make([]int, partitions)
		for left := partitions * len(parts[0]); left > 0; {
			p := rng.IntN(partitions)
			n := min(rng.IntN(200), len(parts[p])-next[p])
			page := parts[p][next[p] : next[p]+n]
			if n == 0 {
				continue
			}
			m.take(int32(p), page, changes.Of(page[n-1]))
			next[p] += n
			left -= n
			switch rng.IntN(3) {
			case 0: // killed and started again
				again := made(Config{Days: 90}, end)
				var b bytes.Buffer
				if err := m.write(&b); err != nil {
					t.Fatal(err)
				}
				if err := again.read(&b); err != nil {
					t.Fatal(err)
				}
				if again.position.String() != m.position.String() {
					t.Fatalf("the position is %v, was %v", again.position, m.position)
				}
				m = again
			case 1: // the last change comes twice
				last := page[n-1]
				m.mu.Lock()
				m.apply(&last)
				m.mu.Unlock()
			}
		}
		for s := range 5 {
			name := fmt.Sprint("s", s)
			if got, want := list(t, m, Query{All: []string{name}}, 7), naive(parts, name, end); !slices.Equal(got, want) {
				t.Errorf("seed %d: %s has %v, want %v", seed, name, got, want)
			}
			for d := range days {
				when := start.Add(time.Duration(d) * day)
				if got, want := list(t, m, Query{All: []string{name}, Day: when}, 100), naive(parts, name, when.Add(day)); !slices.Equal(got, want) {
					t.Errorf("seed %d: %s on %s has %v, want %v", seed, name, when.Format(time.DateOnly), got, want)
				}
			}
		}
		a, b, c := naive(parts, "s0", end), naive(parts, "s1", end), naive(parts, "s2", end)
		has := slices.Contains[[]data.ProfileID]
		var want []data.ProfileID
		for p := range partitions {
			for i := range 30 {
				who := data.ProfileID(fmt.Sprintf("%d-%d", p, i))
				if has(a, who) && (has(b, who) || has(c, who)) && !has(naive(parts, "s3", end), who) {
					want = append(want, who)
				}
			}
		}
		slices.Sort(want)
		if got := list(t, m, Query{All: []string{"s0"}, Any: []string{"s1", "s2"}, None: []string{"s3"}}, 5); !slices.Equal(got, want) {
			t.Errorf("seed %d: s0 and (s1 or s2) and not s3 is %v, want %v", seed, got, want)
		}
		var all []data.ProfileID
		for _, s := range []string{"s0", "s1", "s2", "s3"} {
			all = append(all, naive(parts, s, end)...)
		}
		slices.Sort(all)
		if got, want := list(t, m, Query{}, 50), slices.Compact(all); !slices.Equal(got, want) {
			t.Errorf("seed %d: everybody is %v, want %v", seed, got, want)
		}
	}
}

func TestOldDaysAreDropped(t *testing.T) {
	parts := history(rand.New(rand.NewPCG(1, 2)), 20, 40)
	end := start.Add(20*day - time.Second)
	m := made(Config{Days: 5}, end)
	for p := range parts {
		m.take(int32(p), parts[p], changes.Of(parts[p][len(parts[p])-1]))
	}
	for name, c := range m.crowds {
		if len(c.days) > 5 {
			t.Errorf("%s keeps %d days", name, len(c.days))
		}
	}
	for d := range 20 {
		when := start.Add(time.Duration(d) * day)
		n, err := m.Count(Query{All: []string{"s1"}, Day: when})
		if kept := d >= 14; kept != (err == nil) || !kept && !errors.Is(err, ErrDay) {
			t.Errorf("day %d: %d, %v", d, n, err)
		} else if want := naive(parts, "s1", when.Add(day)); kept && n != uint64(len(want)) {
			t.Errorf("day %d: %d, want %d", d, n, len(want))
		}
	}
	if _, err := m.Count(Query{All: []string{"s1"}, Day: end.Add(day)}); !errors.Is(err, ErrDay) {
		t.Errorf("tomorrow: %v", err)
	}
}

func TestDamagedCheckpointIsAnError(t *testing.T) {
	parts := history(rand.New(rand.NewPCG(1, 3)), 3, 40)
	m := made(Default(), start.Add(3*day))
	m.take(0, parts[0], changes.Of(parts[0][len(parts[0])-1]))
	var b bytes.Buffer
	if err := m.write(&b); err != nil {
		t.Fatal(err)
	}
	for n := range b.Len() {
		if err := made(Default(), start).read(bytes.NewReader(b.Bytes()[:n])); err == nil {
			t.Fatalf("%d of %d bytes were read", n, b.Len())
		}
	}
}
