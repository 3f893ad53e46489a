//go:build !race

package retrieve_test

const raced = false
