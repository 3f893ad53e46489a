// Package window counts and sums over sliding windows and decayed time.
//
// Three representations, all of them values that merge:
//
//   - Ring: the newest n event times. Counts over (now−W, now] are exact up to n−1;
//     a full ring says "n or more".
//   - Panes: W split into n panes of equal width; events with
//     Index·width ≤ t < (Index+1)·width share one. A reading at now covers the n newest panes, so
//     it misses at most the oldest part-pane of (now−W, now]: an error of at most
//     1/n of W at the trailing edge, and none anywhere else.
//   - Decayed: S(t) = Σ wᵢ·2^(−(t−tᵢ)/h), kept as (S, T).
//
// Times are Unix milliseconds of event time. A late event goes to its own place;
// one older than the window is dropped. Nothing depends on the order in which
// events arrive: Ring and Panes not at all, Decayed up to rounding.
//
// Invariant: for all three, merging is commutative and associative, and adding an
// event is merging with that event alone.
package window
