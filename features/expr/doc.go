// Package expr is the one place that knows CEL (cel.dev/cel-go): ingest mappings,
// segment rules and shop rules are compiled and evaluated here.
//
// An Env declares the names an expression may use; Compile parses, checks the type,
// bounds the cost and gives a Program, which is safe for concurrent use. An Error
// carries line, column and, where a name is nearly right, the right one.
//
// Customers' data is JSON of no declared type, read where it stands: JSON(raw) is a CEL
// value over bytes, whose fields are looked up when an expression asks for them, so
// that an event is never decoded as a whole. JSON numbers are doubles, whole or not,
// because a price of 60 and one of 59.9 must behave alike; only whole numbers beyond
// 2^53 are ints, so that long ids stay what they are. Numbers of all types compare.
//
// A field that is missing is an error of that operand: && and || absorb it where the
// other operand decides; has(properties.x) asks; properties.?x.orValue(0.0) falls back.
//
// Invariant: evaluation is bounded. Parsing is bounded by the text's length, nodes and
// nesting; the static cost for inputs of MaxInputBytes is refused above MaxCost; an
// expression with a loop counts its cost while it runs, too. Regular expressions are
// RE2's. There is no clock, no randomness and no I/O in the language.
package expr
