// Package rawjson reads and edits JSON without decoding it: a cursor over the
// fields of an object, the value behind a path, an object with some fields replaced.
//
// It is for bytes that package data/event has checked. On other bytes the walk ends
// early or gives nonsense, but it never panics and never reads a byte twice per level.
// Values that are returned alias what they were read from.
package rawjson
