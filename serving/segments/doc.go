// Package segments is the life of the segment rules in a server: a draft that is edited, checked and
// tried on stored people and on history, versions that are published by a marker in every partition
// and brought up to date by a backfill, and the way back to an earlier one. Shelf gives the fold
// the compiled rules of a version; Service is what routes and commands call.
//
// Invariants: what a version means is a function of the catalog's rows, which never change, so that a
// replay folds under the same slots. The catalog says what is live before any marker does, and
// Run makes the log agree; a backfill that was interrupted is done again from its beginning, which the
// fold notices: each share counts once.
package segments
