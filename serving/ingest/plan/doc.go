// Package plan holds events against a tracking plan: a file in git that says, for each event's
// name and version, which properties, traits and context it has, as JSON Schema 2020-12.
// docs/tracking-plan.md is for who writes one.
//
// A plan is compiled once and immutable; Stage swaps in another whole when the files change, and
// keeps the former where the new ones are wrong. Every event gets e.Schema, {"ref":"Product
// Viewed@3","status":"valid"}; what becomes of an invalid or unknown one is its mode's
// business: off and warn keep it, quarantine and reject send it to the dead letters with the
// path of each violation and what would be right. Counters tell events, fields and rules
// apart; Report says what arrives beside what was planned; Infer drafts a plan from events.
//
// Numbers are read as 64-bit floats, in events and in schemas: the arithmetic of the schema
// library is exact, and an exponent of a billion would make it fill the memory.
//
// Invariant: loading and checking are bounded for any bytes: sizes, depths, references to other
// files (none), regular expressions (RE2), and how often a schema may look at one value (Check
// of work in work.go). No clock, no network: times come from the events' received stamps.
package plan
