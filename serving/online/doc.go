// Package online reads profiles for requests, with read-your-writes: an answer
// reflects everything that the same person sent before asking, or says that it
// is stale.
//
// Ingest notes in an Acks, per identifier, the log position of each event it
// acknowledged. A read first waits (Config.Wait at most, all in all) until the
// partitions have folded the positions noted for the identifiers it asks with.
// Then it resolves the profile through the identity index and follows redirects.
// Where an event of the person was sent to another profile than that, an identify may
// have been folded there, and its absorb record, appended before that fold was saved, may
// still be under way, on the same partition or another: the read waits for what the logs
// of the profiles on the way hold by then. That goes on until all partitions have folded
// everything that the event led to (settled), also when the event itself is folded.
//
// Acks is bounded. Settled positions are forgotten; where it must forget
// others, the partition's newest forgotten position stands in for all of them, so
// a read may wait for too much, never for too little. A restart begins with the
// log's end at that time as forgotten positions.
//
// A list of recommendations needs the person's history alone, which Histories reads in a
// fraction of the time. Where the store says when a profile was written (Stamps) histories are
// kept: a kept one answers only if it was read after the newest write that anybody was told of.
//
// Invariant: Stale is false only if everything acknowledged by this process
// to the identifiers before the read began is in the answer.
package online
