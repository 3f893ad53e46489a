// Package kernel is the inner loops of the models: dot products, passes of conjugate
// gradient, weighted Gram matrices, Cholesky factors, products of large matrices, scans of bytes,
// on dense row-major slices.
//
// # Levels
//
// Every loop exists in plain Go, and on amd64 in assembly for AVX2 and for AVX-512. A
// process computes at one Level, the best that the processor has or what the environment variable
// KINDRED_KERNEL asks for. Each function adds in a fixed order, so equal input gives equal
// bytes at one level; between levels, which add in other orders and round once where
// plain Go rounds twice, the last digits differ. Functions for which they do not say so.
//
// The assembly (the files *_amd64.s and their declarations *_stub_amd64.go) is written by the
// module in the directory gen: make generate. A function Foo has the plain fooGeneric, the
// assembly fooAVX2 and fooAVX512, and a foo that branches on the level: a call through a variable
// would make the arguments escape. Plain Go cuts the work into calls of well under a
// millisecond, because the collector cannot interrupt assembly.
//
// # Promises
//
// Shapes are our own business here: a slice of the wrong length is a bug of the
// caller and panics. Nothing allocates. What is not a number, or infinite, is
// multiplied and added like any other: no function looks for it, and none hides it, so a row with weight 0
// that holds one still spoils the sum. Subnormal numbers are kept.
//
// A row-major matrix of n rows and f columns is a slice of length n·f; symmetric
// matrices keep their lower triangle, and what lies above it is not read.
package kernel
