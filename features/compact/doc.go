// Package compact keeps many profiles in little memory, which the garbage collector
// need not look at, and folds usual events into them where they lie. data.Profile is
// the view of a profile that is made on demand, its codec the stored form; both hold
// exactly what the compact form holds.
//
// # Layout
//
//	Person      176 bytes in slabs: what every profile has
//	block       of the arena, one a person: their lists, one after the other
//	            (parts.go); blocks are of 8-byte words, at most an eighth of each is
//	            idle, and freed ones are used again, by size
//	Symbols     every text that people share, once: items, event names, facets with
//	            their values; a profile holds 4-byte numbers
//	table       profile id to Person, open addressing, 8 bytes an entry
//
// The lists: recents (32 bytes an event, ids that are UUIDs in binary), history (16
// bytes an item, 48 where an entry does not fit: ratings, large or fractional
// weights), affinities (18 bytes a value), windows (units of 2 bytes, see windows.go),
// papers (bytes: identifiers, names of sessions, what is rare), clusters (40 bytes), and
// the days of the message ids of package features' dedup, whose ids (8 bytes each) have
// blocks of their own. Lists that change at their newest end are kept oldest first.
//
// # Open and closed
//
// A profile that has no compact form (times before the year −2,489, an id of another
// form, windows of another build, identifiers of 4 KiB and the like) is kept as a
// data.Profile, and so is one while it is open: Open unpacks it for changing it at
// will, Close packs it again. So everything that happens seldom is written once, for
// data.Profile, in package features, and only what happens with nearly every event is
// written here a second time.
//
// # Invariants
//
//   - Close then Unpack gives back the same profile, and AppendBinary its bytes, which
//     it writes straight from the compact form.
//   - AddRecent, AddHistory, AddAffinity, CountEvent and Shrink do to the compact form
//     what package features does to a data.Profile, to the bit.
//   - Person.Size is what package features estimates for the same profile.
//   - A change of a profile whose lists and texts are in place allocates nothing.
//   - Nothing depends on the order of the tables, whose hash has a seed of its own.
//   - Texts of Symbols are never changed or given back; a Store that has met too many
//     is thrown away as a whole.
package compact
