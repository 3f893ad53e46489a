// Package stream owns partitions: it reads their log, folds it into profiles and
// saves the result.
//
//	load     cursor and state of the partition, once
//	read     the next records of its log
//	fold     features.Builder, pure: no clock, no chance
//	append   what the fold wants said elsewhere (forwards, absorbs) to the log
//	save     ONE atomic write, on condition that the cursor is as loaded
//
// One goroutine owns a partition. The cursor is saved with the state it belongs
// to, so a crash anywhere loses nothing and applies nothing twice: what was not saved
// is folded again, to the same result. What was appended and then folded again is
// in the log twice and dropped by its receiver. An owner that has been replaced
// finds another cursor at its save (data.ErrStale), saves nothing, and starts over
// from what is stored.
//
// # Time
//
// The fold's time is in the records. When a timer is due and nobody writes, the
// worker appends a tick, at most one a second; an idle partition without timers
// gets none. Waiting costs nothing: the log wakes the loop, there is no polling.
//
// # Batches
//
// Where few records come, each is folded and saved at once. After a batch of 256 or more
// the loop waits until the next is full, at most 100 ms, and no longer than until
// somebody asks for what is not folded yet (WaitFolded). How records fall into batches
// changes no byte.
//
// # Poison
//
// A record that cannot be decoded, or that makes the fold panic twice, becomes a
// dead letter with its reason; a skip record in the same partition says so, and a
// replay, which may be another build, skips the same record.
//
// # Replay
//
// Replay folds a partition's log again with the skips it already knows, and
// appends nothing: what the first fold emitted is in the log. Equal log, equal bytes.
//
// Invariants: only this package calls Save. Effects are once, outputs at least once
// with deterministic ids. Memory per partition is bounded by Options.CachedProfiles,
// by a million texts or 64 MiB of them, and by the catalogue (popularity counters). What
// the fold keeps of a record it copies: events alias the records of their batch.
package stream
