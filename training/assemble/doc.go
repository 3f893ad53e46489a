// Package assemble turns interactions, in which people and items have names,
// into what models are fitted on: rows, a matrix, histories.
//
// A Table holds every interaction once, as an Act of 32 bytes, sorted by person
// and then by time, with one vocab of people and one of items. The item vocab is
// the whole catalogue: items that somebody used and items that nobody has.
// Merged profiles become one person and deleted ones vanish here (Links), so
// nothing downstream has to know about either.
//
// The preference of a person for an item is r = max(0, Σ w(act)) over their acts
// on it, where w is features.Weights: the same rule that serving applies to a
// live profile; a hidden item has none. An item with r = 0 was seen but not liked: it is hidden from
// lists and absent from the matrix.
//
// Invariant: a Table is a function of the interactions and their order, and is
// not changed once built.
package assemble
