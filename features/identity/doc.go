// Package identity decides which profile an event belongs to.
//
// Ingest calls Route with the identifiers of a message and a lookup into the
// identity index. The index may be behind: a stale answer costs one hop, because
// the fold forwards what arrives at a profile that has been merged away. Nothing
// here merges anybody; the fold does, when a profile that only an anonymous id
// has led to reveals a user id.
//
// Rules:
//
//   - identifiers that everybody shares ("null", "guest", zeros, …) identify nobody;
//   - user id alone: the profile the index names, else the one derived from the id;
//   - anonymous id alone: likewise;
//   - both: the anonymous profile while nobody owns the anonymous id (its fold will
//     link it), else the user's profile. An anonymous id that another person owns is
//     a shared device: the event is the user's, and the two people are never merged.
//
// Invariant: two user ids never lead to one profile.
package identity
