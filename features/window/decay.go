package window

import (
	"math"
	"time"

	"kindred/data"
)

// At is the decayed sum at time now: S·2^(−(now−T)/h). For now before T it is S:
// nothing decays backwards.
func At(d data.Decayed, now int64, halfLife time.Duration) float64 {
	if now <= d.T {
		return d.S
	}
	return d.S * powerOfTwo(-float64(now-d.T)/float64(halfLife.Milliseconds()))
}

// Decay adds weight w at event time t to d, valued at the later of the two times.
func Decay(d data.Decayed, t int64, w float64, halfLife time.Duration) data.Decayed {
	return MergeDecayed(d, data.Decayed{S: w, T: t}, halfLife)
}

// MergeDecayed brings both sums to the later time and adds them. The zero Decayed
// is its identity. The sum is Bounded.
func MergeDecayed(a, b data.Decayed, halfLife time.Duration) data.Decayed {
	switch {
	case a == data.Decayed{}:
		return data.Decayed{S: Bounded(b.S), T: b.T}
	case b == data.Decayed{}:
		return data.Decayed{S: Bounded(a.S), T: a.T}
	case a.T < b.T:
		a, b = b, a
	}
	return data.Decayed{S: Bounded(Bounded(a.S) + Bounded(At(b, a.T, halfLife))), T: a.T}
}

// steps is into how many equal parts Coarse cuts a half-life.
const steps = 1024

// powers are 2^(−k/steps).
var powers = func() (t [steps]float64) {
	for k := range t {
		t[k] = math.Exp2(-float64(k) / steps)
	}
	return t
}()

// Coarse is At with the time that has passed rounded down to a 1,024th of the half-life:
// never less than At, and more by less than 0.07 %. It takes a fraction of the time,
// for readers that compare many sums of one person, and for whom whole minutes do.
func Coarse(d data.Decayed, now int64, halfLife time.Duration) float64 {
	if now <= d.T {
		return d.S
	}
	k := int64(float64(now-d.T) * (steps / float64(halfLife.Milliseconds())))
	if k >= 1000*steps {
		return 0
	}
	return d.S * powers[k%steps] * math.Float64frombits(uint64(1023-k/steps)<<52)
}
