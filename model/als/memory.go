package als

// FitBytes bounds what Fit allocates for a matrix of rows × cols with nnz entries, beside that
// matrix and what it is given: see "Memory" in the package comment. It is also the bound of all
// allocations of a fit together, so none of it is garbage that a collector might find late.
func FitBytes(rows, cols, nnz, f, workers int) int {
	factors := 4 * f * (rows + cols)
	half := 2 * f * max(rows, cols)
	transpose := 8*nnz + 16*cols
	perRow := 16 * (rows + cols) // chunks, used items, lengths
	return factors + half + transpose + perRow + (workers+1)*scratchBytes(f) + 1<<16
}

// scratchBytes bounds the memory of one worker, and that which all of them share.
func scratchBytes(f int) int {
	packed := max(packedBytes, 4*64*f)
	return packed + packed/f*2 + 40*f*f + 200*f + 1<<12
}
