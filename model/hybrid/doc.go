// Package hybrid blends the scores of several components into one, with weights
// that were learned on held-out interactions.
//
// Components score in units of their own, so each one's scores are normalised per
// person over all items first: z-scores (s − mean)/deviation, or ranks mapped to
// [0, 1]. The blend is
//
//	score(i) = sum_c w_c · norm_c(i),   w_c ≥ 0,   sum_c w_c = 1
//
// (linear score combination after standardisation: Fox & Shaw, "Combination of
// Multiple Searches", TREC-2, 1994, CombSUM; Wu, Crestani & Bi, "Evaluating Score
// Normalization Methods in Data Fusion", 2006). A component that has nothing to say about a person
// is left out and the weights of the others are scaled to sum to 1; if none of
// those has weight they count equally. Weights depend on how much is known: one
// set for each range of history lengths that has enough cases to learn from, and
// one for all.
//
// Learn chooses weights that maximise the mean NDCG@k of validation cases by
// coordinate ascent on a grid over the simplex (as Metzler & Croft, "Linear
// Feature-Based Models for Information Retrieval", 2007, do) from several starts: every component alone, all equal,
// and seeded random mixtures.
//
// # The best rows without scoring every item
//
// Standardised scores are linear in the raw ones, so the blend's order over all
// items is that of one inner product plus a sparse rest. With mean m_c and deviation
// d_c of component c's scores for this person:
//
//   - model.Linear, raw q·v_i: adds (w_c/d_c) q · (v_i − v̄). Over items m_c = q·v̄ and
//     d_c² = qᵀ C q in closed form, with the mean v̄ and covariance C of the vectors;
//
//   - model.Constant, raw x_i, standardised once to z_i: adds w_c z_i, one more dimension;
//
//   - model.Sparse: adds (w_c/d_c) s_i to the rows it touched, which are enough for its
//     m_c and d_c as well; −w_c m_c/d_c is the same for all rows.
//
//   - model.Deferred, sparse but with most rows touched by common words: tells its moments and bounds for what it
//     left out, which is computed for single rows.
//
// So an Index holds the vectors (v_i − v̄, z_i), and package retrieve finds the exact best rows by
// their product with one query and an addend, of which it is told bounds; see List.retrieve.
// A row's score is the product in float32 plus its addend, wherever it is computed: Top, Score and
// List.Score agree to the bit on one index, so rows with equal parts tie everywhere and evaluation ranks as serving does. Other
// ways to add the same parts up, the shares of Parts and Blend, differ from it by rounding, and may order rows
// differently that are nearer to each other than that. Rows beyond those of the
// index, items of a catalog that the components were not fitted on, are padded:
// each of them has the mean, 0 when standardised, and the deviation shrinks with
// their number; a sparse component that knows them gives addends as to all others.
//
// Blend, which scores every item with every component, is the textbook twin, and
// what Top falls back to for components without a capability and for ranks.
// Both give a component whose scores differ by rounding alone the value 0.
//
// Invariants: on the cases it was given, the learned blend is never worse than the
// best component alone; the parts of a score sum to it; the same input and seed
// give the same weights for any worker count.
package hybrid
