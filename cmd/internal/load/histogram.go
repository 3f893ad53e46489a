package load

import (
	"math"
	"math/bits"
	"time"
)

// subBits is the resolution: 2^subBits buckets for each power of two, so a bucket
// is at most 1/2^subBits of its value wide. Values below 2^(subBits+1) are exact.
const subBits = 7

// buckets is enough for every int64 from 0.
const buckets = (64 - subBits) << subBits

// Histogram counts durations in logarithmic buckets. The zero value is empty. It
// is not safe for concurrent use.
type Histogram struct {
	counts   []int64 // allocated with the first value
	n        int64
	sum      float64 // nanoseconds
	min, max time.Duration
}

// bucketOf is the index of a value's bucket.
func bucketOf(v uint64) int {
	shift := max(0, bits.Len64(v)-subBits-1)
	return shift<<subBits + int(v>>shift)
}

// highest is the largest value of a bucket.
func highest(bucket int) uint64 {
	if bucket < 2<<subBits {
		return uint64(bucket)
	}
	shift := bucket>>subBits - 1
	mantissa := uint64(bucket&(1<<subBits-1) | 1<<subBits)
	return (mantissa+1)<<shift - 1
}

// Add counts d; less than zero counts as zero.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	if h.counts == nil {
		h.counts = make([]int64, buckets)
		h.min = d
	}
	h.counts[bucketOf(uint64(d))]++
	h.n++
	h.sum += float64(d)
	h.min, h.max = min(h.min, d), max(h.max, d)
}

// Merge adds what o counted.
func (h *Histogram) Merge(o *Histogram) {
	if o.n == 0 {
		return
	}
	if h.counts == nil {
		h.counts = make([]int64, buckets)
		h.min = o.min
	}
	for i, c := range o.counts {
		h.counts[i] += c
	}
	h.n += o.n
	h.sum += o.sum
	h.min, h.max = min(h.min, o.min), max(h.max, o.max)
}

// Count is the number of values.
func (h *Histogram) Count() int64 { return h.n }

// Max is the largest value, exactly.
func (h *Histogram) Max() time.Duration { return h.max }

// Mean is the exact mean, 0 when empty.
func (h *Histogram) Mean() time.Duration {
	if h.n == 0 {
		return 0
	}
	return time.Duration(h.sum / float64(h.n))
}

// Quantile is the smallest value that at least a share q of the values do not
// exceed (the nearest rank), rounded up to its bucket's highest value: never less than
// the exact one and at most 1/128 more. It is 0 when empty; q is clamped to [0, 1].
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	rank := min(max(int64(math.Ceil(q*float64(h.n))), 1), h.n)
	if rank == 1 {
		return h.min
	}
	for i, c := range h.counts {
		if rank -= c; rank <= 0 {
			return min(time.Duration(highest(i)), h.max)
		}
	}
	return h.max
}
