// Package kernel is the inner loops of the models: dot products, scaled sums,
// weighted Gram matrices, Cholesky factors, on dense row-major slices.
//
// These are the functions that vector assembly may replace one by one, so each
// works on whole blocks of rows, allocates nothing, and says in which precision it
// adds. They are plain Go today: four rows a pass, so that one loaded value feeds four
// products and four sums are in flight.
//
// Shapes are our own business here: a slice of the wrong length is a bug of the
// caller and panics. Each function adds in one fixed order, so equal input gives
// equal bytes on one architecture.
//
// A row-major matrix of n rows and f columns is a slice of length n·f; symmetric
// matrices keep their lower triangle, and what lies above it is not read.
package kernel
