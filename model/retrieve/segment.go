package retrieve

import (
	"math"
	"runtime"
	"slices"
	"sync"
)

const (
	// metaOfGroup is the number of float32 values about a group, see kernel.Scan.
	metaOfGroup = 12
	// lightest and heaviest bound the norms that are quantised, so that no float32 of the
	// bound over- or underflows. Shorter vectors are zero to the scan, with their norm as
	// error; longer ones, and those that are not finite, are always rescored.
	lightest, heaviest = 1e-18, 1e15
	// up makes a float32 bound from a float64 one: more than any rounding.
	up = 1 + 1e-6
)

// segment is rows in the form of a scan: whole groups, the last one padded.
type segment struct {
	rows    int       // how many are real
	vectors []float32 // of the rows by row number within the segment
	order   []int32   // position → row; nil: they are the same
	codes   []uint8   // for kernel.Scan
	meta    []float32 // for kernel.Scan
}

// groups is the number of quantised groups.
func (s *segment) groups() int { return len(s.meta) / metaOfGroup }

// row is the row at a position of the segment.
func (s *segment) row(position int) int32 {
	if s.order == nil {
		return int32(position)
	}
	return s.order[position]
}

// longest is the greatest norm in a group of a sorted segment.
func (s *segment) longest(g int) float32 { return s.meta[g*metaOfGroup+8] }

// build sorts and quantises the rows.
func (b *base) build(vectors []float32, cfg Config) {
	n, f := len(vectors)/b.f, b.f
	b.rows, b.vectors = n, vectors
	workers := cfg.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}

	// By falling norm, equal norms by rising row: keys are unique, so the order is.
	keys := make([]uint64, n)
	split(n, workers, func(from, to int) {
		for row := from; row < to; row++ {
			falling := ^math.Float32bits(float32(norm(vectors[row*f : (row+1)*f])))
			keys[row] = uint64(falling)<<32 | uint64(uint32(row))
		}
	})
	slices.Sort(keys)
	b.order, b.place = make([]int32, n), make([]int32, n)
	for position, key := range keys {
		row := int32(uint32(key))
		b.order[position], b.place[row] = row, int32(position)
	}

	if cfg.Rotation == Always || cfg.Rotation == Auto && b.rotates(cfg.Seed) {
		b.rotation = newRotation(b.d, cfg.Seed)
	}
	groups := (n + group - 1) / group
	b.codes, b.meta = make([]uint8, groups*group*b.d), make([]float32, groups*metaOfGroup)
	split(groups, workers, func(from, to int) {
		z := newQuantizer(b.f, b.d)
		for g := from; g < to; g++ {
			z.group(&b.segment, b.rotation, g, b.codes[g*group*b.d:], b.meta[g*metaOfGroup:])
		}
	})
}

// split runs do on parts of [0, n), one for each worker.
func split(n, workers int, do func(from, to int)) {
	workers = max(1, min(workers, n/256))
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() { do(n*w/workers, n*(w+1)/workers) })
	}
	wait.Wait()
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

// rotates tries a sample of the blocks with and without a rotation and reports
// whether it lowers the mean relative error noticeably.
func (b *base) rotates(seed uint64) bool {
	const blocks = 16 // of 4·16 rows
	r, z := newRotation(b.d, seed), newQuantizer(b.f, b.d)
	codes, meta := make([]uint8, group*b.d), make([]float32, metaOfGroup)
	groups := b.rows / group // whole ones
	plain, rotated := 0.0, 0.0
	for i := range min(blocks, groups) {
		g := i * groups / min(blocks, groups)
		for _, rotation := range []*rotation{nil, r} {
			z.group(&b.segment, rotation, g, codes, meta)
			sum := &plain
			if rotation != nil {
				sum = &rotated
			}
			for block := range 4 {
				if e, n := float64(meta[4+block]), float64(meta[8+block]); n > 0 && !math.IsInf(e, 1) {
					*sum += e / n
				}
			}
		}
	}
	return rotated < 0.95*plain
}
