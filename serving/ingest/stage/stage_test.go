package stage_test

import (
	"testing"

	"kindred/serving/ingest/stage"
)

func TestRoomIsNobodyElsesUntilReset(t *testing.T) {
	var c stage.Caller
	var taken [][]byte
	for i := range 200 {
		b := c.Room(100)
		for j := range b {
			b[j] = byte(i)
		}
		taken = append(taken, b)
	}
	for i, b := range taken {
		for _, x := range b {
			if x != byte(i) {
				t.Fatalf("room %d holds %d", i, x)
			}
		}
		if cap(b) != 100 {
			t.Fatalf("room %d has the capacity %d, want 100", i, cap(b))
		}
	}
	c.Reset()
	if n := testing.AllocsPerRun(100, func() { c.Room(100); c.Reset() }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
