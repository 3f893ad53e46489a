package retrieve

import (
	"math"
	"math/bits"
	"slices"

	"kindred/model/kernel"
)

// firstRuns is how many runs are looked at before all others: they give a good θ.
const firstRuns = 4

// visit is what a query knows of a segment's runs.
type visit struct {
	tails   []float32 // run → q_b·c_b
	heads   []float32 // run → qₐ·cₐ
	offsets []float64 // run → at least q_b·c_b
	reaches []float64 // run → at least every score in it without an addend; NaN: it has been looked at
	near    []uint64  // runs by q·c
	linear  bool      // whether runs may be passed over
}

// begin makes room for n runs.
func (v *visit) begin(n int) {
	v.tails, v.heads = slices.Grow(v.tails[:0], n)[:n], slices.Grow(v.heads[:0], n)[:n]
	v.offsets, v.reaches = slices.Grow(v.offsets[:0], n)[:n], slices.Grow(v.reaches[:0], n)[:n]
	v.near = v.near[:0]
}

// rate computes the bounds of a segment's runs.
func (s *search) rate(seg *segment) {
	b, r := s.x.base, seg.runs
	n := r.count()
	s.visit.begin(n)
	clear(s.visit.tails)
	kernel.Gemv(s.visit.heads, r.heads, s.y[:b.split])
	if b.split < b.d {
		kernel.Gemv(s.visit.tails, r.tails, s.y[b.split:])
	}
	// What float32 loses of an inner product with a centre, and what the basis does.
	rounded := float64(b.d+8)*unit*2 + b.basis.error()
	for i := range n {
		p := &r.parts[i]
		tail := float64(s.visit.tails[i])
		s.visit.offsets[i] = tail + (rounded*(s.tail+s.norm*b.basis.error())+s.norm*b.basis.error())*p.tail*up
		about := tail + float64(s.visit.heads[i])
		reach := about + s.norm*(p.radius+rounded*p.norm+(s.slack+4*b.basis.error())*p.longest)*up + 1e-30
		s.visit.reaches[i] = min(reach+math.Abs(about)*1e-9, s.norm*p.longest*(1+2*s.slack)+1e-30)
		s.visit.near = append(s.visit.near, key(int32(i), float32(about)))
	}
}

// runs searches a segment that has runs: the nearest ones first, then all others.
func (s *search) runs(seg *segment, first int) {
	s.rate(seg)
	r := seg.runs
	s.visit.linear = false
	nearest := s.visit.near
	greatest(nearest, min(firstRuns, len(nearest)))
	nearest = nearest[:min(firstRuns, len(nearest))]
	slices.Sort(nearest)
	for _, key := range slices.Backward(nearest) {
		i := int(ranked(key).Row)
		s.between(seg, first, r.from(i), int(r.ends[i]))
		s.visit.reaches[i] = math.NaN()
	}
	s.visit.linear = true
	s.between(seg, first, 0, len(r.of))
	s.visit.linear = false
}

// passOverRuns takes the rows of runs that were looked at or cannot matter out of the n groups
// from at on, and returns how many these were.
func (s *search) passOverRuns(seg *segment, at, n int) (rows int) {
	least := s.dotLeast()
	for g := at; g < at+n; {
		i := seg.runs.of[g]
		end := min(int(seg.runs.ends[i]), at+n)
		if !(s.visit.reaches[i] >= least) {
			for w := range s.words[g-at : end-at] {
				rows += bits.OnesCount64(s.words[g-at+w])
				s.words[g-at+w] = 0
			}
		}
		g = end
	}
	return rows
}

// scanHead takes out the rows of the n groups from at on, the first ones of c, that the first part of the codes
// excludes.
func (s *search) scanHead(seg *segment, c codes, at, n int) {
	split := s.x.base.split
	least := s.dotLeast()
	if seg.runs == nil {
		kernel.ScanHead(s.words[:n], c.heads, c.meta, s.codes[:2*split], s.headBound(float32(least)))
		return
	}
	for g := at; g < at+n; {
		i := seg.runs.of[g]
		end := min(int(seg.runs.ends[i]), at+n)
		from := g - at
		kernel.ScanHead(s.words[from:end-at], c.heads[from*group*split:], c.meta[from*metaOfGroup:], s.codes[:2*split],
			s.headBound(float32(least-s.visit.offsets[i])))
		g = end
	}
}
