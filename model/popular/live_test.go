package popular_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kindred/model/popular"
)

// textbookTop is Live.Top by definition: everything is counted, sorted and cut.
func textbookTop(l *popular.Live, keys []string, prefix string, by popular.Measure, now int64, k int, allow func(string) bool) []popular.Entry {
	cfg := l.Config()
	rates := func(c popular.Counts) (short, long float64) {
		return max(0, c.Short.At(now, cfg.ShortHalfLife)) * math.Ln2 / cfg.ShortHalfLife.Seconds(),
			max(0, c.Long.At(now, cfg.HalfLife)) * math.Ln2 / cfg.HalfLife.Seconds()
	}
	var short, long float64
	for _, key := range keys {
		if c, ok := l.Counts(key); ok && strings.HasPrefix(key, prefix) {
			s, g := rates(c)
			short, long = short+s, long+g
		}
	}
	var all []popular.Entry
	for _, key := range keys {
		c, ok := l.Counts(key)
		weight := c.Long.At(now, cfg.HalfLife)
		if !ok || !strings.HasPrefix(key, prefix) || !(weight > 0) || allow != nil && !allow(key) {
			continue
		}
		if by == popular.ByTrend {
			a := cfg.Smoothing * math.Ln2 / cfg.HalfLife.Seconds()
			s, g := rates(c)
			if weight = 1; short > 0 && long > 0 {
				weight = (s*(long/short) + a) / (g + a)
			}
		}
		all = append(all, popular.Entry{Key: key, Score: weight})
	}
	slices.SortStableFunc(all, func(a, b popular.Entry) int {
		if a.Score != b.Score {
			return map[bool]int{true: -1, false: 1}[a.Score > b.Score]
		}
		return strings.Compare(a.Key, b.Key)
	})
	return all[:max(0, min(k, len(all)))]
}

func TestALiveListIsTheFullSort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := popular.NewLive(popular.Default())
		keys := []string{"plain"}
		for i := range 30 {
			keys = append(keys, fmt.Sprintf("i/%02d", i))
		}
		keys = append(keys, "c/a", "c/b")
		slices.Sort(keys)
		at := rapid.Custom(func(t *rapid.T) int64 { return now + rapid.Int64Range(-40, 3).Draw(t, "days")*day/2 })
		weight := rapid.SampledFrom([]float64{0, 1, 1, 2, 3.5, -1})
		moment := now
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				for range 5 {
					var c popular.Counts
					if s := weight.Draw(t, "weight"); s != 0 {
						c = popular.Counts{Short: popular.Decayed{S: s, T: at.Draw(t, "short at")}, Long: popular.Decayed{S: 2 * s, T: at.Draw(t, "long at")}}
					}
					l.Set(rapid.Int32Range(0, 2).Draw(t, "partition"), rapid.SampledFrom(keys).Draw(t, "key"), c)
				}
			},
			"drop":  func(t *rapid.T) { l.DropPartition(rapid.Int32Range(0, 2).Draw(t, "partition")) },
			"later": func(t *rapid.T) { moment += rapid.SampledFrom([]int64{1, day, 30 * day, 400 * day}).Draw(t, "later") },
			"": func(t *rapid.T) {
				by := rapid.SampledFrom([]popular.Measure{popular.ByPopularity, popular.ByTrend}).Draw(t, "by")
				prefix := rapid.SampledFrom([]string{"", "i/", "i", "i/1", "c/", "x"}).Draw(t, "prefix")
				k := rapid.SampledFrom([]int{-1, 0, 1, 3, 10, 99}).Draw(t, "k")
				var allow func(string) bool
				if rapid.Bool().Draw(t, "filtered") {
					allow = func(key string) bool { return key[len(key)-1]%2 == 0 }
				}
				got, want := l.Top(prefix, by, moment, k, allow), textbookTop(l, keys, prefix, by, moment, k, allow)
				if len(got) != len(want) {
					t.Fatalf("%d entries, want %d:\n%v\n%v", len(got), len(want), got, want)
				}
				for i := range got {
					// Totals are added in another order: trends that are equal up to rounding may change places.
					if d := math.Abs(got[i].Score - want[i].Score); d > 1e-9*math.Abs(want[i].Score) {
						t.Fatalf("by %s place %d is %v, want %v", by, i, got[i], want[i])
					}
					if by == popular.ByPopularity && got[i].Key != want[i].Key {
						t.Fatalf("by %s place %d is %v, want %v", by, i, got[i], want[i])
					}
				}
			},
		})
	})
}

// BenchmarkTop lists the 10 most popular and the 10 most rising of 100,000 items.
func BenchmarkTop(b *testing.B) {
	l := popular.NewLive(popular.Default())
	for i := range 100_000 {
		s := float64(1 + i*7919%1000)
		c := popular.Counts{
			Short: popular.Decayed{S: s, T: now - int64(i)*int64(time.Second/time.Millisecond)},
			Long:  popular.Decayed{S: 3 * s, T: now - int64(i)*int64(time.Second/time.Millisecond)},
		}
		l.Set(int32(i%4), fmt.Sprint("i/", i), c)
	}
	for _, by := range []popular.Measure{popular.ByPopularity, popular.ByTrend} {
		b.Run(string(by), func(b *testing.B) {
			for b.Loop() {
				l.Top("i/", by, now, 10, nil)
			}
		})
	}
}
