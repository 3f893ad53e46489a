// Package data is the vocabulary of Kindred: the nouns that every other room
// uses, and nothing that acts on them. A word means one thing:
//
//   - an Event is one decoded message, the unit of the log;
//   - an Interaction is one act of a person on an item, implicit feedback
//     derived from an event;
//   - an Impression is a list that was shown;
//   - a Profile is the bounded state of one person, folded from their events;
//   - a Space is the tenant that everything belongs to and that shares nothing
//     with another.
//
// People and things have names here (UserID, ItemID, ProfileID) and row numbers
// in package model; the two never meet below training and serving.
//
// Invariant: this package imports nothing of ours and does no I/O. How values
// become bytes is decided in data/event (events) and in profile_codec.go
// (profiles); where they are kept is decided in the other sub-packages.
package data
