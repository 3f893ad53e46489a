// Package vocab joins names to rows: a Vocab is a sorted list of distinct keys,
// and a key's row is its place in that list. Because rows follow the order of
// the keys (bytewise), "ties by lower row" and "ties by item id" are the same rule.
//
// Invariant: a Vocab never changes after New or UnmarshalBinary, so it may be
// shared by any number of goroutines, and Key(Row(k)) = k for every key.
package vocab
