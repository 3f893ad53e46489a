package retrieve

import (
	"math/bits"
	"math/rand/v2"
)

// rotation is a seeded orthogonal map of d dimensions in O(d log d): twice signs and
// butterflies (a, b) → (a + b, a − b)/√2 over all strides, with a permutation between,
// so that a value in any one dimension ends up spread over all. The nil rotation
// changes nothing.
type rotation struct {
	signs [2][]float32
	shift []int32 // the permutation: dimension j comes from shift[j]
}

// rounds is how often the butterflies go over all strides.
const rounds = 2

// halfRoot is 1/√2.
const halfRoot = 0.70710678118654752440

// newRotation draws the rotation of d dimensions that belongs to the seed.
func newRotation(d int, seed uint64) *rotation {
	rng := rand.New(rand.NewPCG(seed, 0x726f74617465))
	r := &rotation{shift: make([]int32, d)}
	for round := range r.signs {
		r.signs[round] = make([]float32, d)
		for j := range r.signs[round] {
			r.signs[round][j] = float32(1 - 2*rng.IntN(2))
		}
	}
	for j, from := range rng.Perm(d) {
		r.shift[j] = int32(from)
	}
	return r
}

// error bounds ‖fl(Rx) − Rx‖ / ‖x‖, R being the exact map. A butterfly rounds each of its
// results three times, 1/√2 included, so a layer errs by little more than 3·2⁻²⁴‖x‖.
func (r *rotation) error() float64 {
	if r == nil {
		return 0
	}
	layers := rounds * bits.Len(uint(max(1, len(r.shift))-1))
	return 5 * float64(layers) / (1 << 24)
}

// apply rotates y in place.
func (r *rotation) apply(y []float32) {
	if r == nil || len(y) == 0 {
		return
	}
	var room [256]float32
	for round, signs := range r.signs {
		if round > 0 {
			moved := room[:0]
			for _, from := range r.shift {
				moved = append(moved, y[from])
			}
			copy(y, moved)
		}
		for j, s := range signs {
			y[j] *= s
		}
		for h := 1; h < len(y); h *= 2 {
			butterflies(y, h)
		}
	}
}

// butterflies mixes the pairs of dimensions that are h apart.
func butterflies(y []float32, h int) {
	for at := 0; at+h < len(y); at += 2 * h {
		a := y[at : at+h]
		b := y[at+h : min(at+2*h, len(y))]
		a = a[:len(b)]
		for j, v := range a {
			w := b[j]
			a[j], b[j] = (v+w)*halfRoot, (v-w)*halfRoot
		}
	}
}
