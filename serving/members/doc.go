// Package members knows who is in which segment: exact counts, lists, and sets of segments, now
// and as of past days.
//
// It follows the changes that the fold publishes. A person who ever entered a segment has a number,
// and a segment is a bitmap of numbers (roaring). Beside it lies one bitmap for each of the last
// days: whose membership is another at the end of the day than at its beginning. As a day's end is
// the present with the later days' bitmaps applied (exclusive or), any past day is exact, and a day
// costs what changed on it, not what there is.
//
// Everything is in memory and can be built again from the changes; a checkpoint saves having
// to. Who is deleted is forgotten, in the past days, too.
//
// Invariants: the same changes give the same answers, wherever a checkpoint lay. Applying a
// change twice changes nothing. Numbers are not given twice. Days older than Config.Days are dropped.
package members
