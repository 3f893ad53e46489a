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
// Invariants: on the cases it was given, the learned blend is never worse than the
// best component alone; the parts of a score sum to it; the same input and seed
// give the same weights for any worker count.
package hybrid
