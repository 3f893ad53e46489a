// Package features folds events into profiles. It is the one definition of every
// feature: the code that follows the live stream is the code that rebuilds
// history, so what a model was trained on is what it is asked about.
//
// Builder.Fold is a pure function of (partition state, profiles, record). It
// reads no clock, draws no random number, starts no goroutine and lets no map
// order reach its output; "now" is the largest received stamp or tick folded so
// far. What it reads and writes goes through a Memory, which the stream fills
// from the stores and a test fills with nothing.
//
// # Order of effects
//
// Time first: every timer due at or before the record's now fires, in (time,
// profile, slot) order. Then, for an ordinary event: duplicate, redirect, age,
// identity, consent, traits, session, history and recents, slots, affinities,
// engagement, counters, cluster, and last the link to another profile if the
// event revealed one.
//
// # The state and its arithmetic
//
//   - Windows hold (now − W, now]. Counts over one hour come from a ring of the
//     newest 65 times and are exact to 64; longer windows are 64 panes, exact but
//     for at most one pane at the trailing edge (1/64 of W).
//   - A decayed sum is S(t) = Σ wᵢ·2^(−(t−tᵢ)/h), kept as (S, T).
//   - Affinities keep the 64 strongest values of a facet by space-saving (Metwally,
//     Agrawal & El Abbadi, "Efficient computation of frequent and top-k elements in
//     data streams", 2005): a newcomer takes the place and the sum of the weakest,
//     so a kept sum overestimates by at most the sum of what it replaced.
//   - Traits: last writer by event time wins, ties by event id, then by value.
//   - History: one entry an item, the newest 2,000 by event time.
//
// Merge joins two states. On counts, rings, panes, traits and history below its
// cap it is an exact commutative monoid; on decayed sums it is one up to rounding
// (1e-9). Recognising a merge by its source makes folding it twice change nothing.
//
// # Invariants
//
//   - The same log gives the same bytes, however it was cut into batches.
//   - Any arrival order within the allowed lateness gives the same counts, windows,
//     traits and history, and the same decayed sums up to rounding.
//   - A profile is bounded. Config.MaxProfileBytes covers everything but History,
//     which has its own cap; over budget, the oldest and least goes first (budget.go).
//
// # Two ways of folding one event
//
// apply folds an event into a data.Profile; it is the definition, and what Merge and
// everything seldom works on. applyInPlace folds a usual event, which nearly all are,
// into the compact form of the profile (package compact) and allocates nothing. plan
// decides between them before anything changes, and a test folds whole logs both ways
// and compares every stored byte.
//
// The sub-packages hold the parts that need no profile: identity (which profile an
// event belongs to), session, window; compact holds the people of a Memory. Package
// features/stream owns the loop.
package features
