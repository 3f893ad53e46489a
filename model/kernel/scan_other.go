//go:build !amd64

package kernel

func scan(items, dots []int32, heads, tails []uint8, meta []float32, allowed []uint64, query []int8, split int, bound ScanBound) int {
	return scanGeneric(items, dots, heads, tails, meta, allowed, query, split, bound)
}

func scanHead(allowed []uint64, heads []uint8, meta []float32, query []int8, bound ScanBound) {
	scanHeadGeneric(allowed, heads, meta, query, bound)
}
