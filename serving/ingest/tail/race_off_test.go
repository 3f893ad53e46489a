//go:build !race

package tail

// mostAllocations is the ceiling of an event.
const mostAllocations = 0
