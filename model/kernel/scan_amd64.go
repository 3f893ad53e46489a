package kernel

func scan(items, dots []int32, heads, tails []uint8, meta []float32, allowed []uint64, query []int8, split int, bound ScanBound) int {
	if level == Generic || len(items) == 0 || len(dots) == 0 {
		return scanGeneric(items, dots, heads, tails, meta, allowed, query, split, bound)
	}
	groups, steps, tailSteps := len(allowed), split/4, (len(query)/2-split)/4
	tail := &heads[0] // any address, when there are none
	if tailSteps > 0 {
		tail = &tails[0]
	}
	if level == AVX2 {
		return scanAVX2(&items[0], &dots[0], &heads[0], tail, &meta[0], &allowed[0], groups, &query[0], steps, tailSteps, scanBias(query), &bound.Theta)
	}
	return scanAVX512(&items[0], &dots[0], &heads[0], tail, &meta[0], &allowed[0], groups, &query[0], steps, tailSteps, scanBias(query), &bound.Theta)
}

func scanHead(allowed []uint64, heads []uint8, meta []float32, query []int8, bound ScanBound) {
	groups, steps := len(allowed), len(query)/8
	switch level {
	case AVX512:
		scanHeadAVX512(&heads[0], &meta[0], &allowed[0], groups, &query[0], steps, scanBias(query), &bound.Theta)
	case AVX2:
		scanHeadAVX2(&heads[0], &meta[0], &allowed[0], groups, &query[0], steps, scanBias(query), &bound.Theta)
	default:
		scanHeadGeneric(allowed, heads, meta, query, bound)
	}
}

// scanBias is what undoes the 128 in every code. It may wrap around, and so may the sum it
// is part of, but not the result.
func scanBias(query []int8) int32 {
	high, low := int32(0), int32(0)
	for ; len(query) >= 8; query = query[8:] {
		q := (*[8]int8)(query)
		high += int32(q[0]) + int32(q[1]) + int32(q[2]) + int32(q[3])
		low += int32(q[4]) + int32(q[5]) + int32(q[6]) + int32(q[7])
	}
	return -128 * (high<<7 + low)
}
