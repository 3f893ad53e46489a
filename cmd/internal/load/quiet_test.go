package load

import (
	"testing"
	"time"
)

func TestAServerIsQuietWhenItsProcessorTimeIsFlat(t *testing.T) {
	var q quietness
	for _, c := range []struct {
		cpu  float64
		at   time.Duration
		want bool
	}{{5, 0, false}, {5.4, time.Second, false}, {5.44, 1500 * time.Millisecond, false}, {5.46, 2 * time.Second, true}, {7, 3 * time.Second, false}, {7, 3 * time.Second, false}} {
		if got := q.look(c.cpu, c.at); got != c.want {
			t.Errorf("%v CPU seconds after %v: quiet %v, want %v", c.cpu, c.at, got, c.want)
		}
	}
}
