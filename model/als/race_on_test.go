//go:build race

package als_test

// raced: the race detector makes sync.Pool lose things on purpose.
const raced = true
