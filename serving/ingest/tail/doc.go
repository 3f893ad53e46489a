// Package tail shows what comes in while it comes in: the accepted events and the
// refused calls of each source, scrubbed, for a debugger.
//
// There are two views. The newest few of each source are always kept, at most so many a
// second, in memory that is used again (Recent). A subscriber sees every event that
// its filter lets through, from a ring that all subscribers share and that is written
// only while there are some, and a moment longer, so that one who comes back with the
// last id that it saw goes on from there. A publisher waits for nobody: who reads more
// slowly than the ring turns misses events and is told how many. An event that nobody
// asked for, from a source that has had its few of this second, costs two atomic loads.
//
// Scrubbing (Scrubber) hides the values of fields with names like email or token, and e-mail
// addresses, phone numbers, long runs of digits and IPv4 addresses in all others and in
// the names themselves. Ids of people are shown as a hash with a key of the process:
// equal ids look equal until it restarts. An event takes at most MaxEventBytes; what is
// beyond is cut, and says so. Names and shapes are a net with holes: a person's name in a
// field called "note" is shown. So the tail needs the rights that reading profiles needs.
package tail
