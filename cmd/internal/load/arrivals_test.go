package load

import (
	"math"
	"testing"
	"time"
)

// count is how many arrivals lie in [from, to).
func count(cfg Config, from, to time.Duration) (n int) {
	a := newArrivals(cfg)
	for {
		_, due := a.peek()
		a.pop()
		if due >= to {
			return n
		}
		if due >= from {
			n++
		}
	}
}

func TestArrivalsFollowTheirShape(t *testing.T) {
	steady := Default()
	steady.Rate, steady.Arrivals = 1000, Uniform
	poisson := steady
	poisson.Arrivals = Poisson
	spiky := steady
	spiky.SpikeEvery, spiky.SpikeFor, spiky.SpikeTimes = 10*time.Second, time.Second, 4
	quiet := spiky
	quiet.SpikeTimes = 0
	day := steady
	day.Diurnal, day.DiurnalSwing = 40*time.Second, .5
	cases := []struct {
		name     string
		cfg      Config
		from, to time.Duration
		want     float64
		within   float64
	}{
		{"uniform", steady, 0, 10 * time.Second, 10_000, 1},
		{"poisson", poisson, 0, 10 * time.Second, 10_000, 400},
		{"before a spike", spiky, 0, 9 * time.Second, 9000, 2},
		{"during a spike", spiky, 9 * time.Second, 10 * time.Second, 4000, 2},
		{"after a spike", spiky, 10 * time.Second, 19 * time.Second, 9000, 2},
		{"a spike of nothing", quiet, 9 * time.Second, 10 * time.Second, 0, 1},
		{"a whole day", day, 0, 40 * time.Second, 40_000, 3},
		// The mean of sin over its first half is 2/π.
		{"the day's first half", day, 0, 20 * time.Second, 20_000 * (1 + .5*2/math.Pi), 20},
		{"the day's second half", day, 20 * time.Second, 40 * time.Second, 20_000 * (1 - .5*2/math.Pi), 20},
	}
	for _, c := range cases {
		if got := float64(count(c.cfg, c.from, c.to)); math.Abs(got-c.want) > c.within {
			t.Errorf("%s: %v arrivals, want %.0f", c.name, got, c.want)
		}
	}
}

func TestArrivalsAreAFunctionOfTheSeed(t *testing.T) {
	cfg := Default()
	cfg.Rate = 100
	a, b := newArrivals(cfg), newArrivals(cfg)
	last := time.Duration(-1)
	for range 1000 {
		i, at := a.peek()
		j, also := b.peek()
		a.pop()
		b.pop()
		if i != j || at != also || at < last {
			t.Fatalf("arrival %d at %v, and again %d at %v; the one before at %v", i, at, j, also, last)
		}
		last = at
	}
}
