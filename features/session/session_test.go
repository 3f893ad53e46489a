package session

import (
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/data"
)

const (
	minute = int64(60_000)
	gap    = 30 * minute
)

// cut is the textbook: sort the times, and begin anew wherever the gap passed.
func cut(times []int64) []data.Session {
	times = slices.Clone(times)
	slices.Sort(times)
	var out []data.Session
	for _, t := range times {
		if n := len(out); n > 0 && t-out[n-1].End < gap {
			out[n-1].End = t
			out[n-1].Events++
			continue
		}
		out = append(out, data.Session{Start: t, End: t, Events: 1})
	}
	return out
}

func TestSessionsAgreeWithCuttingTheSortedListWhileLatenessIsBelowTheGap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "n")
		var times []int64
		var s Sessions
		newest := 10_000 * minute
		for i := range n {
			at := newest + rapid.Int64Range(-29, 45).Draw(t, "step")*minute
			newest = max(newest, at)
			times = append(times, at)
			s, _ = s.Add(Act{At: at, Fresh: Derived(strconv.Itoa(i))}, gap)
		}
		want := cut(times)
		if int(s.Count) != len(want) {
			t.Fatalf("%d sessions, want %d", s.Count, len(want))
		}
		got := s.Current
		got.ID = ""
		if diff := cmp.Diff(want[len(want)-1], got); diff != "" {
			t.Fatal(diff)
		}
		if len(want) > 1 && s.Previous.Events > 0 {
			got := s.Previous
			got.ID = ""
			if diff := cmp.Diff(want[len(want)-2], got); diff != "" {
				t.Fatal("previous:", diff)
			}
		}
	})
}

func TestAdd(t *testing.T) {
	at := func(m int64) Act { return Act{At: m * minute, Fresh: Derived(strconv.Itoa(int(m)))} }
	named := func(m int64, id string) Act { return Act{At: m * minute, Named: id, Fresh: Derived("f")} }
	for _, c := range []struct {
		name    string
		acts    []Act
		effects []Effect
		starts  []int64 // previous, current; minutes
		ends    []int64
		count   uint32
	}{
		{"a gap of exactly thirty minutes ends a session", []Act{at(0), at(30)}, []Effect{Opened, Opened}, []int64{0, 30}, []int64{0, 30}, 2},
		{"a millisecond less does not", []Act{at(0), {At: 30*minute - 1}}, []Effect{Opened, Joined}, []int64{0, 0}, []int64{0, 29}, 1},
		{"a late event extends to the left", []Act{at(100), at(80)}, []Effect{Opened, Joined}, []int64{0, 80}, []int64{0, 100}, 1},
		{"a bridging event makes two sessions one", []Act{at(0), at(50), at(25)}, []Effect{Opened, Opened, Joined}, []int64{0, 0}, []int64{0, 50}, 1},
		{"a late event joins the session before", []Act{at(0), at(100), at(10)}, []Effect{Opened, Opened, Earlier}, []int64{0, 100}, []int64{10, 100}, 2},
		{"a late event between two is a session of its own", []Act{at(0), at(200), at(100)}, []Effect{Opened, Opened, Earlier}, []int64{100, 200}, []int64{100, 200}, 3},
		{"one older than both is left out", []Act{at(500), at(1000), at(0)}, []Effect{Opened, Opened, Forgotten}, []int64{500, 1000}, []int64{500, 1000}, 2},
		{"a tracker's name outlasts the gap", []Act{named(0, "a"), named(90, "a")}, []Effect{Opened, Joined}, []int64{0, 0}, []int64{0, 90}, 1},
		{"another name is another session", []Act{named(0, "a"), named(1, "b")}, []Effect{Opened, Opened}, []int64{0, 1}, []int64{0, 1}, 2},
		{"an event without a name joins the named session near it", []Act{named(0, "a"), at(1)}, []Effect{Opened, Joined}, []int64{0, 0}, []int64{0, 1}, 1},
		{"named sessions are not bridged", []Act{named(0, "a"), named(50, "b"), named(25, "b")}, []Effect{Opened, Opened, Joined}, []int64{0, 25}, []int64{0, 50}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s Sessions
			for i, a := range c.acts {
				var effect Effect
				if s, effect = s.Add(a, gap); effect != c.effects[i] {
					t.Errorf("act %d: effect %d, want %d", i, effect, c.effects[i])
				}
			}
			starts := []int64{s.Previous.Start / minute, s.Current.Start / minute}
			ends := []int64{s.Previous.End / minute, s.Current.End / minute}
			if !slices.Equal(starts, c.starts) || !slices.Equal(ends, c.ends) || s.Count != c.count {
				t.Errorf("starts %v ends %v count %d, want %v %v %d", starts, ends, s.Count, c.starts, c.ends, c.count)
			}
		})
	}
}

func TestMergeCommutesAndJoinsWhatOverlaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one := func(label string) (s Sessions) {
			at := int64(1000)
			for i := range rapid.IntRange(0, 6).Draw(t, label) {
				at += rapid.Int64Range(1, 80).Draw(t, "step")
				s, _ = s.Add(Act{At: at * minute, Fresh: Derived(label + string(rune('0'+i)))}, gap)
			}
			return s
		}
		a, b := one("a"), one("b")
		ab, ba := Merge(a, b, gap), Merge(b, a, gap)
		if diff := cmp.Diff(ab, ba); diff != "" {
			t.Fatal(diff)
		}
		if ab.Previous.Events > 0 && ab.Current.Start-ab.Previous.End < gap {
			t.Fatalf("previous ends %d, current starts %d: they are one", ab.Previous.End, ab.Current.Start)
		}
		if diff := cmp.Diff(a, Merge(a, Sessions{}, gap)); diff != "" {
			t.Fatal("the empty person changes something:", diff)
		}
	})
}
