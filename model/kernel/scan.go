package kernel

import "math/bits"

// ScanGroup is the number of items that Scan looks at together, and the number of
// bits in a word of its mask.
const ScanGroup = 64

// scanMeta is the number of float32 values that describe a group of items.
const scanMeta = 16

// scanBytes bounds the codes of one assembly call: at the rate of main memory the
// call ends well within a millisecond, so that the collector never waits for it.
const scanBytes = 1 << 20

// A ScanBound says which integer dot products matter: those of an item in block b with
//
//	dot ≥ (Theta − (E_b·EFactor + N_b·NFactor + T_b·TailFactor)) · InvScale_b · InvQuery − 1,
//
// evaluated in float32 in this order, cut towards zero, and at most 2³⁰. Theta = −Inf
// lets everything matter, and so does a right-hand side that is not a number.
type ScanBound struct {
	Theta, EFactor, NFactor, TailFactor, InvQuery float32
}

// Scan finds the items whose quantised dot product with a query may matter. Items
// stand in groups of 64, a group has four blocks of 16:
//
//   - heads and tails hold for every group split/4 and (d − split)/4 steps of 256 bytes: four
//     dimensions of each of the 64 items, item by item, as x + 128 with x in [−127, 127]. The
//     first split dimensions stand apart for ScanHead; split = d leaves the tails empty;
//   - meta holds for every group 16 values: InvScale, E, N and T of its four blocks;
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
// d is len(query)/2, a multiple of 4, and so is split. All levels give the same answer. Cost is
// one pass over the codes of the groups that have a bit.
func Scan(items, dots []int32, heads, tails []uint8, meta []float32, allowed []uint64, query []int8, split int, bound ScanBound) int {
	d := len(query) / 2
	if d%4 != 0 || split%4 != 0 || split > d || len(meta) < len(allowed)*scanMeta ||
		len(heads) < len(allowed)*ScanGroup*split || len(tails) < len(allowed)*ScanGroup*(d-split) {
		panic("kernel: Scan of groups that are not there")
	}
	if split == 0 {
		return 0
	}
	step := max(1, scanBytes/(ScanGroup*d))
	found := 0
	for at := 0; at < len(allowed); at += step {
		n := min(step, len(allowed)-at)
		k := scan(items[found:], dots[found:], heads[at*ScanGroup*split:], tails[at*ScanGroup*(d-split):],
			meta[at*scanMeta:], allowed[at:at+n], query, split, bound)
		if at > 0 {
			for i := range items[found : found+k] {
				items[found+i] += int32(at * ScanGroup)
			}
		}
		found += k
	}
	return found
}

// ScanHead takes the bits of items out of allowed whose dot over the first dimensions
// does not reach their block's bound. Arguments are as for Scan, query has the first
// dimensions only.
func ScanHead(allowed []uint64, heads []uint8, meta []float32, query []int8, bound ScanBound) {
	split := len(query) / 2
	if split%4 != 0 || len(heads) < len(allowed)*ScanGroup*split || len(meta) < len(allowed)*scanMeta {
		panic("kernel: ScanHead of groups that are not there")
	}
	if split == 0 {
		return
	}
	step := max(1, scanBytes/(ScanGroup*split))
	for at := 0; at < len(allowed); at += step {
		n := min(step, len(allowed)-at)
		scanHead(allowed[at:at+n], heads[at*ScanGroup*split:], meta[at*scanMeta:], query, bound)
	}
}

// scanLimit is the highest integer bound: above every dot, below every overflow.
const scanLimit = 1 << 30

// threshold is the integer bound of one block.
func (b ScanBound) threshold(invScale, e, n, t float32) int32 {
	// The conversions keep the compiler from fusing: all levels round alike.
	slack := float32(e*b.EFactor) + float32(n*b.NFactor)
	slack += float32(t * b.TailFactor)
	least := float32(float32((b.Theta-slack)*invScale)*b.InvQuery) - 1
	switch {
	case least >= scanLimit:
		return scanLimit
	case least > -1<<31:
		return int32(least)
	}
	return -1 << 31 // minus infinity, or not a number
}

// scanGeneric is Scan in plain Go.
func scanGeneric(items, dots []int32, heads, tails []uint8, meta []float32, allowed []uint64, query []int8, split int, bound ScanBound) int {
	rest := len(query)/2 - split
	found := 0
	for g, word := range allowed {
		if word == 0 {
			continue
		}
		var sums [ScanGroup]int32
		addGroupDots(&sums, heads[g*ScanGroup*split:(g+1)*ScanGroup*split], query[:2*split])
		addGroupDots(&sums, tails[g*ScanGroup*rest:(g+1)*ScanGroup*rest], query[2*split:])
		for word &= bound.reached(&sums, meta[g*scanMeta:]); word != 0; word &= word - 1 {
			i := bits.TrailingZeros64(word)
			items[found], dots[found] = int32(g*ScanGroup+i), sums[i]
			found++
		}
	}
	return found
}

// scanHeadGeneric is ScanHead in plain Go.
func scanHeadGeneric(allowed []uint64, heads []uint8, meta []float32, query []int8, bound ScanBound) {
	split := len(query) / 2
	for g, word := range allowed {
		if word != 0 {
			var sums [ScanGroup]int32
			addGroupDots(&sums, heads[g*ScanGroup*split:(g+1)*ScanGroup*split], query)
			allowed[g] = word & bound.reached(&sums, meta[g*scanMeta:])
		}
	}
}

// reached has a bit for every item of a group whose sum reaches its bound.
func (b ScanBound) reached(sums *[ScanGroup]int32, meta []float32) (word uint64) {
	for block := range 4 {
		least := b.threshold(meta[block], meta[4+block], meta[8+block], meta[12+block])
		for i, s := range sums[16*block : 16*block+16] {
			if s >= least {
				word |= 1 << (16*block + i)
			}
		}
	}
	return word
}

// addGroupDots adds the dots of the items of a group with the query.
func addGroupDots(sums *[ScanGroup]int32, codes []uint8, query []int8) {
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
}
