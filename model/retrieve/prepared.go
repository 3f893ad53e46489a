package retrieve

import (
	"math"

	"kindred/model/kernel"
)

const (
	// widest is the highest magnitude of a quantised query: hi and lo parts then lie in [−64, 63].
	widest = 8127
	// faintest and loudest bound the norms of queries for which bounds are computed.
	faintest, loudest = 1e-12, 1e12
	// unit is twice the relative rounding error of float32.
	unit = 1.0 / (1 << 23)
)

// prepared is a query in the form that the scan and its bounds use.
type prepared struct {
	norm    float64   // ‖q‖
	bounded bool      // whether bounds can be computed
	y       []float32 // coordinates
	codes   []int8    // for kernel.Scan
	scale   float64   // q̂ = scale · integers
	// The bound of a row of block b is scale/invScale_b · dot + eFactor·E_b + nFactor·N_b: its parts are
	//
	//	‖q‖E               the row's quantisation
	//	‖q − q̂‖ (N + E)    the query's
	//	slack ‖q‖N         float32 rounding of the exact score
	//
	// After the first part of the coordinates alone tail times a row's norm of the others is added.
	eFactor, nFactor, tail float64
	slack                  float64
}

// prepare rotates and quantises q.
func (p *prepared) prepare(b *base, q []float32) {
	p.norm = norm(q)
	p.bounded = p.norm >= faintest && p.norm <= loudest
	p.slack = float64(b.f+8) * unit
	if !p.bounded {
		return
	}
	if len(p.y) != b.d {
		p.y, p.codes = make([]float32, b.d), make([]int8, 2*b.d)
	}
	b.basis.apply(p.y, q)
	head, gain := b.basis.split(), b.basis.factor()
	p.tail = (norm(p.y[head:]) + b.basis.error()*p.norm) * up
	for j := range p.y[:head] {
		p.y[j] *= gain
	}

	highest, sum := 0.0, 0.0
	for _, v := range p.y {
		a := math.Abs(float64(v))
		highest, sum = max(highest, a), sum+a
	}
	// The second bound is Scan's: 127·Σ|integers| < 2³⁰, each being rounded up by a half at most.
	p.scale = max(highest/widest, sum/(1<<30/127-float64(b.d)))
	off := 0.0
	for j, v := range p.y {
		code := math.RoundToEven(float64(v) / p.scale)
		left := float64(v) - p.scale*code
		off += left * left
		hi := (int(code) + 64) >> 7
		at := j>>2<<3 + j&3
		p.codes[at], p.codes[at+4] = int8(hi), int8(int(code)-hi<<7)
	}
	distance := math.Sqrt(off) + b.basis.error()*p.norm
	p.eFactor = (p.norm*(1+b.basis.error()) + distance) * up
	p.nFactor = (distance + p.slack*p.norm) * up
}

// bound is the kernel's test for a row that may reach the score least, by its dot over all
// coordinates. The margins cover the seven roundings of the test itself, each 2⁻²⁴ of |Theta| or of the slack.
func (p *prepared) bound(least float32) kernel.ScanBound {
	l := float64(least)
	if !math.IsInf(l, 0) {
		l -= math.Abs(l)/(1<<20) + 1e-30
	}
	return kernel.ScanBound{
		Theta:    float32(l),
		EFactor:  float32(p.eFactor * up),
		NFactor:  float32(p.nFactor * up),
		InvQuery: float32(1 / p.scale),
	}
}

// headBound is the same by the dot over the first part of the coordinates.
func (p *prepared) headBound(least float32) kernel.ScanBound {
	b := p.bound(least)
	b.TailFactor = float32(p.tail * up)
	return b
}

// reach is the highest exact score that a row with this dot can have, given its group's meta.
func (p *prepared) reach(meta []float32, block int, dot int32) float64 {
	about := p.scale * float64(dot) / float64(meta[block])
	return about + math.Abs(about)/(1<<21) + p.eFactor*float64(meta[4+block]) + p.nFactor*float64(meta[8+block]) + 1e-30
}

// longest is the highest exact score that a row of at most this norm can have.
func (p *prepared) longest(norm float32) float64 {
	return p.norm*float64(norm)*(1+2*p.slack) + 1e-30
}
