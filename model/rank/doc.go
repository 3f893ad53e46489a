// Package rank turns scores into a list: the k best rows, best first, with
// hidden rows left out before the cut, so that a heavy user gets a full list too.
//
// Invariants: order is by falling score, then by rising row, so equal input gives
// equal output; a row whose score is NaN is never ranked.
package rank
