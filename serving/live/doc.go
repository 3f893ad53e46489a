// Package live holds what a request reads: the current model joined with the
// catalog, as one immutable Snapshot behind one atomic pointer.
//
// Run follows the catalog: it polls the current model version and the items'
// version every Config.Poll. A new model is read, decoded, joined with the whole
// catalog and probed (every component and the blend must answer a handful of
// histories, the newest real ones among them, with finite scores) before the
// pointer moves. A model that cannot be read or fails its probe changes nothing:
// the old one goes on serving, Status says why, and the load is tried again
// after Config.Retry. Where nothing serves yet, the catalog's former model takes its
// place meanwhile. Changed items become a new Snapshot of the same model; an
// API write calls Refresh and is in the next answer.
//
// # Rows
//
// A Snapshot has rows [0, n) for the items of the model's vocab, by id, followed
// by [n, n+e) for catalog items that the model has not met, again by id. The
// content model is extended by the latter, so that a new item can be recommended
// and compared at once; the other components have nothing to say about it.
// Items the model knows and the catalog never held are shown by id; items the
// catalog deleted or hides are closed: never shown. Deleted items beyond the model
// have no row; the Snapshot keeps their ids, because counters outlive them.
//
// # Memory and cost
//
// A model's Index (package model/hybrid) is built once when it is loaded and serves
// every later Snapshot of it. With f factors it adds about 5·(f+1) + 13 bytes an item
// to the components' own, 340 for 64 factors; an item's facts are about 200 bytes and its
// texts. A million items of 64 factors take about a gigabyte in all.
//
// A changed item of the model copies its page of 512 rows; rows that open or close, or
// change categories, cost O(rows/64) words more. Changed items beyond the model cost O(items beyond),
// each analysed once. The rows that a filter allows are kept, laid out for the
// index, until a category or a price changes.
//
// Invariants: a Snapshot never changes, so a request that loads it once sees one
// model and one catalog; a failed load never takes a model away; nothing here
// knows what a person is.
package live
