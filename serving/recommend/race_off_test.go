//go:build !race

package recommend_test

// mostAllocations is the ceiling of an answer: the usual 43 and a few.
const mostAllocations = 50

// mostHitAllocations is the ceiling of a hit.
const mostHitAllocations = 3
