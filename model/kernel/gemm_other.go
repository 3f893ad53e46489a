//go:build !amd64

package kernel

// gemmTile subtracts the product of one packed panel of A and one of B, k deep, from the
// gemmRows × gemmCols numbers at c.
func gemmTile(c, a, b []float32, k int) { gemmTileGeneric(c, a, b, k) }
