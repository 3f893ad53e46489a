package window

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/data"
)

const hour = int64(3600_000)

func times(t *rapid.T, label string) []int64 {
	return rapid.SliceOfN(rapid.Int64Range(-5*hour, 100*hour), 0, 200).Draw(t, label)
}

// recount is the textbook: how many of times are in (now−w, now].
func recount(times []int64, now, w int64) int {
	n := 0
	for _, t := range times {
		if now-w < t && t <= now {
			n++
		}
	}
	return n
}

func TestRingCountsExactlyUntilItIsFull(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := times(t, "times")
		var ring []int64
		for _, x := range all {
			ring = AddRing(ring, x, 65)
		}
		newest := int64(0)
		for _, x := range all {
			newest = max(newest, x)
		}
		now := newest + rapid.Int64Range(0, 2*hour).Draw(t, "after")
		w := rapid.Int64Range(1, 120*hour).Draw(t, "window")
		want := min(65, recount(all, now, w))
		if got := CountRing(ring, now, w); got != want {
			t.Fatalf("count in (now-%d, now] = %d, want %d", w, got, want)
		}
	})
}

func TestRingDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := times(t, "times")
		add := func(times []int64) (ring []int64) {
			for _, x := range times {
				ring = AddRing(ring, x, 20)
			}
			return ring
		}
		shuffled := rapid.Permutation(all).Draw(t, "shuffled")
		if diff := cmp.Diff(add(all), add(shuffled)); diff != "" {
			t.Fatal(diff)
		}
		cut := rapid.IntRange(0, len(all)).Draw(t, "cut")
		merged := MergeRings(add(all[:cut]), add(all[cut:]), 20)
		if diff := cmp.Diff(slices.Clone(add(all)), slices.Clone(merged)); len(all) > 0 && diff != "" {
			t.Fatal("merging two rings is not adding all:", diff)
		}
	})
}

func TestPanesCountAllButAtMostOnePaneAtTheTrailingEdge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := Paned{Width: hour, N: 24}
		all := times(t, "times")
		var panes []data.Pane
		newest := int64(0)
		for _, x := range all {
			panes = w.Add(panes, x, 2)
			newest = max(newest, x)
		}
		if len(panes) > int(w.N) {
			t.Fatalf("%d panes, at most %d", len(panes), w.N)
		}
		now := newest + rapid.Int64Range(0, 30*hour).Draw(t, "after")
		// Exactly the events whose pane is among the last N.
		from := (w.Index(now) - w.N + 1) * w.Width
		count, sum := w.Read(panes, now)
		if want := recount(all, now, now-from+1); count != want || sum != float64(2*want) {
			t.Fatalf("Read = %d, %v; want %d, %d", count, sum, want, 2*want)
		}
		// Which is the window (now−W, now] less at most one pane of its oldest part.
		upper, lower := recount(all, now, w.N*w.Width), recount(all, now, (w.N-1)*w.Width)
		if count > upper || count < lower {
			t.Fatalf("Read = %d, want from %d to %d", count, lower, upper)
		}
	})
}

func TestPanesMergeLikeAddingAllInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := Paned{Width: hour, N: 8}
		all := times(t, "times")
		add := func(times []int64) (panes []data.Pane) {
			for _, x := range times {
				panes = w.Add(panes, x, 1)
			}
			return panes
		}
		shuffled := rapid.Permutation(all).Draw(t, "shuffled")
		cut := rapid.IntRange(0, len(all)).Draw(t, "cut")
		a, b := add(shuffled[:cut]), add(shuffled[cut:])
		before := slices.Clone(a)
		want := add(all)
		for _, got := range [][]data.Pane{add(shuffled), w.Merge(a, b), w.Merge(b, a)} {
			if !slices.Equal(got, want) {
				t.Fatalf("panes %v, want %v", got, want)
			}
		}
		if !slices.Equal(a, before) {
			t.Fatal("Merge changed its argument")
		}
	})
}

func TestPaneOfANegativeTimeIsTheOneBelow(t *testing.T) {
	w := Paned{Width: 10, N: 4}
	for at, want := range map[int64]int64{-11: -2, -10: -1, -1: -1, 0: 0, 9: 0, 10: 1} {
		if got := w.Index(at); got != want {
			t.Errorf("Index(%d) = %d, want %d", at, got, want)
		}
	}
}

func TestDecayedSumAgreesWithTheFormula(t *testing.T) {
	type act struct {
		at int64
		w  float64
	}
	rapid.Check(t, func(t *rapid.T) {
		h := 24 * time.Hour
		acts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
			return act{rapid.Int64Range(1, 200*hour).Draw(t, "at"), rapid.Float64Range(-8, 10).Draw(t, "w")}
		}), 1, 60).Draw(t, "acts")
		var d, left, right data.Decayed
		newest := int64(0)
		cut := rapid.IntRange(0, len(acts)).Draw(t, "cut")
		for i, a := range acts {
			d = Decay(d, a.at, a.w, h)
			if i < cut {
				left = Decay(left, a.at, a.w, h)
			} else {
				right = Decay(right, a.at, a.w, h)
			}
			newest = max(newest, a.at)
		}
		now := newest + rapid.Int64Range(0, 100*hour).Draw(t, "after")
		want, scale := 0.0, 0.0
		for _, a := range acts {
			x := a.w * math.Exp2(-float64(now-a.at)/float64(h.Milliseconds()))
			want, scale = want+x, scale+math.Abs(x)
		}
		for _, got := range []float64{At(d, now, h), At(MergeDecayed(left, right, h), now, h), At(MergeDecayed(right, left, h), now, h)} {
			if math.Abs(got-want) > 1e-9*(1+scale) {
				t.Fatalf("S(now) = %v, want %v", got, want)
			}
		}
	})
}

func TestNothingDecaysBackwards(t *testing.T) {
	d := data.Decayed{S: 3, T: 100 * hour}
	if got := At(d, 0, time.Hour); got != 3 {
		t.Errorf("At before T = %v, want 3", got)
	}
}

func TestPowerOfTwoIsThatOfPackageMath(t *testing.T) {
	for _, x := range []float64{0, math.Copysign(0, -1), -.5, -1, -1.5, -999.9, -1000, -1022, -1e300, math.Inf(-1), 1, 1e300, -5e-324} {
		if got, want := powerOfTwo(x), math.Exp2(x); math.Float64bits(got) != math.Float64bits(want) {
			t.Errorf("2^%v = %v, want %v", x, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64Range(-1001, 0).Draw(t, "x")
		if got, want := powerOfTwo(x), math.Exp2(x); math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("2^%v = %v, want %v", x, got, want)
		}
	})
	for i := range 1_000_000 {
		if x := -float64(i) / 77_777; math.Float64bits(powerOfTwo(x)) != math.Float64bits(math.Exp2(x)) {
			t.Fatalf("2^%v = %v, want %v", x, powerOfTwo(x), math.Exp2(x))
		}
	}
}

func TestBoundedIsTheTextbooksClamp(t *testing.T) {
	for _, x := range []float64{0, math.Copysign(0, -1), 1, -1, MaxSum, -MaxSum, math.Nextafter(MaxSum, 2e18), -1e300, 1e300,
		math.Inf(1), math.Inf(-1), math.NaN(), math.SmallestNonzeroFloat64} {
		want := math.Max(-MaxSum, math.Min(x, MaxSum))
		if math.IsNaN(x) {
			want = 0
		}
		if got := Bounded(x); math.Float64bits(got) != math.Float64bits(want) {
			t.Errorf("Bounded(%v) = %v, want %v", x, got, want)
		}
	}
}

func TestCoarseIsAtToAThousandthOfAHalfLife(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		halfLife := time.Duration(rapid.Int64Range(1, 1<<41).Draw(t, "half-life")) * time.Millisecond
		d := data.Decayed{S: rapid.Float64Range(-1e18, 1e18).Draw(t, "sum"), T: rapid.Int64Range(0, 1<<41).Draw(t, "time")}
		now := d.T + rapid.Int64Range(-10, 1<<40).Draw(t, "later")
		exactly, got := At(d, now, halfLife), Coarse(d, now, halfLife)
		if a, b := math.Abs(exactly), math.Abs(got); b < a*(1-1e-9)-1e-250 || b > a*math.Exp2(1.0/steps)*(1+1e-9)+1e-250 || got*exactly < 0 {
			t.Fatalf("%v after %d of %v is about %v, exactly %v", d.S, now-d.T, halfLife, got, exactly)
		}
	})
}
