// Package popular scores items by how much they are used lately, the same for
// every person: the answer for somebody nobody has met, and the baseline that
// every report prints.
//
// An item's popularity is an exponentially decayed sum of interaction weights,
//
//	S(t) = sum_i w_i · 2^(−(t − t_i)/h)
//
// with half-life h (forward decay: Cormode, Shkapenyuk, Srivastava & Xu, "Forward
// Decay", ICDE 2009). Two sums are kept per item, a long one and a short one. A
// steady stream of r weight units a second settles at S = r·h/ln 2, so
// S·ln 2/h estimates the rate, and the trend of an item is its short-window rate
// over its long-window rate, both relative to the catalogue and smoothed by a
// pseudo-weight a = κ·ln 2/h_long:
//
//	trend = (rate_short/G + a) / (rate_long + a),   G = sum rate_short / sum rate_long
//
// It is 1 for an item that moves like the catalogue, 1 for an item nobody uses,
// and above 1 for one that gathers speed.
//
// Invariants: addition and merging commute up to rounding, so partial sums of
// partitions can be added; scores never depend on the person. The package reads
// no clock: "now" is an argument, in Unix milliseconds.
package popular
