// Package clean makes an event clean and richer between parsing and routing: a source's
// mapping in CEL, dates, money, categories and units in one form each, the device behind a
// user agent, the place behind an address, the address itself shortened, and how likely
// all this is a program's doing. docs/cleaning.md is for who runs it.
//
// The order is: mapping, dates, aliases, units, money (each sees what the former made), then
// device, bot score and place, which see the whole address; last the address is shortened.
// What comes from files (rules, lists, the geography) is one immutable set behind a pointer
// and is read again when a file's modification time moves; a file that cannot be read then
// leaves the former in force, and the error is reported.
//
// An event whose properties or context a rule has changed goes through package event again,
// so that items, value and bounds are what they would be had the client sent it so.
//
// Invariant: no clock and no network. Rates are counted over the events' received stamps.
// Invariant: in the steady state, with known user agents and no rules, an event costs no
// allocation; every cache and sketch has a fixed bound.
package clean
