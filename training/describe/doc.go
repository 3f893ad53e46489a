// Package describe says in words who is in a machine-made cluster, and proposes the segment
// rule that would select the same people.
//
// In words: by dimension of the behaviour vector, the difference of the cluster's mean from everybody's, in
// standard deviations of everybody; the largest are told, with the mean itself.
//
// As a rule: a shallow CART tree (Breiman et al., 1984) over the dimensions that rules can
// say, one cluster against all others, grown by golearn on a bounded sample. The paths to its leaves
// "inside" become one condition in CEL. Thresholds are rounded to what a rule can say before
// precision and recall are measured, on rows that the tree never saw.
//
// golearn can panic, has no limits of its own and is quadratic in rows. So Grow runs in a child process
// (Child) that the caller starts, and everything here does without it: no tree, no proposal.
//
// Invariants: this is the only home of golearn; a proposal compiles; the same input gives the same answer.
package describe
