// Package archive moves a partition's log into the lake, block by block.
//
// A block begins where the previous one ended and ends with the first record that
//
//   - carries log time (the latest received stamp so far) across a boundary of
//     BlockSpan, by default 5 minutes, counted from 1970;
//   - is the BlockRecords-th of the block, by default the 100,000th;
//   - brings the block's values to BlockBytes, by default 32 MiB, so that a block
//     in memory has a bound;
//   - is a flush, which somebody appends who wants to see everything before it
//     in the lake (kindred train).
//
// The record that ends a block belongs to it. Where a block ends is thus a function
// of the log, and with data/lake's deterministic names and bytes any owner of the
// partition, after any crash, writes the same files. The records after the last
// end wait in the log, which is never trimmed beyond the archiver's cursor.
//
// Invariant: nothing here reads a clock. Invariant: the cursor lives in the lake's
// manifest, with the blocks, and nowhere else.
package archive
