package quota

import "sync/atomic"

// flight is the bodies that are being taken in: their number in the upper bits of
// one word, their bytes in the lower, so that both are judged at once.
type flight struct {
	maxBytes, maxBodies uint64
	now                 atomic.Uint64
}

const (
	flightShift     = 40
	maxFlightBytes  = 1<<flightShift - 1
	maxFlightBodies = 1<<(64-flightShift) - 1
)

// bound sets the bounds; 0 is none, that is as much as the word can hold.
func (f *flight) bound(maxBytes int64, maxBodies int) {
	f.maxBytes, f.maxBodies = uint64(maxBytes), uint64(maxBodies)
	if maxBytes == 0 {
		f.maxBytes = maxFlightBytes
	}
	if maxBodies == 0 {
		f.maxBodies = maxFlightBodies
	}
}

// admit takes one body of n bytes up, and returns what it counts for. A body larger than the bound counts for the
// bound: it waits for an idle server instead of for ever.
func (f *flight) admit(n int64) (taken uint64, r Reason) {
	taken = min(uint64(max(n, 0)), f.maxBytes)
	for {
		now := f.now.Load()
		switch {
		case now>>flightShift >= f.maxBodies:
			return 0, TooManyBodies
		case now&maxFlightBytes+taken > f.maxBytes:
			return 0, TooManyBytes
		}
		if f.now.CompareAndSwap(now, now+taken+1<<flightShift) {
			return taken, None
		}
	}
}

// resize changes a body from old bytes to n, if there is room.
func (f *flight) resize(old uint64, n int64) (taken uint64, ok bool) {
	taken = min(uint64(max(n, 0)), f.maxBytes)
	for {
		now := f.now.Load()
		if bytes := now & maxFlightBytes; taken > old && bytes-old+taken > f.maxBytes {
			return old, false
		}
		if f.now.CompareAndSwap(now, now-old+taken) {
			return taken, true
		}
	}
}

// Ticket is the place of one body in flight. Release it exactly once; the zero
// value releases nothing.
type Ticket struct {
	guard *Guard
	bytes uint64
}

// Resize makes the ticket one for n bytes, when the body turned out to be of another
// size than was thought. It reports whether there is room; smaller always is.
func (t *Ticket) Resize(n int64) (ok bool) {
	if t.guard == nil {
		return true
	}
	t.bytes, ok = t.guard.flight.resize(t.bytes, n)
	return ok
}

// Release gives the place to others.
func (t *Ticket) Release() {
	if t.guard != nil {
		t.guard.flight.now.Add(-(t.bytes + 1<<flightShift))
		*t = Ticket{}
	}
}
