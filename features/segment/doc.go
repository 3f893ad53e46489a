// Package segment compiles segment rules and folds people under them: who is in which
// segment now, since when, and when that will change although nothing happens.
//
// A rule is a condition in CEL over a person's events, traits, sessions, affinities,
// scores, clusters and other segments, with words about time around it (Rule). Compile
// checks a rule set as a whole: every aggregate becomes a slot (package slot), equal ones
// one slot; each rule is indexed by what it reads, so that an event touches only rules that it
// could move; times at which a condition can change by itself are solved, not polled; cost and
// bytes are bounded before anything runs.
//
// # Meaning
//
// A condition is true, false or unknown: what is missing or of the wrong type is unknown, && and ||
// absorb it where the other operand decides, and a rule whose condition is unknown has nobody.
// With when(T), exit(T) the conditions at log time T and without cooldown and its like:
//
//   - somebody outside enters once when has held for For, unless exit holds, the parent or
//     the consent is missing, Cooldown has not passed since they left, or they left by TTL and
//     when has not failed since;
//   - somebody inside leaves once exit holds or, without one, when has failed for For, but
//     MinStay after entry at the earliest; and at once without parent or consent, or
//     TTL after entry;
//   - of a Group a person is in one at most: who is in one changes to another that is
//     ready only if it is worth more by Margin, worth being the value of Score or else Priority.
//
// # Bytes
//
// All state of a person is a byte slice: memberships, slots by the hash of their meaning,
// and when to look again. It outlives changes of the rule set: slots of the same
// meaning stay, others go, and all rules are looked at once more.
//
// # Beside the fold
//
// Explain says why somebody is where they are and what comes next; Backtest plays pasts under a set and
// counts its days, Diff compares two sets on people as they are, Lint reads a backtest. Package
// starter has segments to begin with. What rules mean over time is written down in testdata/*.scenario.
//
// Two things are looked for only when something else looks at the person: a change within a group by two
// scores that fade at different speeds, and the end of a session, which the fold brings.
//
// Invariants: no clock, no I/O, no randomness, no order of maps. The same calls give the same
// bytes. A Set is immutable; a Work belongs to one goroutine and keeps nothing of anybody.
package segment
