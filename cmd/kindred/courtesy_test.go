package main

import (
	"testing"
	"time"
)

func TestWorkThatCanWaitRestsWhileEveryProcessorMakesLists(t *testing.T) {
	for _, c := range []struct {
		name  string
		lists []int // before each look; the last one for good
		want  int   // steps
	}{
		{"idle", []int{0}, 1},
		{"a processor is free", []int{1}, 1},
		{"one becomes free", []int{2, 5, 2, 1}, 4},
		{"never", []int{2}, restSteps},
	} {
		t.Run(c.name, func(t *testing.T) {
			steps := 0
			courtesy{
				lists: func() int { return c.lists[min(steps, len(c.lists))-1] }, procs: 2,
				sleep: func(d time.Duration) {
					if d != restStep {
						t.Errorf("a step of %v", d)
					}
					steps++
				},
			}.rest()
			if steps != c.want {
				t.Errorf("%d steps; want %d", steps, c.want)
			}
		})
	}
}
