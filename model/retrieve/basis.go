package retrieve

import (
	"math"

	"kindred/model/kernel"
)

// Basis is a choice of coordinates for the quantised copy.
type Basis int

// Auto chooses by a sample of the rows. Original keeps the coordinates. Random rotates at
// random, which makes all dimensions alike. Principal puts the directions that carry most of the
// vectors' square norm first and rotates at random within these and within the rest: a scan
// then excludes most rows after the first part.
const (
	Auto Basis = iota
	Original
	Random
	Principal
)

// mostPrincipal is the greatest f for which a Principal basis is considered: finding it costs
// O(f³) and using it O(f²) for each row and query.
const mostPrincipal = 256

// basis is an orthogonal map of vectors of length f to coordinates of length d ≥ f. The nil
// basis only pads.
type basis struct {
	rows []float32 // f × f, the directions; nil: the original ones
	head int       // length of the first part; 0: there is none
	mix  [2]*rotation
	gain float32 // the first part is divided by it before quantising, a power of two
	off  float64 // bounds ‖fl(Bx) − Bx‖/‖x‖, and what B lacks of being orthogonal
}

// apply writes the coordinates of x to y, of length d.
func (b *basis) apply(y, x []float32) {
	if b == nil || b.rows == nil {
		clear(y[copy(y, x):])
	} else {
		kernel.Gemv(y[:len(x)], b.rows, x)
		clear(y[len(x):])
	}
	if b != nil {
		b.mix[0].apply(y[:b.head])
		b.mix[1].apply(y[b.head:])
	}
}

// split is the length of the first part of the coordinates.
func (b *basis) split() int {
	if b == nil {
		return 0
	}
	return b.head
}

// factor is the gain of the first part.
func (b *basis) factor() float32 {
	if b == nil || b.head == 0 {
		return 1
	}
	return b.gain
}

// error bounds the relative error of applying.
func (b *basis) error() float64 {
	if b == nil {
		return 0
	}
	return b.off
}

// newBasis makes the chosen basis for rows of length f, of which sample holds some of
// norm 1; nil where none helps. The first part of a Principal one is to carry the part enough of the square norm.
func newBasis(choice Basis, sample []float32, f, d int, seed uint64, enough float64) *basis {
	if choice == Original || len(sample) == 0 && choice == Auto {
		return nil
	}
	if f <= mostPrincipal && (choice == Principal || choice == Auto) {
		if b := principal(sample, f, d, seed, enough, choice == Principal); b != nil {
			return b
		}
	}
	r := newRotation(d, seed)
	random := &basis{mix: [2]*rotation{nil, r}, off: r.error()}
	if choice == Auto && !(spread(random, sample, f, d) < 0.9*spread(nil, sample, f, d)) {
		return nil
	}
	return random
}

// spread is the mean of the greatest magnitude among the coordinates of the sample's
// rows: the errors of quantising are proportional to it.
func spread(b *basis, sample []float32, f, d int) float64 {
	y, sum := make([]float32, d), 0.0
	for ; len(sample) >= f; sample = sample[f:] {
		b.apply(y, sample[:f])
		highest := float32(0)
		for _, v := range y {
			highest = max(highest, v, -v)
		}
		sum += float64(highest)
	}
	return sum
}

const (
	// enough is the part of the square norm that the first part of a Principal basis carries, enoughClustered the
	// same where rows are Clustered, so that less of the rest is bounded by its norm, and mostHead the greatest part of
	// the dimensions that it may take for that.
	enough, enoughClustered, mostHead = 0.78, 0.74, 0.6
	// sweeps is the number of multiplications by the Gram matrix. The directions need not be exact.
	sweeps = 12
)

// principal finds a Principal basis by orthogonal iteration (Golub & Van Loan, Matrix Computations, 8.2.4) on
// the Gram matrix of the sample, or nil when the norm is spread over too many directions, unless forced.
func principal(sample []float32, f, d int, seed uint64, enough float64, forced bool) *basis {
	gram := make([]float64, f*f)
	kernel.Syrk(gram, sample, nil, f, make([]float64, 4*f))
	trace := 0.0
	for i := range f {
		for j := range i {
			gram[j*f+i] = gram[i*f+j]
		}
		trace += gram[i*f+i]
	}
	for i := range f { // keeps the iteration regular when the rows span less than all dimensions
		gram[i*f+i] += 1e-6*trace/float64(f) + 1e-30
	}
	q, next := make([]float64, f*f), make([]float64, f*f)
	for i := range f {
		q[i*f+i] = 1
	}
	for range sweeps {
		for i := range f {
			for j := range f {
				next[i*f+j] = kernel.Dot64(gram[j*f:(j+1)*f], q[i*f:(i+1)*f])
			}
		}
		orthonormalise(next, f)
		q, next = next, q
	}
	b := &basis{rows: make([]float32, f*f)}
	for i, v := range q {
		b.rows[i] = float32(v)
	}
	carried, total := 0.0, 0.0
	energy := make([]float64, f)
	for i := range f {
		for j := range f {
			energy[i] += q[i*f+j] * kernel.Dot64(gram[j*f:(j+1)*f], q[i*f:(i+1)*f])
		}
		total += energy[i]
	}
	for b.head < f && carried < enough*total {
		carried += energy[b.head]
		b.head++
	}
	b.head = (b.head + 3) &^ 3
	if forced {
		b.head = min(b.head, d-4)
	}
	if b.head < 4 || float64(b.head) > mostHead*float64(d) && !forced || b.head >= d {
		return nil
	}
	b.mix = [2]*rotation{newRotation(b.head, seed), newRotation(d-b.head, seed+1)}
	// The parts' coordinates should fill the codes alike.
	ratio := math.Sqrt(carried / float64(b.head) / ((total-carried)/float64(d-b.head) + 1e-6*total))
	b.gain = float32(math.Exp2(math.Round(math.Log2(min(max(ratio, 1), 16)))))
	b.off = b.lost(f) + max(b.mix[0].error(), b.mix[1].error())
	return b
}

// orthonormalise makes the rows of q orthonormal in their order, by Gram and Schmidt,
// twice, which is enough.
func orthonormalise(q []float64, f int) {
	for i := range f {
		row := q[i*f : (i+1)*f]
		for range 2 {
			for j := range i {
				other := q[j*f : (j+1)*f]
				kernel.Axpy64(-kernel.Dot64(row, other), other, row)
			}
			scale := 1 / math.Sqrt(kernel.Dot64(row, row))
			for j := range row {
				row[j] *= scale
			}
		}
	}
}

// lost bounds what b.rows, as they are in float32, change of a product of two vectors of
// norm 1, in both of which a product with b.rows is rounded.
func (b *basis) lost(f int) float64 {
	square, rowSum, columns := 0.0, 0.0, make([]float64, f)
	for i := range f {
		sum := 0.0
		for j := range f {
			v := math.Abs(float64(b.rows[i*f+j]))
			sum += v
			columns[j] += v
		}
		rowSum = max(rowSum, sum)
		for j := range i + 1 {
			dot := 0.0
			for k := range f {
				dot += float64(b.rows[i*f+k]) * float64(b.rows[j*f+k])
			}
			if i == j {
				square += (dot - 1) * (dot - 1)
			} else {
				square += 2 * dot * dot
			}
		}
	}
	columnSum := 0.0
	for _, c := range columns {
		columnSum = max(columnSum, c)
	}
	// ‖|B|‖₂ ≤ √(‖B‖₁‖B‖∞); an inner product of length f in float32 errs by f·2⁻²⁴ of Σ|terms|, in any order.
	return math.Sqrt(square) + float64(f+1)/(1<<24)*math.Sqrt(rowSum*columnSum)
}
