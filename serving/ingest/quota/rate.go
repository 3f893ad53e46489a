package quota

import (
	"math"
	"time"
)

// Instant is a time, as nanoseconds since the guard was made. See Guard.Now.
type Instant int64

// meter is a Rate in nanoseconds: what a token takes to come back, and what a
// whole bucket takes. The zero value is no limit.
type meter struct{ token, bucket float64 }

func newMeter(r Rate) meter {
	if !r.on() {
		return meter{}
	}
	token := float64(time.Second) / r.PerSecond
	return meter{token, token * float64(r.Burst)}
}

func (m meter) on() bool { return m.token > 0 }

// take asks for n tokens of a bucket that is full again at full. It returns when
// the bucket is full again after that and 0; or full unchanged and how long to wait.
// More tokens than a bucket holds are given by a full one, and owed: else a body
// larger than the burst would never pass.
func (m meter) take(full, at Instant, n int) (Instant, time.Duration) {
	full = max(full, at)
	need := min(float64(n)*m.token, m.bucket)
	if over := float64(full-at) + need - m.bucket; over > roundingNS {
		return full, time.Duration(math.Ceil(over))
	}
	return full.after(float64(n) * m.token), 0
}

// pour takes a token whether it is there or not, and reports whether it was. The
// debt is at most one bucket, so whoever falls silent has credit again after the time
// that two buckets take to fill.
func (m meter) pour(full, at Instant) (Instant, bool) {
	full = max(full, at).after(m.token)
	over := float64(full-at) - m.bucket
	if over > m.bucket {
		full = at.after(2 * m.bucket)
	}
	return full, over <= roundingNS
}

// roundingNS forgives the nanoseconds by which instants are rounded.
const roundingNS = 1

// after is i moved by ns nanoseconds, rounded down: to the lenient side.
func (i Instant) after(ns float64) Instant {
	if ns >= maxOwedNS {
		ns = maxOwedNS
	}
	return i + Instant(ns)
}

// maxOwedNS bounds what one body can owe, so that instants do not overflow: ten years.
const maxOwedNS = 10 * maxEmptySeconds * 1e9
