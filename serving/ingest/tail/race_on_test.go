//go:build race

package tail

// mostAllocations is the ceiling of an event where the race detector makes pools drop
// a quarter of what they are given.
const mostAllocations = 60
