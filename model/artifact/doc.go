// Package artifact turns a training run's models into one immutable file and back.
//
// # Format
//
// All numbers are little-endian.
//
//	magic     5 bytes  "KNDRD"
//	version   1 byte   1
//	count     2 bytes  number of sections
//	table     count × 64 bytes:
//	            name    16 bytes, ASCII, padded with zeros
//	            offset   8 bytes, from the start of the file
//	            length   8 bytes
//	            sha256  32 bytes of the section
//	sections  back to back, in the order of the table, from the table's end
//	checksum  32 bytes  sha256 of everything before it
//
// The sections are, in this order and each at most once: "meta" (JSON, required),
// "items" (vocab, required), "als", "itemitem", "content", "popular", "hybrid",
// "cluster". What is inside each is its package's business and starts with a version
// of its own.
//
// A reader checks the checksum first, then that the table describes exactly the
// bytes there are, then each section's sum, and only then decodes; no size is
// believed before it was compared with the bytes at hand. A file of another version, or with a section
// this build does not know, is a *VersionError: take it to a newer build, it is not
// damaged. Anything else that is wrong is a *CorruptError.
//
// Invariants: equal bundles have equal bytes; all models of a bundle know the same
// number of items, in the rows of its vocab; the blend names only scorers that are there.
package artifact
