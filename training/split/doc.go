// Package split divides interactions into what models are fitted on and what
// they are judged by.
//
// The protocols:
//
//	time           one cut in time for everybody: what happened at or after it is the holdout
//	user-time      each person's last max(1, floor(n/5)) interactions by (time, item id)
//	given          the files say
//	leave-one-out  the files' target and negatives where given, else each person's
//	               last interaction, ranked against the whole catalogue
//	session        every prefix of each held-out session; the target is what came next
//
// What a person already used before the holdout is hidden from their lists and is
// never relevant, except in sessions, which repeat themselves.
//
// Inner repeats the division inside a training part, so that anything that is
// tuned is tuned as it will be judged, without a look at the holdout.
//
// Invariant: no act of the holdout is in the training part, and under time every
// act of the training part is before every act of the holdout.
package split
