package popular

import (
	"math"
	"time"
)

// Decayed is an exponentially decayed sum: S valued at time T, in Unix
// milliseconds. At a later t it is worth S·2^(−(t−T)/h). The zero value is
// nothing yet.
type Decayed struct {
	S float64
	T int64
}

// Counts are the two sums kept for one key.
type Counts struct {
	Short, Long Decayed
}

// Add returns d with weight w at time at added. An event older than T is
// discounted to T, so any order of the same events gives the same sum up to rounding.
func (d Decayed) Add(w float64, at int64, halfLife time.Duration) Decayed {
	return d.Merge(Decayed{S: w, T: at}, halfLife)
}

// Merge returns the sum of both, valued at the later of their times.
func (d Decayed) Merge(o Decayed, halfLife time.Duration) Decayed {
	switch {
	case o == Decayed{}:
		return d
	case d == Decayed{}:
		return o
	case d.T < o.T:
		return Decayed{S: d.At(o.T, halfLife) + o.S, T: o.T}
	default:
		return Decayed{S: d.S + o.At(d.T, halfLife), T: d.T}
	}
}

// At is the sum's value at time t. A half-life of zero never decays; a t before T
// gives S itself, because time does not run backwards.
func (d Decayed) At(t int64, halfLife time.Duration) float64 {
	if halfLife <= 0 || t <= d.T || d.S == 0 {
		return d.S
	}
	age := (float64(t) - float64(d.T)) * float64(time.Millisecond) / float64(halfLife)
	return d.S * math.Exp2(-age)
}
