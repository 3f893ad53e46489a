// Package sparse holds the people × items matrix in compressed rows (CSR): for
// each row the columns that are not zero, ascending, and their values.
//
// Invariants of a valid CSR: len(Ptr) = Rows+1, Ptr[0] = 0, Ptr never falls,
// len(Col) = len(Val) = Ptr[Rows]; inside a row columns rise strictly and lie in
// [0, Cols). Builders keep them; Validate checks them for a matrix from outside.
// A matrix is treated as immutable once it is built.
package sparse
