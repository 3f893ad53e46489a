//go:build !race

package recommend_test

// mostAllocations is the ceiling of an answer: the usual 77 and a few.
const mostAllocations = 84
