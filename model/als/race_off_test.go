//go:build !race

package als

// Raced says whether the race detector watches.
const Raced = false
