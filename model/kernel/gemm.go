package kernel

// Matrix products of large dense matrices are made of one micro-kernel, as in
// K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication"
// (ACM TOMS 34, 2008): a tile of C stays in registers while packed columns of A and
// packed rows of B stream past it.
//
// Packed means in the order of use. Of A, panels of gemmRows rows: for each k the
// gemmRows numbers A[i..][k]. Of B, panels of gemmCols columns: for each k the gemmCols
// numbers B[k][j..]. The tile of 12 × 32 takes 24 of the 32 registers of AVX-512; AVX2
// makes it of four tiles of 6 × 16. A panel of A of gemmBlock columns is 18 KB and stays in
// the first-level cache, the panels of B of a block, 576 KB, in the second.
const (
	gemmRows = 12
	gemmCols = 32
	// gemmBlock is the order of the square blocks that large matrices are kept in, a
	// multiple of both.
	gemmBlock = 384
	// gemmEdge divides into tiles of both kinds: the order of a last, smaller block is
	// rounded up to it.
	gemmEdge = 96
)

// shape is what of a product need not be computed.
type shape int

const (
	whole  shape = iota
	lowerC       // of C, tiles that lie wholly above the diagonal, which are left as they are
	lowerA       // A is square and zero above the diagonal
	upperA       // A is square and zero below the diagonal
)

// gemmSub subtracts the product of packed panels from a block: C −= A·B, where C is
// rows × cols of a block whose rows are gemmBlock numbers apart, A is rows × k and B is
// k × cols; rows is a multiple of gemmRows and cols of gemmCols. One call of the micro-kernel
// is 2·12·32·k operations, some microseconds.
func gemmSub(c, a, b []float32, rows, cols, k int, shape shape) {
	if rows <= 0 || cols <= 0 || k <= 0 {
		return
	}
	_, _, _ = c[(rows-1)*gemmBlock+cols-1], a[rows*k-1], b[k*cols-1]
	for i := 0; i < rows; i += gemmRows {
		from, to, end := 0, k, cols
		switch shape {
		case lowerC:
			end = min(cols, i+gemmRows)
		case lowerA:
			to = min(k, i+gemmRows)
		case upperA:
			from = i
		}
		x := a[i*k+from*gemmRows : i*k+to*gemmRows]
		for j := 0; j < end; j += gemmCols {
			gemmTile(c[i*gemmBlock+j:], x, b[j*k+from*gemmCols:j*k+to*gemmCols], to-from)
		}
	}
}

// gemmTileGeneric is gemmTile in plain Go: the sum over k first, then one subtraction,
// as the assembly has it.
func gemmTileGeneric(c, a, b []float32, k int) {
	var sums [gemmRows][gemmCols]float32
	for n := range k {
		x := (*[gemmRows]float32)(a[n*gemmRows:])
		y := (*[gemmCols]float32)(b[n*gemmCols:])
		for i, v := range x {
			row := &sums[i]
			for j, w := range y {
				row[j] += v * w
			}
		}
	}
	for i := range sums {
		row := (*[gemmCols]float32)(c[i*gemmBlock:])
		for j, s := range sums[i] {
			row[j] -= s
		}
	}
}

// packRows packs the rows × k matrix a, whose rows are stride numbers apart, in panels
// of width rows: for each column the width numbers of a panel's rows. rows is a multiple of width.
// It is the packing of A with width gemmRows, and of the transpose of B with gemmCols.
func packRows(dst, a []float32, stride, rows, k, width int) {
	const square = 8 // columns at a time, so that what is read and written stays in the first-level cache
	for p := 0; p < rows; p += width {
		out := dst[p*k : (p+width)*k]
		for n := 0; n < k; n += square {
			m := min(square, k-n)
			for r := range width {
				row := a[(p+r)*stride+n : (p+r)*stride+n+m]
				at := n*width + r
				for _, v := range row {
					out[at] = v
					at += width
				}
			}
		}
	}
}

// packCols packs the k × cols matrix b, whose rows are stride numbers apart, in panels of
// width columns: for each row the width numbers of a panel's columns. cols is a multiple of
// width. It is the packing of B with width gemmCols, and of the transpose of A with gemmRows.
func packCols(dst, b []float32, stride, k, cols, width int) {
	for n := range k {
		row := b[n*stride : n*stride+cols]
		for p := 0; p < cols; p += width {
			copy(dst[p*k+n*width:][:width], row[p:p+width])
		}
	}
}

// transposeBlock writes the transpose of the rows × cols part of one block into another.
func transposeBlock(dst, src []float32, rows, cols int) {
	const square = 16
	for i := 0; i < rows; i += square {
		for j := 0; j < cols; j += square {
			for r := i; r < min(i+square, rows); r++ {
				row := src[r*gemmBlock+j : r*gemmBlock+min(j+square, cols)]
				at := j*gemmBlock + r
				for _, v := range row {
					dst[at] = v
					at += gemmBlock
				}
			}
		}
	}
}
