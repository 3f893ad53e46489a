// Package schedule decides when to train: at the moments of a cron spec, or once
// N new events have come in since the last run, whichever is first.
//
// A Scheduler asks for a lease, by the catalog's clock, before it runs, and renews
// it at a third of its life while the run lasts. Losing it stops the run: another
// process may have begun its own, and the fencing number of the lost lease no
// longer publishes anything. Somebody else's lease is no error; the run is theirs.
//
// Time is a parameter only in the sense of the standard library: tests run the
// Scheduler in a testing/synctest bubble.
//
// The events that the last run has seen are read from the store, not remembered: a
// restart forgets none, and a run that another process made counts.
//
// Invariant: at most one run at a time in this process, none after Run returned,
// and none without the lease.
package schedule
