//go:build race

package tail

// raceEnabled: the race detector makes pools forget, so that allocations say nothing.
const raceEnabled = true
