// Package embedded keeps everything Kindred owns in one directory, with no server
// beside it: the log and the profiles in one pebble instance (DIR/store), the
// catalog in SQLite (DIR/catalog.db). It is the only home of both libraries.
//
// # Log
//
// One goroutine writes the log. Append puts records into a bounded queue; the
// writer takes what is there, assigns offsets, commits the group as one batch with
// a synced write-ahead log, and only then moves End. Offsets of a partition are
// therefore dense, one Append is atomic, and a reader never sees a record that a
// power failure could take back (pebble itself shows a batch before its log is
// synced). When a sync fails, what is on the disk is unknown, and asking again
// would only hide that (Rebello et al., "Can Applications Recover from fsync
// Failures?", USENIX ATC 2020): the store refuses all further writes until it is
// opened again, and opening reads what is really there.
//
// # State
//
// Save writes everything that folding a batch changed, and the new cursor, as one
// conditional batch. It is not synced: losing a suffix of saves moves state and
// cursor back together and the log is folded again. State and log share one
// write-ahead log, and a fold reads only synced records, so a cursor can not get
// ahead of the log by a crash. If it is ahead nevertheless, files were mixed, and
// Open refuses. What the identity index says is remembered in memory, bounded, and
// forgotten by the Save that changes it before it returns (lookups).
//
// # Catalog
//
// Items, models, jobs, leases and the like. Several processes may use it at once
// (a server, and `kindred train` in another terminal): SQLite in WAL mode, one
// write connection and a small read pool in each, every write transaction
// immediate, durable when it returns (synchronous FULL). Leases use the database's
// clock and fencing numbers.
//
// Invariant: every key and every row starts with its space. The layout of all keys
// is in keys.go; the tables are in migrations.
//
// The promises are kept by the suites of package storetest. Encoding of events,
// profiles and partition states belongs to those who own them; here they are bytes.
package embedded
