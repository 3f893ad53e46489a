package main

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestEveryThreadOfATrainingProcessStepsBack(t *testing.T) {
	s := start(t, shop(t), endless...)
	s.track("/v1/track", map[string]any{"userId": "b-0", "event": "Product Viewed", "properties": map[string]any{"product_id": "b19"}})
	_, hand := s.trainInProcess(1)
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", hand.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		var id int
		if _, err := fmt.Sscan(thread.Name(), &id); err != nil {
			t.Fatal(err)
		}
		if now, err := unix.Getpriority(unix.PRIO_PROCESS, id); err == nil && 20-now < niceness {
			t.Errorf("thread %d of %d has niceness %d, want %d", id, len(threads), 20-now, niceness)
		}
	}
	if len(threads) < 2 {
		t.Errorf("%d threads; the test shows nothing", len(threads))
	}
	s.stop()
}
