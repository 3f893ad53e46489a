package kernel

import "fmt"

// Symmetric is a large symmetric n × n matrix of float32, kept as the square blocks of
// its lower triangle, block row after block row, so that it takes half the memory of a
// full matrix and every block is contiguous. The last block row is padded.
//
// Different rows may be set by different goroutines, and any may be read, but not both at once.
type Symmetric struct {
	n      int
	blocks int // block rows
	data   []float32
	work   *sweep // of Invert
}

// SymmetricBytes is the memory that NewSymmetric(n) takes: 2n² bytes and a little.
func SymmetricBytes(n int) int64 {
	blocks := (int64(n) + gemmBlock - 1) / gemmBlock
	return blocks * (blocks + 1) / 2 * gemmBlock * gemmBlock * 4
}

// NewSymmetric returns the zero matrix of order n.
func NewSymmetric(n int) *Symmetric {
	if n < 0 {
		panic(fmt.Sprintf("kernel: symmetric matrix of order %d", n))
	}
	return &Symmetric{n: n, blocks: (n + gemmBlock - 1) / gemmBlock, data: make([]float32, SymmetricBytes(n)/4)}
}

// Reset makes m the zero matrix of order n, in the same memory where that is enough.
func (m *Symmetric) Reset(n int) {
	size := int(SymmetricBytes(n) / 4)
	if size > cap(m.data) {
		m.data = make([]float32, size)
	}
	m.n, m.blocks, m.data = n, (n+gemmBlock-1)/gemmBlock, m.data[:size]
	clear(m.data)
}

// N is the order of the matrix.
func (m *Symmetric) N() int { return m.n }

// block is the block of block row i and block column j ≤ i. Of blocks on the diagonal
// only the lower triangle has a meaning.
func (m *Symmetric) block(i, j int) []float32 {
	const size = gemmBlock * gemmBlock
	at := (i*(i+1)/2 + j) * size
	return m.data[at : at+size : at+size]
}

// extent is the number of rows of block row i that take part, a multiple of gemmEdge.
func (m *Symmetric) extent(i int) int {
	return min(gemmBlock, (m.n-i*gemmBlock+gemmEdge-1)/gemmEdge*gemmEdge)
}

// At is the element of row i and column j.
func (m *Symmetric) At(i, j int) float32 {
	if i >= m.n || j >= m.n {
		panic(fmt.Sprintf("kernel: element (%d, %d) of a symmetric matrix of order %d", i, j, m.n))
	}
	if j > i {
		i, j = j, i
	}
	return m.block(i/gemmBlock, j/gemmBlock)[i%gemmBlock*gemmBlock+j%gemmBlock]
}

// SetRow sets the elements (i, 0) to (i, i) and with them their mirror images; lower
// holds i+1 numbers or more.
func (m *Symmetric) SetRow(i int, lower []float32) {
	lower = lower[:i+1]
	for j := 0; j <= i; j += gemmBlock {
		copy(m.block(i/gemmBlock, j/gemmBlock)[i%gemmBlock*gemmBlock:][:gemmBlock], lower[j:min(j+gemmBlock, i+1)])
	}
}

// Rows copies the whole rows first to first+count−1 into dst, count × n. Reading some tens
// of neighbouring rows at once reads memory about once.
func (m *Symmetric) Rows(first, count int, dst []float32) {
	if count <= 0 {
		return
	}
	dst = dst[:count*m.n]
	for first/gemmBlock != (first+count-1)/gemmBlock { // cut where a block row ends
		part := gemmBlock - first%gemmBlock
		m.rows(first, part, dst[:part*m.n])
		first, count, dst = first+part, count-part, dst[part*m.n:]
	}
	m.rows(first, count, dst)
}

// rows is Rows within one block row.
func (m *Symmetric) rows(first, count int, dst []float32) {
	own, offset := first/gemmBlock, first%gemmBlock
	for j := range m.blocks {
		from := j * gemmBlock
		width := min(gemmBlock, m.n-from)
		switch {
		case j < own:
			b := m.block(own, j)
			for r := range count {
				copy(dst[r*m.n+from:][:width], b[(offset+r)*gemmBlock:])
			}
		case j > own:
			b := m.block(j, own)
			for c := range width {
				column := b[c*gemmBlock+offset:][:count]
				at := from + c
				for _, v := range column {
					dst[at] = v
					at += m.n
				}
			}
		default:
			b := m.block(own, own)
			for r := range count {
				row := offset + r
				copy(dst[r*m.n+from:], b[row*gemmBlock:][:row+1])
				for c := row + 1; c < width; c++ {
					dst[r*m.n+from+c] = b[c*gemmBlock+row]
				}
			}
		}
	}
}
