package kernel

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// pivotOrder is the order of the matrices that are inverted in float64 by the textbook:
// two panels of A, and a divisor of gemmEdge.
const pivotOrder = 24

// NotPositiveError says that a matrix is not positive definite in float32.
type NotPositiveError struct {
	Row int // near which the elimination failed
}

func (e *NotPositiveError) Error() string {
	return fmt.Sprintf("the matrix is not positive definite in float32 (near row %d)", e.Row)
}

// Invert replaces the positive definite matrix by its inverse, in place.
//
// It sweeps block by block (Gauss-Jordan for symmetric matrices, J. H. Goodnight, "A
// Tutorial on the SWEEP Operator", The American Statistician 33, 1979): with the pivot
// block D, its columns V and W = VD⁻¹,
//
//	A_ij ← A_ij − W_i V_jᵀ,   A_ik ← W_i,   A_kk ← −D⁻¹,
//
// which leaves −A⁻¹ when every block was the pivot once. What is not yet swept is the
// Schur complement of Cholesky's method, and the pivots are factored by it, so the matrix is
// refused where Cholesky refuses it. The work is that of factoring, inverting the factor
// and multiplying it by its transpose, n³/2 multiply-adds; but all of it is one product of large
// blocks, alike for every step, where the three stages of the usual way are triangular solves
// of many shapes. Memory beside the matrix is 3 KB a row.
//
// workers goroutines share the work, 0 means one a processor; they change no byte of the
// result. ctx is looked at between blocks; progress, if not nil, is called from the calling
// goroutine after every step. The error is ctx's or a *NotPositiveError; then the matrix is
// half overwritten. A relative error of about κ·2⁻²⁴ is to be expected, κ being the condition.
func (m *Symmetric) Invert(ctx context.Context, workers int, progress func(done, total int)) error {
	s := newSweep(m, workers)
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
	v, w    []float32 // of every block row: V packed as B, W packed as A
	pivot   pivot
}

// sweepScratch is a worker's.
type sweepScratch struct{ turned []float32 }

func newSweep(m *Symmetric, workers int) *sweep {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	const size = gemmBlock * gemmBlock
	s := &sweep{m: m, workers: workers, v: make([]float32, m.blocks*size), w: make([]float32, m.blocks*size), pivot: newPivot()}
	s.scratch = make([]sweepScratch, workers)
	for i := range s.scratch {
		s.scratch[i].turned = make([]float32, size)
	}
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
		// Block row after block row: the packed W of a row stays in the cache.
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
		gemmSub(m.block(i, j), s.packed(s.w, i), s.packed(s.v, j), m.extent(i), m.extent(j), order, i == j)
	})
}

// packed is block row i's part of v or w.
func (s *sweep) packed(all []float32, i int) []float32 {
	const size = gemmBlock * gemmBlock
	return all[i*size : (i+1)*size]
}

// panel packs V_i, makes W_i of it, packs that, and puts it in V_i's place. Wᵀ is what is
// computed, as D⁻¹Vᵀ: packing it is copying runs.
func (s *sweep) panel(scratch *sweepScratch, i, k, order int) {
	m, rows := s.m, s.m.extent(i)
	v, w := s.packed(s.v, i), s.packed(s.w, i)
	if i < k { // the block is Vᵀ, and becomes Wᵀ
		b := m.block(k, i)
		packCols(v, b, gemmBlock, order, rows, gemmCols)
		clear(b)
		gemmSub(b, s.pivot.packed, v, order, rows, order, false)
		packCols(w, b, gemmBlock, order, rows, gemmRows)
		return
	}
	b, turned := m.block(i, k), scratch.turned
	packRows(v, b, gemmBlock, rows, order, gemmCols)
	clear(turned)
	gemmSub(turned, s.pivot.packed, v, order, rows, order, false)
	packCols(w, turned, gemmBlock, order, rows, gemmRows)
	transposeBlock(b, turned, order, rows)
}

// pivot inverts blocks on the diagonal.
type pivot struct {
	d      []float32 // the block, both triangles
	packed []float32 // −D⁻¹ packed as A
	v, w   []float32 // as in sweep, of the inner steps
	small  [pivotOrder * pivotOrder]float64
	unit   [pivotOrder]float64
}

func newPivot() pivot {
	const size = gemmBlock * gemmBlock
	return pivot{
		d: make([]float32, size), packed: make([]float32, size),
		v: make([]float32, gemmBlock*pivotOrder), w: make([]float32, gemmBlock*pivotOrder),
	}
}

// invert replaces the lower triangle of block, n rows padded to order, by that of −D⁻¹
// and packs −D⁻¹; it returns the row near which that failed, or −1. It is the same sweep
// inside of the block, with both triangles and with pivots inverted in float64.
func (p *pivot) invert(block []float32, n, order int) int {
	d := p.d
	for i := range order {
		for j := range i + 1 {
			x := block[i*gemmBlock+j]
			if i >= n { // padding is the unit matrix
				x = 0
				if i == j {
					x = 1
				}
			}
			d[i*gemmBlock+j], d[j*gemmBlock+i] = x, x
		}
	}
	for k := 0; k < order; k += pivotOrder {
		if !p.step(k, order) {
			return k
		}
	}
	for i := range order {
		for j := range i { // rounding differs on both sides of the diagonal; below counts
			d[j*gemmBlock+i] = d[i*gemmBlock+j]
		}
		copy(block[i*gemmBlock:], d[i*gemmBlock:i*gemmBlock+i+1])
	}
	packCols(p.packed, d, gemmBlock, order, order, gemmRows)
	return -1
}

// step sweeps pivotOrder rows from k on; it reports whether they are positive definite.
func (p *pivot) step(k, order int) bool {
	d := p.d
	if !p.invertSmall(k) {
		return false
	}
	// V has zeros for the pivot's own rows, so that the products leave them and their columns alone.
	packRows(p.v, d[k:], gemmBlock, order, pivotOrder, gemmCols)
	for r := k; r < k+pivotOrder; r++ {
		for n := range pivotOrder {
			p.v[r/gemmCols*gemmCols*pivotOrder+n*gemmCols+r%gemmCols] = 0
		}
	}
	rows := d[k*gemmBlock:]
	for r := range pivotOrder {
		for j := range pivotOrder {
			p.w[j/gemmRows*gemmRows*pivotOrder+r*gemmRows+j%gemmRows] = float32(-p.small[r*pivotOrder+j])
		}
		clear(rows[r*gemmBlock:][:order])
	}
	gemmSub(rows, p.w, p.v, pivotOrder, order, pivotOrder, false) // Wᵀ = D⁻¹Vᵀ
	packCols(p.w, rows, gemmBlock, pivotOrder, order, gemmRows)
	gemmSub(d, p.w, p.v, order, order, pivotOrder, false)
	transposeBlock(d[k:], rows, pivotOrder, order)
	for r := range pivotOrder {
		for j := range pivotOrder {
			rows[r*gemmBlock+k+j] = float32(-p.small[r*pivotOrder+j])
		}
	}
	return true
}

// invertSmall inverts the pivot at k into small by Cholesky's method.
func (p *pivot) invertSmall(k int) bool {
	const n = pivotOrder
	var a [n * n]float64
	for i := range n {
		for j := range i + 1 {
			a[i*n+j] = float64(p.d[(k+i)*gemmBlock+k+j])
		}
	}
	if !Cholesky(a[:], n) {
		return false
	}
	for i := range n {
		clear(p.unit[:])
		p.unit[i] = 1
		CholeskySolve(a[:], n, p.unit[:])
		copy(p.small[i*n:], p.unit[:])
	}
	return true
}

// InvertBytes is the memory that Invert takes beside a matrix of order n.
func InvertBytes(n, workers int) int64 {
	const block = 4 * gemmBlock * gemmBlock
	blocks := (int64(n) + gemmBlock - 1) / gemmBlock
	return block * (2*blocks + int64(workers) + 2)
}
