package retrieve

import (
	"math"
	"runtime"
	"slices"
	"sync"
)

// segment is rows in the form of a scan: whole groups, the last one padded.
type segment struct {
	rows    int       // how many are real
	vectors []float32 // of the rows by row number within the segment
	order   []int32   // position → row; nil: they are the same
	longest []float32 // group → the greatest norm in it and all later ones; nil: rows are not sorted
	runs    *runs     // nil: rows stand by norm
	masked  bool      // rows stand where the masks have their bits
	codes             // for kernel.Scan
}

// codes is what kernel.Scan reads of whole groups.
type codes struct {
	heads []uint8 // the first part of the coordinates, all of them where there is one part
	tails []uint8
	meta  []float32
}

// grow adds room for so many groups, of codes of length d in parts of which the first has
// length split.
func (c *codes) grow(groups, split, d int) {
	c.heads = append(c.heads, make([]uint8, groups*group*split)...)
	c.tails = append(c.tails, make([]uint8, groups*group*(d-split))...)
	c.meta = append(c.meta, make([]float32, groups*metaOfGroup)...)
}

// from is the codes from group g on.
func (c *codes) from(g, split, d int) codes {
	return codes{heads: c.heads[g*group*split:], tails: c.tails[g*group*(d-split):], meta: c.meta[g*metaOfGroup:]}
}

// groups is the number of quantised groups.
func (c *codes) groups() int { return len(c.meta) / metaOfGroup }

// row is the row at a position of the segment.
func (s *segment) row(position int) int32 {
	if s.order == nil {
		return int32(position)
	}
	return s.order[position]
}

// mostBand is the greatest number of groups in a band.
const mostBand = 64

// bands cuts groups into bands, longer ones further back: b[i] to b[i+1] is the i-th.
// Within a band rows may be in any order; the norms of a band are nearly alike.
func bands(groups int) []int {
	b := []int{0}
	for at := 0; at < groups; {
		at = min(at+max(1, min(at/8, mostBand)), groups)
		b = append(b, at)
	}
	return b
}

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
	split(n, max(1, n/256), workers, func(from, to int) {
		for row := from; row < to; row++ {
			falling := ^math.Float32bits(float32(norm(vectors[row*f : (row+1)*f])))
			keys[row] = uint64(falling)<<32 | uint64(uint32(row))
		}
	})
	slices.Sort(keys)
	b.order, b.place = make([]int32, n), make([]int32, n)
	for position, key := range keys {
		b.order[position] = int32(uint32(key))
	}

	sample, clustered, carried := b.sample(), inClusters(keys, cfg.Order), enough
	if clustered {
		carried = enoughClustered
	}
	b.basis = newBasis(cfg.Basis, sample, f, b.d, cfg.Seed, carried)
	b.split = b.d
	if b.basis.split() > 0 {
		b.split = b.basis.split()
	}
	if clustered && (b.split < b.d || cfg.Order == Clustered) {
		if c := newClusters(sample, f, n, workers); c != nil {
			order, labels := gather(b.order, c.assign(vectors, workers))
			b.order, b.runs = order, cutRuns(labels)
		}
	}
	b.lay(&b.segment, workers)
	b.masked = true
	for position, row := range b.order {
		b.place[row] = int32(position)
	}
}

// lay quantises the rows of s, which are in order and sorted but for the order within
// bands.
func (b *base) lay(s *segment, workers int) {
	groups := (s.rows + group - 1) / group
	s.grow(groups, b.split, b.d)
	if s.runs != nil {
		b.layRuns(s, workers)
	} else {
		b.layBands(s, groups, workers)
	}
	s.longest = make([]float32, groups)
	longest := float32(0)
	for g := groups - 1; g >= 0; g-- {
		longest = max(longest, slices.Max(s.meta[g*metaOfGroup+8:g*metaOfGroup+12]))
		s.longest[g] = longest
	}
}

// layBands quantises rows that stand by norm.
func (b *base) layBands(s *segment, groups, workers int) {
	cuts := bands(groups)
	split(len(cuts)-1, len(cuts)-1, workers, func(from, to int) {
		z := newQuantizer(b.f, b.d, b.basis)
		for band := from; band < to; band++ {
			b.band(s, z, cuts[band], cuts[band+1], func() {})
		}
	})
}

// band orders and quantises the groups [from, to); taken is called when their rows are taken in.
func (b *base) band(s *segment, z *quantizer, from, to int, taken func()) {
	rows := s.order[from*group : min(to*group, s.rows)]
	z.rows(s.vectors, rows)
	taken()
	if b.basis.split() > 0 {
		z.sort()
	}
	before := slices.Clone(rows)
	for i, at := range z.order {
		rows[i] = before[at]
	}
	for g := from; g < to; g++ {
		z.group(g-from, s.from(g, b.split, b.d))
	}
}

// split runs do on parts of [0, n), at most so many, by the workers.
func split(n, parts, workers int, do func(from, to int)) {
	parts = max(1, min(parts, 8*workers))
	if workers == 1 || parts == 1 {
		do(0, n)
		return
	}
	next := make(chan int)
	var wait sync.WaitGroup
	for range min(workers, parts) {
		wait.Go(func() {
			for p := range next {
				do(n*p/parts, n*(p+1)/parts)
			}
		})
	}
	for p := range parts {
		next <- p
	}
	close(next)
	wait.Wait()
}

// sample is some of the rows, evenly from the longest to the shortest, with norm 1.
func (b *base) sample() []float32 {
	most := max(2*b.f, min(8192, 1<<27/(b.f*b.f)))
	n := min(b.rows, most)
	sample := make([]float32, 0, n*b.f)
	for i := range n {
		row := int(b.order[i*b.rows/n])
		v := b.vectors[row*b.f : (row+1)*b.f]
		size := norm(v)
		if !(size >= lightest && size <= heaviest) {
			continue
		}
		for _, x := range v {
			sample = append(sample, float32(float64(x)/size))
		}
	}
	return sample
}
