package load

import (
	"math"
	"math/rand/v2"
	"time"
)

// arrivals are the times at which operations of the open loop are due, counted
// from the start of the run. It is a function of the seed. Not safe for concurrent use.
type arrivals struct {
	cfg    Config
	random *rand.Rand
	index  int64
	at     float64 // seconds
}

// newArrivals begins at the start of the warm-up.
func newArrivals(cfg Config) *arrivals {
	return &arrivals{cfg: cfg, random: rand.New(rand.NewPCG(cfg.Seed, 0x617272)), at: 0}
}

// peek is the next operation and when it is due.
func (a *arrivals) peek() (index int64, due time.Duration) { return a.index, seconds(a.at) }

// pop goes on to the one after it.
func (a *arrivals) pop() {
	a.index++
	area := 1.0 // of the rate's curve up to the next arrival
	if a.cfg.Arrivals == Poisson {
		area = a.random.ExpFloat64()
	}
	a.advance(area)
}

// advance moves to where the integral of the rate has grown by area, in steps over
// which the rate hardly changes.
func (a *arrivals) advance(area float64) {
	for {
		rate, until := a.cfg.rateAt(a.at)
		if until == math.Inf(1) || rate*(until-a.at) >= area {
			a.at += area / rate
			return
		}
		area -= rate * (until - a.at)
		a.at = until
	}
}

// rateAt is the rate at a moment, in operations a second, and until when it may be
// taken as constant. The rate is never 0 for good: days and spikes pass.
func (c Config) rateAt(at float64) (rate, until float64) {
	rate, until = c.Rate, math.Inf(1)
	if c.Diurnal > 0 {
		const steps = 1000
		period := c.Diurnal.Seconds()
		step := math.Floor(at/period*steps + 1e-9)
		rate *= 1 + c.DiurnalSwing*math.Sin(2*math.Pi*(step+.5)/steps)
		until = (step + 1) * period / steps
	}
	if c.SpikeEvery > 0 {
		every, long := c.SpikeEvery.Seconds(), c.SpikeFor.Seconds()
		turn := math.Floor(at/every + 1e-9)
		if begin := turn*every + every - long; at >= begin-1e-9 { // the period's end, so that a run begins calmly
			rate *= c.SpikeTimes
			until = min(until, (turn+1)*every)
		} else {
			until = min(until, begin)
		}
	}
	return max(rate, 1e-9), until
}

// seconds is a duration of so many.
func seconds(s float64) time.Duration {
	return time.Duration(min(s*float64(time.Second), math.MaxInt64/2))
}
