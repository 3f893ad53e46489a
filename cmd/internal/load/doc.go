// Package load drives a running server as its clients would and measures what
// they would notice: how many requests a second, how long each took, and how soon
// an event shows in a recommendation.
//
// # What is sent
//
// A Stream is a pure function from (seed, index) to an operation: an ingest batch of
// tracking calls, a request for recommendations, the no-op route, or a freshness
// probe. Popularity of people and items is Zipf; shares of the calls are resent
// under a messageId that was used before, late, sent by a client whose clock is
// wrong, or made by a few bots. Nothing but the stamps and the run's id, which
// keeps a second run from being all duplicates, differs between two runs of a seed.
//
// # When it is sent
//
// Closed loop: each client sends its next request when it has the answer to the
// former. Open loop: arrivals are drawn beforehand (uniform or Poisson, shaped by
// a compressed day and by spikes) and a request's latency counts from when it was
// due, not from when a client came to it, so that a server that stalls cannot
// hide it (the coordinated omission). What was due and never sent is counted and
// enters the histogram with the time it had waited.
//
// # How it is measured
//
// Latencies go into logarithmic buckets of at most 1/128 relative width, as in
// HdrHistogram. Connections are HTTP/1.1 over net.Conn: with net/http's client a small
// request costs nearly twice as much on both sides together (go test -bench Client),
// and both share the machine here. The report says what the generator itself used.
// Answers 429 are waited out as tracking clients do (Retry-After, then the same
// body again with X-Retry-Count) and counted.
//
// Invariant: nothing is sent to an address that is not loopback unless
// Config.AllowRemote says so; the address is resolved once and only that is dialled.
package load
