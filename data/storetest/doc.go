// Package storetest holds the promises that every store keeps, as suites that each
// implementation runs unchanged: the embedded ones always, those on Kafka, Redis
// and PostgreSQL where such a server is.
//
// A suite gets a function that opens a store by name. The first open of a name finds
// it empty, a later one finds what was acknowledged before; names are unique within
// a test binary's run. A name may be a directory, a topic prefix or a key prefix.
// The suite closes what it opens.
//
// Invariant: the suites know no implementation. What one of them cannot promise does
// not belong here.
package storetest
