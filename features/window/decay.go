package window

import (
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
