// Package reload reads files again when they change, for what an operator edits while the
// server runs: rules, lists, plans.
//
// A change is a size or a modification time that differs from what was read. Whoever uses it
// keeps the former contents in force where the new ones are wrong, and says so once.
package reload
