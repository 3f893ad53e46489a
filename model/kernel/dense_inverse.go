package kernel

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// pivotOrder is the order of the matrices that are factored in float64 by the textbook:
// two panels of A, and a divisor of gemmEdge.
const pivotOrder = 24

// NotPositiveError says that a matrix is not positive definite in float32.
type NotPositiveError struct {
	Row int // near which the elimination failed
}

func (e *NotPositiveError) Error() string {
	return fmt.Sprintf("the matrix is not positive definite in float32 (near row %d)", e.Row)
}

// Invert replaces the positive definite matrix A by its inverse, in place, by Cholesky's method.
//
// Block by block, with the pivot block D = LLᵀ, M = L⁻¹, its columns V, and
// Y = VMᵀ,
//
//	A_ij ← A_ij − Y_i Y_jᵀ,   A_ik ← Y_i M,   A_kk ← −MᵀM,
//
// which leaves −A⁻¹ when every block was the pivot once (the symmetric sweep, J. H. Goodnight, "A
// Tutorial on the SWEEP Operator", The American Statistician 33, 1979). Where neither row was the
// pivot before, that is the Schur complement of Cholesky's factorization; where one was, it
// is the inverse of the factor; where both were, its product with its own transpose. So
// the operations, their number n³/2, and their rounding (J. Du Croz and N. Higham, "Stability of Methods
// for Matrix Inversion", IMA J. Num. Anal. 12, 1992) are those of the three usual stages;
// but all of them are one product of large blocks, alike for every step. It matters that
// the product is of two factors Y: with VD⁻¹ and V, rounding would grow with the square
// of the condition. Memory beside the matrix is 3 KB a row.
//
// workers goroutines share the work, 0 means one a processor; they change no byte of the
// result. ctx is looked at between blocks; progress, if not nil, is called from the calling
// goroutine after every step. The error is ctx's or a *NotPositiveError; then the matrix is
// half overwritten. A relative error of about κ·2⁻²⁴ is to be expected, κ being the condition.
func (m *Symmetric) Invert(ctx context.Context, workers int, progress func(done, total int)) error {
	s := m.sweep(workers)
	for k := range m.blocks {
		if err := s.step(ctx, k); err != nil {
			return err
		}
		if progress != nil {
			progress(k+1, m.blocks)
		}
	}
	const chunk = 1 << 16
	return s.parallel(ctx, (len(m.data)+chunk-1)/chunk, func(_ *sweepScratch, i int) {
		part := m.data[i*chunk : min((i+1)*chunk, len(m.data))]
		for i, v := range part {
			part[i] = -v
		}
	})
}

// sweep is the work space of one inversion.
type sweep struct {
	m       *Symmetric
	workers int
	scratch []sweepScratch
	left    []float32 // Y of every block row, packed as A
	right   []float32 // and as B
	pivot   pivot
}

// sweepScratch is a worker's.
type sweepScratch struct{ packed, turned []float32 }

// sweep is the matrix's work space, which it keeps for the next inversion.
func (m *Symmetric) sweep(workers int) *sweep {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	const size = gemmBlock * gemmBlock
	s := m.work
	if s == nil {
		s = &sweep{m: m, pivot: newPivot()}
		m.work = s
	}
	if len(s.left) < m.blocks*size {
		s.left, s.right = make([]float32, m.blocks*size), make([]float32, m.blocks*size)
	}
	for len(s.scratch) < workers {
		s.scratch = append(s.scratch, sweepScratch{make([]float32, size), make([]float32, size)})
	}
	s.workers = workers
	return s
}

// parallel calls do for 0 to n−1, each once, by the workers.
func (s *sweep) parallel(ctx context.Context, n int, do func(w *sweepScratch, i int)) error {
	var next atomic.Int64
	var wait sync.WaitGroup
	for worker := range min(s.workers, n) {
		wait.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(&s.scratch[worker], i)
			}
		})
	}
	wait.Wait()
	return ctx.Err()
}

// step sweeps block k.
func (s *sweep) step(ctx context.Context, k int) error {
	m, order := s.m, s.m.extent(k)
	if row := s.pivot.invert(m.block(k, k), min(gemmBlock, m.n-k*gemmBlock), order); row >= 0 {
		return &NotPositiveError{Row: k*gemmBlock + row}
	}
	err := s.parallel(ctx, m.blocks-1, func(w *sweepScratch, i int) {
		if i >= k {
			i++
		}
		s.panel(w, i, k, order)
	})
	if err != nil {
		return err
	}
	others := m.blocks - 1
	return s.parallel(ctx, others*(others+1)/2, func(_ *sweepScratch, at int) {
		// Block row after block row: the packed Y_i stays in the cache.
		i := int((math.Sqrt(8*float64(at)+1) - 1) / 2)
		for i*(i+1)/2 > at {
			i--
		}
		for (i+1)*(i+2)/2 <= at {
			i++
		}
		j := at - i*(i+1)/2
		if i >= k {
			i++
		}
		if j >= k {
			j++
		}
		shape := whole
		if i == j {
			shape = lowerC
		}
		gemmSub(m.block(i, j), s.part(s.left, i), s.part(s.right, j), m.extent(i), m.extent(j), order, shape)
	})
}

// part is block row i's part of left or right.
func (s *sweep) part(all []float32, i int) []float32 {
	const size = gemmBlock * gemmBlock
	return all[i*size : (i+1)*size]
}

// panel makes Y_i of V_i, packs it, and puts Y_i·M in V_i's place. What is computed is the
// transposes, M·Vᵀ and Mᵀ·Yᵀ, because to pack these is to copy runs.
func (s *sweep) panel(scratch *sweepScratch, i, k, order int) {
	m, rows := s.m, s.m.extent(i)
	left, right := s.part(s.left, i), s.part(s.right, i)
	v, turned := scratch.packed, scratch.turned
	if i < k { // the block is Vᵀ
		turned = m.block(k, i)
		packCols(v, turned, gemmBlock, order, rows, gemmCols)
	} else {
		packRows(v, m.block(i, k), gemmBlock, rows, order, gemmCols)
	}
	clear(turned)
	gemmSub(turned, s.pivot.factor, v, order, rows, order, lowerA)
	packCols(left, turned, gemmBlock, order, rows, gemmRows)
	packCols(right, turned, gemmBlock, order, rows, gemmCols)
	clear(turned)
	gemmSub(turned, s.pivot.turned, right, order, rows, order, upperA)
	if i > k {
		transposeBlock(m.block(i, k), turned, order, rows)
	}
}

// pivot factors blocks on the diagonal.
type pivot struct {
	m      []float32 // the block, then M
	factor []float32 // −M packed as A
	turned []float32 // −Mᵀ packed as A
	right  []float32 // M packed as B
	a, b   []float32 // of the strip, packed
	small  [pivotOrder * pivotOrder]float64
}

func newPivot() pivot {
	const size, strip = gemmBlock * gemmBlock, gemmBlock * pivotOrder
	return pivot{
		m: make([]float32, size), factor: make([]float32, size), turned: make([]float32, size), right: make([]float32, size),
		a: make([]float32, strip), b: make([]float32, strip),
	}
}

// invert replaces the lower triangle of block, n rows padded to order, by that of −D⁻¹
// and packs M; it returns the row near which that failed, or −1.
//
// Rows are eliminated from the block and, at the same time, from a unit matrix, which becomes M
// where the block's columns are done with.
func (p *pivot) invert(block []float32, n, order int) int {
	m := p.m
	for i := range order {
		for j := range i + 1 {
			x := block[i*gemmBlock+j]
			if i >= n { // padding is the unit matrix
				x = 0
				if i == j {
					x = 1
				}
			}
			m[i*gemmBlock+j], m[j*gemmBlock+i] = x, x
		}
	}
	for k := 0; k < order; k += pivotOrder {
		if !p.step(k, order) {
			return k
		}
	}
	for i := range order {
		clear(m[i*gemmBlock+i+1 : i*gemmBlock+order])
	}
	packCols(p.turned, m, gemmBlock, order, order, gemmRows)
	packCols(p.right, m, gemmBlock, order, order, gemmCols)
	clear(block)
	gemmSub(block, p.turned, p.right, order, order, order, upperA)
	packRows(p.factor, m, gemmBlock, order, order, gemmRows)
	for i, v := range p.factor {
		p.factor[i] = -v
	}
	for i, v := range p.turned {
		p.turned[i] = -v
	}
	return -1
}

// step eliminates with the pivotOrder rows from k on; it reports whether they are positive definite.
func (p *pivot) step(k, order int) bool {
	if !p.factorSmall(k) {
		return false
	}
	// The factor times the rows: Z. Its own columns are the factor, times a unit matrix.
	rows := p.m[k*gemmBlock:]
	packCols(p.b, rows, gemmBlock, pivotOrder, order, gemmCols)
	for i := range pivotOrder {
		for j := range pivotOrder {
			p.a[i/gemmRows*gemmRows*pivotOrder+j*gemmRows+i%gemmRows] = float32(-p.small[i*pivotOrder+j])
		}
		clear(rows[i*gemmBlock:][:order])
	}
	gemmSub(rows, p.a, p.b, pivotOrder, order, pivotOrder, lowerA)
	for i := range pivotOrder {
		for j := range pivotOrder {
			rows[i*gemmBlock+k+j] = float32(p.small[i*pivotOrder+j])
		}
	}
	// The rows below less Zᵀ of their columns times Z.
	first := k + pivotOrder
	if first == order {
		return true
	}
	packCols(p.a, rows[first:], gemmBlock, pivotOrder, order-first, gemmRows)
	packCols(p.b, rows, gemmBlock, pivotOrder, order, gemmCols)
	below := p.m[first*gemmBlock:]
	for i := range order - first {
		clear(below[i*gemmBlock+k:][:pivotOrder])
	}
	gemmSub(below, p.a, p.b, order-first, order, pivotOrder, whole)
	return true
}

// factorSmall is the inverse of Cholesky's factor of the pivot at k, in float64.
func (p *pivot) factorSmall(k int) bool {
	const n = pivotOrder
	var a [n * n]float64
	for i := range n {
		for j := range i + 1 {
			a[i*n+j] = float64(p.m[(k+i)*gemmBlock+k+j])
		}
	}
	if !Cholesky(a[:], n) {
		return false
	}
	clear(p.small[:])
	for j := range n { // column j of the inverse, by forward substitution
		p.small[j*n+j] = 1 / a[j*n+j]
		for i := j + 1; i < n; i++ {
			sum := 0.0
			for l := j; l < i; l++ {
				sum += a[i*n+l] * p.small[l*n+j]
			}
			p.small[i*n+j] = -sum / a[i*n+i]
		}
	}
	return true
}

// InvertBytes is the memory that Invert takes beside a matrix of order n, and keeps.
func InvertBytes(n, workers int) int64 {
	const block = 4 * gemmBlock * gemmBlock
	blocks := (int64(n) + gemmBlock - 1) / gemmBlock
	return block * (2*blocks + 2*int64(workers) + 5)
}
