//go:build !amd64

package kernel

func scan(items, dots []int32, codes []uint8, meta []float32, allowed []uint64, query []int8, bound ScanBound) int {
	return scanGeneric(items, dots, codes, meta, allowed, query, bound)
}
