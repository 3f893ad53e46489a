//go:build race

package recommend_test

// mostAllocations is the ceiling of an answer where the race detector makes pools drop
// some of what they are given.
const mostAllocations = 250

// mostHitAllocations is the ceiling of a hit.
const mostHitAllocations = 60
