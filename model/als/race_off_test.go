//go:build !race

package als_test

const raced = false
