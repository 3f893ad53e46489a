package load

import (
	"runtime"
	"testing"
)

// A thread that the scheduler is not told of must not keep a collection from
// stopping the world: this would hang.
func TestAHeldProcessorLetsCollectionsThrough(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	release := HoldProcessor()
	for range 20 {
		runtime.GC()
	}
	release()
	if after := runtime.GOMAXPROCS(0); after != before {
		t.Errorf("%d processors before, %d after", before, after)
	}
}
