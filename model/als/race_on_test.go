//go:build race

package als

// Raced: the race detector makes sync.Pool lose things on purpose, and loops over
// floats twenty times as slow.
const Raced = true
