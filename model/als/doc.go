// Package als factorises people × items by implicit alternating least squares: a
// person u has factors w_u, an item i has factors h_i, both of length f, and the
// score of the pair is w_u·h_i.
//
// # Objective
//
// With S the observed pairs, S_u and S_i those of one person and one item, |U| people and |I| items,
//
//	L = Σ_{(u,i)∈S} c_ui (1 − w_u·h_i)² + a0 Σ_u Σ_i (w_u·h_i)²
//	  + λ [ Σ_u (|S_u| + a0|I|)^ν |w_u|² + Σ_i (|S_i| + a0|U|)^ν |h_i|² ]
//
// (Hu, Koren & Volinsky, ICDM 2008; in this form Rendle, Krichene, Zhang & Koren,
// "Revisiting the Performance of iALS on Item Recommendation Benchmarks", 2021).
// The confidence is c = s·r, r the summed strength of the pair as the matrix
// holds it, and s = 1/mean(r) over the training matrix, kept in the model, so that
// the unobserved weight a0 means the same whatever scale r has.
//
// Objective "hkv" is Hu, Koren & Volinsky's own loss, Σ over all pairs of
// c_ui (p_ui − w_u·h_i)² + λ(…): values are confidences c (1 where unobserved), and a0 = 1,
// ν = 0, s = 1. It is the one of the Python library implicit; Implicit() is its configuration.
//
// # Solvers
//
// Fixing one side makes L a separate least-squares problem for each row of the other:
//
//	(a0·HᵀH + λ_u I + Σ w_i h_i h_iᵀ) x = Σ b_i h_i,   (w, b) = (c, c), or (c−1, c) for hkv.
//
// "cholesky" solves it in float64, exactly, in O(n_u f² + f³). "cg" takes a few steps of
// conjugate gradient from the row's former value in the eigenbasis of a0·HᵀH, where
// that matrix is a diagonal D: D + λ_u is the preconditioner and no step costs f².
// Both sides are rotated into the basis, which changes neither products nor norms. The
// decomposition is exact to float64 (function eigen), so D is the matrix itself, not an approximation of it.
// Rows gather the other side from a copy in half precision where the processor decodes it
// (kernel.Current above Generic) and it is large: loss and NDCG are equal to four digits, and half the bytes are what a large
// fit waits for. The Gram matrix and the factors themselves stay float32.
//
// Overrelaxation moves each row ω = 1 + Overrelaxation times as far as its solution is away
// (successive over-relaxation of the two blocks; D. M. Young, "Iterative Methods for Solving
// Partial Difference Equations of Elliptic Type", 1954). A half-step that moves ω < 2 times as far as a quadratic's minimum still takes
// ω(2−ω) of its gain, so the loss falls as it does without, and the slow directions, in which both sides
// follow each other, are left behind.
// The first and the last iteration move plainly.
//
// A row of more entries than a worker gathers at once is worked on piece by piece; one that all
// but fills the matrix, by all workers together, its pieces added in order. With few factors long rows are
// solved by their Gram matrix (functions direct and solveHuge).
//
// FoldIn is exact whatever the solver was: factored in float32 and corrected by a residual in
// float64 (type equations), 15 µs for 200 interactions and 5 for 20 at 64 factors with AVX-512;
// go test ./model/als -run x -bench FoldIn measures it. Explain shares the factor among all items of a list.
//
// # Memory
//
// Fit holds, beside the matrix it was given: its transpose, factors of both sides, half as much
// again of the larger side in half precision, and for each worker a megabyte of gathered
// rows and O(f²). FitBytes is the sum. No sweep allocates.
//
// # Invariants
//
// A Model is immutable. The same matrix, configuration and seed give the same bytes for
// any worker count: rows are solved independently and Gram matrices are added in a fixed order.
// With "cholesky" the loss never rises. FoldIn is one exact half-step, so after the last
// half-step of "cholesky" it reproduces a training row up to float32 rounding. People's factors stay with the
// trainer: the encoded model holds items only, and people are folded in.
package als
