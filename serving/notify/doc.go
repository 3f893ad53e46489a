// Package notify sends changes to other systems: signed webhooks, at least once.
//
//	changes.Feed ─▶ one reader for each partition and webhook ─▶ lanes by person ─▶ POST
//	                        │                                                    │
//	                     cursor in the catalog                    dead letters, after the last try
//
// A webhook's cursor moves behind a page of changes once each of them was delivered or became
// a dead letter; what was delivered before a crash and behind the cursor is delivered again with
// the same Idempotency-Key. A page is cut into lanes by person, so the changes of one person
// arrive in order, and a person whose change is refused holds up only those beside it.
// Webhooks share nothing but the store: one that hangs holds up no other.
//
// Invariants: no change is skipped. At most pageSize changes of each partition and webhook are in
// memory. A webhook connects only where poll's guard allows and follows no redirect.
package notify
