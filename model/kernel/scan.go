package kernel

// ScanGroup is the number of items that Scan looks at together, and the number of
// bits in a word of its mask.
const ScanGroup = 64

// scanMeta is the number of float32 values that describe a group of items.
const scanMeta = 12

// scanBytes bounds the codes of one assembly call: at the rate of main memory the
// call ends well within a millisecond, so that the collector never waits for it.
const scanBytes = 1 << 20

// A ScanBound says which integer dot products Scan reports: those of an item in
// block b with
//
//	dot ≥ (Theta − (E_b·EFactor + N_b·NFactor)) · InvScale_b · InvQuery − 1,
//
// evaluated in float32 in this order, cut towards zero, and at most 2³⁰. Theta = −Inf
// reports everything, and so does a right-hand side that is not a number.
type ScanBound struct {
	Theta, EFactor, NFactor, InvQuery float32
}

// Scan finds the items whose quantised dot product with a query may matter. Items
// stand in groups of 64, a group has four blocks of 16:
//
//   - codes holds for every group d/4 steps of 256 bytes: four dimensions of each of the
//     64 items, item by item, as x + 128 with x in [−127, 127];
//   - meta holds for every group 12 values: InvScale, E and N of its four blocks;
//   - allowed holds a word for every group: bit i allows its i-th item. A group with
//     no bit is not read;
//   - query holds d/4 steps of 8 bytes: hi of four dimensions, then lo, of a query in
//     integers q = 128·hi + lo with hi and lo in [−64, 63] (so that the sums of two
//     products with an unsigned byte fit 16 bits).
//
// For each allowed item whose dot Σ x·q reaches its block's bound, it writes the
// item's number, counted from the first group, to items and the dot to dots, by
// rising number, and returns how many. Both must hold 64 entries for each group with
// a bit. The caller promises 127·Σ|q| < 2³⁰.
// d is len(query)/2, a multiple of 4. All levels give the same answer. Cost is
// one pass over the codes of the groups that have a bit.
func Scan(items, dots []int32, codes []uint8, meta []float32, allowed []uint64, query []int8, bound ScanBound) int {
	d := len(query) / 2
	if d%4 != 0 || len(codes) < len(allowed)*ScanGroup*d || len(meta) < len(allowed)*scanMeta {
		panic("kernel: Scan of groups that are not there")
	}
	if d == 0 {
		return 0
	}
	step := max(1, scanBytes/(ScanGroup*d))
	found := 0
	for at := 0; at < len(allowed); at += step {
		n := min(step, len(allowed)-at)
		k := scan(items[found:], dots[found:], codes[at*ScanGroup*d:], meta[at*scanMeta:], allowed[at:at+n], query, bound)
		if at > 0 {
			for i := range items[found : found+k] {
				items[found+i] += int32(at * ScanGroup)
			}
		}
		found += k
	}
	return found
}

// scanLimit is the highest integer bound: above every dot, below every overflow.
const scanLimit = 1 << 30

// threshold is the integer bound of one block.
func (b ScanBound) threshold(invScale, e, n float32) int32 {
	// The conversions keep the compiler from fusing: all levels round alike.
	slack := float32(e*b.EFactor) + float32(n*b.NFactor)
	t := float32(float32((b.Theta-slack)*invScale)*b.InvQuery) - 1
	switch {
	case t >= scanLimit:
		return scanLimit
	case t > -1<<31:
		return int32(t)
	}
	return -1 << 31 // minus infinity, or not a number
}

// scanGeneric is Scan in plain Go.
func scanGeneric(items, dots []int32, codes []uint8, meta []float32, allowed []uint64, query []int8, bound ScanBound) int {
	d := len(query) / 2
	found := 0
	for g, word := range allowed {
		if word == 0 {
			continue
		}
		sums := scanGroupDots(codes[g*ScanGroup*d:(g+1)*ScanGroup*d], query)
		m := meta[g*scanMeta : (g+1)*scanMeta]
		for b := range 4 {
			least := bound.threshold(m[b], m[4+b], m[8+b])
			for i, s := range sums[16*b : 16*b+16] {
				if s >= least && word>>(16*b+i)&1 == 1 {
					items[found], dots[found] = int32(g*ScanGroup+16*b+i), s
					found++
				}
			}
		}
	}
	return found
}

// scanGroupDots is the dots of the items of a group with the query.
func scanGroupDots(codes []uint8, query []int8) (sums [ScanGroup]int32) {
	const step = 4 * ScanGroup
	for ; len(codes) >= step && len(query) >= 8; codes, query = codes[step:], query[8:] {
		q0 := int32(query[0])<<7 + int32(query[4])
		q1 := int32(query[1])<<7 + int32(query[5])
		q2 := int32(query[2])<<7 + int32(query[6])
		q3 := int32(query[3])<<7 + int32(query[7])
		shift := 128 * (q0 + q1 + q2 + q3)
		for i := range sums {
			x := codes[4*i : 4*i+4]
			sums[i] += int32(x[0])*q0 + int32(x[1])*q1 + int32(x[2])*q2 + int32(x[3])*q3 - shift
		}
	}
	return sums
}
