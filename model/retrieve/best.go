package retrieve

import (
	"math"
	"slices"

	"kindred/model/rank"
)

// best holds the k best rows so far. A row and its score are one integer that is
// the greater the better the row ranks, which makes the heap cheap.
type best struct {
	k     int
	heap  []uint64 // the worst at the root once there are k
	floor float32  // a lower score is left out
}

// key orders as rank.Compare does: higher score first, then lower row. The score is
// a number.
func key(row int32, score float32) uint64 {
	bits := math.Float32bits(score + 0) // −0 + 0 is +0, so that both are one score
	if bits>>31 == 1 {
		bits = ^bits
	} else {
		bits |= 1 << 31
	}
	return uint64(bits)<<32 | uint64(^uint32(row))
}

// ranked is key's inverse.
func ranked(key uint64) rank.Ranked {
	bits := uint32(key >> 32)
	if bits>>31 == 1 {
		bits &^= 1 << 31
	} else {
		bits = ^bits
	}
	return rank.Ranked{Row: int32(^uint32(key)), Score: math.Float32frombits(bits)}
}

// full reports whether a row must beat another one to get in.
func (b *best) full() bool { return len(b.heap) == b.k }

// demanding reports whether a row must have some score to get in.
func (b *best) demanding() bool { return b.full() || !math.IsInf(float64(b.floor), -1) }

// least is θ: a row with a lower score cannot be among the best any more. Until
// there are k it is the floor.
func (b *best) least() float32 {
	if !b.full() {
		return b.floor
	}
	return ranked(b.heap[0]).Score
}

// add considers a row. Not a number is never ranked.
func (b *best) add(row int32, score float32) {
	if score != score || score < b.floor {
		return
	}
	key := key(row, score)
	if len(b.heap) < b.k {
		b.heap = append(b.heap, key)
		if len(b.heap) == b.k {
			for i := b.k/2 - 1; i >= 0; i-- {
				b.sift(i)
			}
		}
		return
	}
	if key > b.heap[0] {
		b.heap[0] = key
		b.sift(0)
	}
}

// sift moves the key at i down to its place.
func (b *best) sift(i int) {
	h := b.heap
	key := h[i]
	for {
		c := 2*i + 1
		if c >= len(h) {
			break
		}
		if c+1 < len(h) && h[c+1] < h[c] {
			c++
		}
		if key <= h[c] {
			break
		}
		h[i] = h[c]
		i = c
	}
	h[i] = key
}

// list takes the answer out, best first.
func (b *best) list() []rank.Ranked {
	slices.Sort(b.heap)
	list := make([]rank.Ranked, len(b.heap))
	for i, key := range b.heap {
		list[len(list)-1-i] = ranked(key)
	}
	return list
}
