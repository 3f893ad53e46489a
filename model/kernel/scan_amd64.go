package kernel

func scan(items, dots []int32, codes []uint8, meta []float32, allowed []uint64, query []int8, bound ScanBound) int {
	if level == Generic || len(items) == 0 || len(dots) == 0 {
		return scanGeneric(items, dots, codes, meta, allowed, query, bound)
	}
	var bias int32 // what the 128 in every code adds to a dot; all may wrap around but the sum
	for q := query; len(q) >= 8; q = q[8:] {
		for c := range 4 {
			bias -= 128 * (int32(q[c])<<7 + int32(q[4+c]))
		}
	}
	groups, steps := len(allowed), len(query)/8
	if level == AVX2 {
		return scanAVX2(&items[0], &dots[0], &codes[0], &meta[0], &allowed[0], groups, &query[0], steps, bias, &bound.Theta)
	}
	return scanAVX512(&items[0], &dots[0], &codes[0], &meta[0], &allowed[0], groups, &query[0], steps, bias, &bound.Theta)
}
