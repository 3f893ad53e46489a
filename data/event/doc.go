// Package event is the wire format: bytes to data.Event and back, the envelope
// that a log record holds, tracking calls to canonical events, and the one
// derivation of interactions from events.
//
//   - Decode and Append read and write the canonical JSON event. Append is
//     deterministic: fields in a fixed order, empty ones absent, times as RFC
//     3339 UTC with milliseconds, unknown fields last in name order.
//   - Seal and Open wrap it into the envelope of a log record: one version byte,
//     the id of the key it is encrypted with (0: none), the payload.
//   - ParseCall and Call.Canonical turn what trackers send (Segment's
//     specification) into canonical events, with the clock corrected.
//   - Decoder, Parser and Split are the same three for who reads many: one pass over
//     the bytes, memory that is used again, strings that alias the input, no
//     allocation in the steady state. They understand what Append and trackers
//     usually write and leave the rest, every mistake above all, to the general
//     readers, which alone say what is refused and why.
//   - Interactions says which acts on which items an event stands for. The fold,
//     the lake and the readers of public data sets all call it, so that there is
//     one definition.
//
// # What is refused
//
// encoding/json repairs what it does not like: it replaces bad UTF-8 and lone
// surrogates by U+FFFD and lets the last of two equal names win. Two readers of
// the same bytes may then see two events, so this package refuses instead: bytes
// that are not UTF-8, lone surrogates, names that occur twice in one object (at
// any depth), numbers that no float64 holds, more than MaxDepth levels, more than
// MaxBytes bytes, and, in a canonical event, unknown fields inside the objects
// that are ours (ids, t, session, items, rec, …). Unknown fields at the top level
// are kept in Event.Extra and written back. null means absent everywhere.
//
// Invariants: Decode never panics and never repairs; Append(Decode(x)) is a fixed
// point; a one-pass reader that accepts gives what the general reader gives, to the
// byte, which is fuzzed, and gives up otherwise; nothing here reads a clock, draws a random number or does I/O.
package event
