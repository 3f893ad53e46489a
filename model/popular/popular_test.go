package popular_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"kindred/model"
	"kindred/model/modeltest"
	"kindred/model/popular"
	"kindred/model/sparse"
)

const (
	day = int64(24 * time.Hour / time.Millisecond)
	now = 1000 * day
)

var near = cmpopts.EquateApprox(1e-6, 1e-9)

func TestScorerKeepsItsPromises(t *testing.T) {
	modeltest.Run(t, func(t *testing.T, x *sparse.CSR, _ uint64) model.Scorer {
		var events []popular.Event
		for u := range x.Rows {
			cols, vals := x.Row(u)
			for i, c := range cols {
				events = append(events, popular.Event{Row: c, Weight: float64(vals[i]), At: now - int64(u)*day})
			}
		}
		return popular.Fit(x.Cols, events, now, popular.Default())
	}, modeltest.Options{Impersonal: true, Decode: func(b []byte) (model.Scorer, error) {
		m := new(popular.Model)
		return m, m.UnmarshalBinary(b)
	}})
}

func TestDecayHalvesInAHalfLife(t *testing.T) {
	d := popular.Decayed{}.Add(8, now, 24*time.Hour)
	for at, want := range map[int64]float64{now: 8, now + day: 4, now + 3*day: 1, now - day: 8} {
		if got := d.At(at, 24*time.Hour); math.Abs(got-want) > 1e-12 {
			t.Errorf("at %+d days: %v; want %v", (at-now)/day, got, want)
		}
	}
	if got := d.At(now+1000*day, 0); got != 8 {
		t.Errorf("without a half-life: %v; want 8", got)
	}
}

func TestAnyOrderAndAnyPartitionGiveTheSameSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type event struct {
			w  float64
			at int64
		}
		events := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event {
			return event{float64(rapid.IntRange(-8, 10).Draw(t, "w")), now + rapid.Int64Range(-30*day, 0).Draw(t, "at")}
		}), 1, 30).Draw(t, "events")
		half := 14 * 24 * time.Hour
		want := 0.0 // the definition
		for _, e := range events {
			want += e.w * math.Exp2(-float64(now-e.at)/float64(14*day))
		}
		cut := rapid.IntRange(0, len(events)).Draw(t, "cut")
		var a, b popular.Decayed
		for _, e := range events[:cut] {
			a = a.Add(e.w, e.at, half)
		}
		for _, e := range events[cut:] {
			b = b.Add(e.w, e.at, half)
		}
		for name, d := range map[string]popular.Decayed{"a+b": a.Merge(b, half), "b+a": b.Merge(a, half)} {
			if got := d.At(now, half); math.Abs(got-want) > 1e-9 {
				t.Fatalf("%s: %v; the definition gives %v", name, got, want)
			}
		}
	})
}

func TestScoreRanksByDecayedWeightWhateverTheDate(t *testing.T) {
	cfg := popular.Default()
	events := []popular.Event{{0, 1, now - 14*day}, {0, 1, now}, {1, 5, now - 28*day}, {2, 1.6, now - 2}}
	m := popular.Fit(4, events, now, cfg)
	got := make([]float32, 4)
	if !m.Score(model.History{}, got) {
		t.Fatal("nothing to say")
	}
	want := []float32{float32(math.Log1p(1.5)), float32(math.Log1p(1.25)), float32(math.Log1p(1.6)), 0}
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("scores (-want +got):\n%s", diff)
	}
	// A century on, the data have decayed to nothing, but the order is the same.
	later := make([]float32, 4)
	popular.Fit(4, events, now+36500*day, cfg).Score(model.History{}, later)
	if diff := cmp.Diff(got, later, near); diff != "" {
		t.Errorf("scores (-now +a century on):\n%s", diff)
	}
}

func TestEventsFromTheFutureCountAsNow(t *testing.T) {
	got, want := make([]float32, 1), make([]float32, 1)
	popular.Fit(1, []popular.Event{{0, 1, now + 100*day}, {0, 1, now - day}}, now, popular.Default()).Popularity(now, got)
	popular.Fit(1, []popular.Event{{0, 1, now}, {0, 1, now - day}}, now, popular.Default()).Popularity(now, want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("popularity (-now +future):\n%s", diff)
	}
}

func TestWithoutHalfLifePopularityIsPlainCounts(t *testing.T) {
	cfg := popular.Default()
	cfg.HalfLife = 0
	m := popular.Fit(2, []popular.Event{{0, 1, 0}, {0, 1, now}, {1, 1, now - 5}}, now, cfg)
	got := make([]float32, 2)
	m.Popularity(now+999*day, got)
	if diff := cmp.Diff([]float32{2, 1}, got); diff != "" {
		t.Errorf("popularity (-want +got):\n%s", diff)
	}
	m.Trend(now, got)
	if !(got[0] < got[1]) {
		t.Errorf("trends %v; want the item of the last days above the old one", got)
	}
}

func TestMoreHatedThanLovedIsNotNegative(t *testing.T) {
	m := popular.Fit(1, []popular.Event{{0, 1, now}, {0, -8, now}}, now, popular.Default())
	got := []float32{1}
	m.Score(model.History{}, got)
	if got[0] != 0 {
		t.Errorf("score %v; want 0", got[0])
	}
}

func TestTrendIsAboveOneForWhatGathersSpeed(t *testing.T) {
	var events []popular.Event
	for d := range int64(60) {
		for hour := range int64(24) {
			events = append(events, popular.Event{0, 1, now - d*day - hour*day/24}) // steady
			if d < 2 {
				events = append(events, popular.Event{1, 1, now - d*day - hour*day/24}) // rising
			}
			if d > 20 {
				events = append(events, popular.Event{2, 1, now - d*day - hour*day/24}) // over
			}
		}
	}
	events = append(events, popular.Event{3, 1, now}) // one click
	m := popular.Fit(5, events, now, popular.Default())
	trend := make([]float32, 5)
	m.Trend(now, trend)
	if !(trend[1] > 2*trend[0] && trend[2] < .5*trend[0]) {
		t.Errorf("trends %v; want the second high and the third low", trend)
	}
	if trend[3] > 2.5 {
		t.Errorf("a single click trends at %v: not smoothed", trend[3])
	}
	if trend[4] != 1 {
		t.Errorf("an item nobody used trends at %v; want 1", trend[4])
	}
	popular.Fit(2, nil, now, popular.Default()).Trend(now, trend[:2])
	if diff := cmp.Diff([]float32{1, 1}, trend[:2]); diff != "" {
		t.Errorf("trends without events (-want +got):\n%s", diff)
	}
}

func TestLiveAddsPartitionsUp(t *testing.T) {
	l := popular.NewLive(popular.Default())
	one := func(w float64, at int64) popular.Counts {
		return popular.Counts{Short: popular.Decayed{S: w, T: at}, Long: popular.Decayed{S: w, T: at}}
	}
	l.Set(3, "i/lamp", one(2, now-14*day))
	l.Set(0, "i/lamp", one(1, now))
	l.Set(0, "i/desk", one(3, now))
	l.Set(0, "c/home", one(100, now))
	l.Set(1, "i/gone", one(5, now))
	l.Set(1, "i/gone", popular.Counts{})
	l.Set(1, "i/never", popular.Counts{})
	l.Set(1, "i/hated", one(-5, now))

	if c, ok := l.Counts("i/lamp"); !ok || math.Abs(c.Long.S-2) > 1e-12 || c.Long.T != now {
		t.Errorf("lamp = %+v, %v; want 2 now", c, ok)
	}
	if _, ok := l.Counts("i/gone"); ok || l.Len() != 4 {
		t.Errorf("%d keys, gone still there: %v; want 4, false", l.Len(), ok)
	}
	want := []popular.Entry{{"i/desk", 3}, {"i/lamp", 2}}
	if diff := cmp.Diff(want, l.Top("i/", popular.ByPopularity, now, 10, nil), near); diff != "" {
		t.Errorf("top (-want +got):\n%s", diff)
	}
	onlyLamp := func(key string) bool { return key == "i/lamp" }
	if diff := cmp.Diff(want[1:], l.Top("i/", popular.ByPopularity, now, 1, onlyLamp), near); diff != "" {
		t.Errorf("filtered top, before the cut (-want +got):\n%s", diff)
	}
	l.DropPartition(0)
	if diff := cmp.Diff([]popular.Entry{{"i/lamp", 1}}, l.Top("", popular.ByPopularity, now, 9, nil), near); diff != "" {
		t.Errorf("top without partition 0 (-want +got):\n%s", diff)
	}
	if got := l.Top("", popular.ByPopularity, now, -1, nil); len(got) != 0 {
		t.Errorf("top −1 = %v", got)
	}
}

func TestLiveTrendsAreThoseOfAModelOfTheSameEvents(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	cfg := popular.Default()
	live := popular.NewLive(cfg)
	var events []popular.Event
	counts := map[[2]int32]popular.Counts{}
	for range 2000 {
		e := popular.Event{Row: int32(random.IntN(20)), Weight: float64(1 + random.IntN(5)), At: now - random.Int64N(30*day)}
		events = append(events, e)
		key := [2]int32{int32(random.IntN(4)), e.Row}
		c := counts[key]
		c.Short, c.Long = c.Short.Add(e.Weight, e.At, cfg.ShortHalfLife), c.Long.Add(e.Weight, e.At, cfg.HalfLife)
		counts[key] = c
		live.Set(key[0], fmt.Sprint("i/", key[1]), c)
	}
	want := make([]float32, 20)
	popular.Fit(20, events, now, cfg).Trend(now, want)
	for _, e := range live.Top("i/", popular.ByTrend, now, 20, nil) {
		var row int
		fmt.Sscanf(e.Key, "i/%d", &row)
		if math.Abs(e.Score-float64(want[row])) > 1e-5 {
			t.Errorf("%s trends at %v live, %v in the model", e.Key, e.Score, want[row])
		}
	}
}

func TestLiveIsReadWhileItIsWritten(t *testing.T) {
	l := popular.NewLive(popular.Default())
	var wait sync.WaitGroup
	for p := range int32(4) {
		wait.Go(func() {
			for i := range 200 {
				l.Set(p, fmt.Sprint("i/", i%10), popular.Counts{Long: popular.Decayed{S: 1, T: now}})
				l.Top("i/", popular.ByTrend, now, 3, nil)
				l.Counts("i/1")
			}
		})
	}
	wait.Wait()
	if got := l.Top("i/", popular.ByPopularity, now, 1, nil); len(got) != 1 || got[0].Score != 4 {
		t.Errorf("top %v; want 4 partitions' sum", got)
	}
}

func TestConfigIsRefusedByFieldName(t *testing.T) {
	for field, change := range map[string]func(*popular.Config){
		"half_life":       func(c *popular.Config) { c.HalfLife = -1 },
		"short_half_life": func(c *popular.Config) { c.ShortHalfLife = c.HalfLife },
		"smoothing":       func(c *popular.Config) { c.Smoothing = math.NaN() },
	} {
		cfg := popular.Default()
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v; want an error that names it", field, err)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	m := popular.Fit(2, []popular.Event{{0, 1, now}, {1, 3, now - day}}, now, popular.Default())
	seed, _ := m.MarshalBinary()
	f.Add(seed)
	f.Fuzz(func(t *testing.T, b []byte) {
		var m popular.Model
		if m.UnmarshalBinary(b) != nil {
			return
		}
		if again, err := m.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("round trip changed the bytes: %v", err)
		}
		dst := make([]float32, m.Items())
		m.Score(model.History{}, dst)
		for i, v := range dst {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				t.Fatalf("score %d is %v", i, v)
			}
		}
	})
}

func ExampleModel_Trend() {
	events := []popular.Event{
		{Row: 0, Weight: 30, At: now - 10*day}, // was popular
		{Row: 1, Weight: 20, At: now - day/24}, // is rising
	}
	m := popular.Fit(2, events, now, popular.Default())
	trend := make([]float32, 2)
	m.Trend(now, trend)
	fmt.Printf("%.2f %.2f\n", trend[0], trend[1])
	// Output: 0.36 1.61
}
