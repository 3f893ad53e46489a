// Package dataset reads public interaction files into memory and turns them into
// canonical events.
//
// Read knows nine formats; Describe says of each what its files are and how its
// rows are taken. Files may be plain, .gz or .xz, each by its own suffix. A bad line is
// counted with file, line and reason; more than Options.MaxBad of them fail the reading,
// and then there is no data set. What is wrong with a file as a whole (missing, another
// header, broken compression) fails at once.
//
// A row that a format's own rules make meaningless a second time (a pair of a split
// that is a set of pairs) counts once and is counted in Dataset.Duplicates; everywhere
// else repetitions are acts of their own and stay. Each format's description says which.
//
// Stage writes a data set as a file of events, sorted by time, with message ids that are
// functions of the rows, so that importing the same files again adds nothing.
//
// The directory sample/ml-latest-small holds MovieLens latest-small (F. M. Harper and
// J. A. Konstan, The MovieLens Datasets: History and Context, ACM TiiS 5, 4, 2015), which
// may be redistributed under the terms in the README.txt beside it.
//
// Invariants: no clock is read and nothing is random; a reading has no effect but its
// result; lines are bounded by MaxLineBytes; what was read is in memory, once.
package dataset
