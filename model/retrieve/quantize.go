package retrieve

import (
	"cmp"
	"math"
	"slices"
)

// metaOfGroup is the number of float32 values about a group, see kernel.Scan.
const metaOfGroup = 16

const (
	// lightest and heaviest bound the norms that are quantised, so that no float32 of the
	// bound over- or underflows. Shorter vectors are zero to the scan, with their norm as
	// error; longer ones, and those that are not finite, are always rescored.
	lightest, heaviest = 1e-18, 1e15
	// up makes a float32 bound from a float64 one: more than any rounding.
	up = 1 + 1e-6
)

// quantizer turns some rows, at most as many as it has room for, into groups.
type quantizer struct {
	f, d  int
	basis *basis
	y     []float32 // coordinates, d for each row
	norms []float64
	tails []float64 // norms of the coordinates behind the first part
	order []int     // of the rows in the groups
}

func newQuantizer(f, d int, b *basis) *quantizer { return &quantizer{f: f, d: d, basis: b} }

// rows takes the given rows of vectors in.
func (z *quantizer) rows(vectors []float32, rows []int32) {
	n := len(rows)
	if len(z.norms) < n {
		z.y, z.norms, z.tails = make([]float32, n*z.d), make([]float64, n), make([]float64, n)
	}
	z.order = z.order[:0]
	for i, row := range rows {
		v, y := vectors[int(row)*z.f:(int(row)+1)*z.f], z.y[i*z.d:(i+1)*z.d]
		size := norm(v)
		z.norms[i], z.tails[i] = size, 0
		z.order = append(z.order, i)
		if !(size >= lightest && size <= heaviest) {
			clear(y)
			continue
		}
		z.basis.apply(y, v)
		if head := z.basis.split(); head > 0 {
			z.tails[i] = norm(y[head:])
		}
	}
}

// sort orders the rows by the norm of what the first part leaves: neighbours then share a
// tight bound on it.
func (z *quantizer) sort() {
	slices.SortStableFunc(z.order, func(a, b int) int { return cmp.Compare(z.tails[b], z.tails[a]) })
}

// group writes the g-th group of the rows taken in to the beginning of c; the last
// group may be short.
func (z *quantizer) group(g int, c codes) {
	order := z.order[g*group : min((g+1)*group, len(z.order))]
	split := z.d
	if head := z.basis.split(); head > 0 {
		split = head
	}
	c.heads, c.tails = c.heads[:group*split], c.tails[:group*(z.d-split)]
	for _, part := range [][]uint8{c.heads, c.tails} {
		for i := range part {
			part[i] = 128
		}
	}
	for block := range 4 {
		from := min(block*16, len(order))
		z.block(order[from:min(from+16, len(order))], block, split, c)
	}
}

// block quantises at most 16 rows, which share a scale.
func (z *quantizer) block(rows []int, block, split int, c codes) {
	head, gain := z.basis.split(), z.basis.factor()
	highest := float32(0)
	for _, i := range rows {
		y := z.y[i*z.d : (i+1)*z.d]
		for j := range y[:head] {
			y[j] /= gain
		}
		for _, v := range y {
			highest = max(highest, v, -v)
		}
	}
	scale := highest / 127
	if highest == 0 {
		scale = 1
	}
	greatestError, greatestNorm, greatestTail := 0.0, 0.0, 0.0
	for lane, i := range rows {
		y := z.y[i*z.d : (i+1)*z.d]
		left := quantize(c.heads, block*16+lane, y[:split], float64(scale)) * float64(gain) * float64(gain)
		if split < z.d {
			left += quantize(c.tails, block*16+lane, y[split:], float64(scale))
		}
		size := z.norms[i]
		off := math.Sqrt(left) + z.basis.error()*size
		tail := z.tails[i] + z.basis.error()*size
		switch {
		case size > heaviest:
			off, tail = math.Inf(1), 0
		case size < lightest:
			off, tail = size, z.tails[i]+size
		}
		greatestError, greatestNorm, greatestTail = max(greatestError, off), max(greatestNorm, size), max(greatestTail, tail)
	}
	c.meta[block], c.meta[4+block] = 1/scale, float32(greatestError*up)
	c.meta[8+block], c.meta[12+block] = float32(greatestNorm*up), float32(greatestTail*up)
}

// quantize writes the codes of y as item of a group and returns the square of what they miss.
func quantize(codes []uint8, item int, y []float32, scale float64) (left float64) {
	codes = codes[4*item:]
	inverse := 1 / scale
	for j, v := range y {
		code := max(-127, min(127, math.RoundToEven(float64(v)*inverse)))
		codes[j>>2<<8+j&3] = uint8(int(code) + 128)
		off := float64(v) - scale*code
		left += off * off
	}
	return left
}

// norm is the Euclidean norm, +Inf for a vector that is not finite.
func norm(v []float32) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum != sum {
		return math.Inf(1)
	}
	return math.Sqrt(sum)
}
