package main

import "time"

const (
	// restStep is how long work that can wait gives its processor up, at least.
	restStep = 100 * time.Microsecond
	// restSteps bounds how often in a row it does, to about what a piece of the work takes:
	// on a server that is never idle the work goes on at half of its speed, or the log
	// would outgrow the lake.
	restSteps = 10
)

// courtesy lets requests go before work that can wait. Go's scheduler knows no
// priorities: a block that is encoded without a break holds a processor for ten
// milliseconds at a time, and on two processors every request behind it waits.
type courtesy struct {
	lists func() int // that are being made
	procs int        // processors
	sleep func(time.Duration)
}

// rest returns after one step where a processor makes no list, and otherwise when one
// is free again, after restSteps at most.
func (c courtesy) rest() {
	for range restSteps {
		c.sleep(restStep)
		if c.lists() < c.procs {
			return
		}
	}
}
