// Package changes reads what the fold publishes (data.Change) in the order of its
// partitions, from any position on, as often as wanted.
//
// A position is one point in each partition. What a reader gets behind it never changes: the
// fold is deterministic, so that also a rebuilt store has the same changes at the same places.
// The changes of one person are in one partition, and so in order; those of two partitions
// have no order.
//
// Invariants: a reader that goes on from the position it was given misses nothing. Nobody
// who publishes waits for who reads; what is not read yet stays in the store, not in memory.
package changes
