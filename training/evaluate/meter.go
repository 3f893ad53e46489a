package evaluate

import (
	"runtime/metrics"
	"sync"
	"time"
)

// sampleEvery is how often a Meter looks at the memory in use.
const sampleEvery = 20 * time.Millisecond

// Meter measures the wall time and the peak memory of a piece of work in this
// process: the heap that holds objects, sampled, so that a spike shorter than
// sampleEvery may be missed. Other work that runs beside it is counted too.
type Meter struct {
	clock func() time.Time
	since time.Time
	stop  chan struct{}
	done  sync.WaitGroup
	peak  uint64
}

// Start begins measuring. Stop must be called.
func Start(clock func() time.Time) *Meter {
	m := &Meter{clock: clock, since: clock(), stop: make(chan struct{})}
	m.done.Go(func() {
		tick := time.NewTicker(sampleEvery)
		defer tick.Stop()
		for {
			m.peak = max(m.peak, heapBytes())
			select {
			case <-m.stop:
				m.peak = max(m.peak, heapBytes())
				return
			case <-tick.C:
			}
		}
	})
	return m
}

// Stop ends the measurement and returns the wall time and the peak memory.
func (m *Meter) Stop() (seconds float64, peakBytes uint64) {
	close(m.stop)
	m.done.Wait()
	return m.clock().Sub(m.since).Seconds(), m.peak
}

// heapBytes is the memory held by objects on the heap, dead ones not yet swept included.
func heapBytes() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return s[0].Value.Uint64()
}
