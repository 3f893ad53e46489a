// Package quota decides who may send how much. It has four limits, each off when its
// rate or bound is zero:
//
//   - calls per second of one source (API key): a body above it is refused whole;
//   - calls per second of one person (profile): above the soft limit a call is kept
//     and flagged bot.rate, above the hard one it is refused;
//   - users per second of one anonymous id, since anybody can craft a link that
//     sets a user id;
//   - bytes and bodies in flight, so that memory stays bounded at any load.
//
// A rate is kept by the generic cell rate algorithm (ITU-T I.371, annex A), the
// form of the token bucket whose state is one number: the time at which the bucket
// is full again. A source's is one atomic word. Persons' stand in a table of fixed
// size, in sets of eight with a lock each; where a set is full, the bucket that is
// nearest to full gives way. A bucket that is full again is the same as none, so
// nothing is forgotten that matters until a set holds eight persons who are all
// being metered at that moment. An anonymous id that gave way comes with a first user again, which is free.
//
// Invariant: forgetting errs to the lenient side alone. Nobody below a limit is
// flagged or refused for what others did, except that sources beyond max_sources
// share one bucket. (Persons are told apart by a keyed 64-bit hash.)
//
// Nothing here allocates once a source is known, and nothing waits.
package quota
