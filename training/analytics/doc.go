// Package analytics answers what people ask of history as a whole: who comes back,
// who gets from one step to the next, and who buys how recently, how often and for how much.
//
// A History is what the fold applied of a snapshot of the lake: duplicates, late events and what
// people erased are out, and who was merged is one person, exactly as profiles have it.
//
//   - Cohorts are people by when they first did something (or by the campaign that brought them), and how many of
//     each did something again, or bought, k periods later.
//   - A Funnel is how many people did a first thing, then a second, and so on, within a time of the first.
//   - RFM ranks buyers by recency, frequency and money in fifths (Hughes, "Strategic Database Marketing", 1994).
//
// Invariant: pure functions of a History; times are UTC; the same History gives the same tables.
package analytics
