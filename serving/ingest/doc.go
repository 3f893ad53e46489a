// Package ingest takes tracking calls in: bytes of a client's batch become
// canonical events in the log, and the answer goes out once they are durable.
//
// A body is read as Segment's clients write it: one call on the routes of one
// type, {"batch": […]} on the batch route. Every call is judged on its own; one
// that cannot be accepted goes to the dead letters with its bytes and its reason
// and does not disturb its neighbours, because clients throw a whole batch away
// on a 400. Accepted calls get the facets of their items from the live snapshot,
// so that the fold needs no catalog, are routed to a profile (features/identity),
// sealed (data/event) and appended in one write. Positions are noted for
// read-your-writes (serving/online). All of this happens in memory that belongs to
// the request while it lasts and to the next one after it (workbench).
//
// Impressions, the lists that were shown, go to the same log through a bounded
// queue of their own: losing one under pressure costs a training example and is
// counted, delaying an answer for it is not worth it.
//
// Invariant: Service.Accept returns nil only after every event of the body is on
// stable storage, as an event or as a dead letter.
package ingest
