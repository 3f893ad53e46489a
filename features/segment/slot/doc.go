// Package slot computes the aggregates that segment rules read: how often, how much,
// how many different, since when, in which order.
//
// A Spec says what is computed; a State is what one person's events have made of it.
// Adding an event, in any order of event times, is merging with that event alone, so
// that late events, shuffled deliveries and merged people all come to the same State.
// Value reads it at a time; Next says when the value can change although nothing
// happens, so that whoever asks need not poll.
//
// # Meaning
//
// With E the person's events that match a source, t their times and T the time of the
// reading, a scope selects
//
//	Ever            {e ∈ E : t ≤ T}
//	Within(W)       {e ∈ E : T−W < t ≤ T}
//	Between(A, B)   {e ∈ E : T−A < t ≤ T−B}
//	Session         {e ∈ E : e belongs to the session that is open}
//
// and a kind computes Count, Sum, Avg, Min, Max of a field, Distinct values of a field,
// First and Last value of a field (ties by message id), LastAt, the time of the last
// one, and Decayed = Σ w·2^(−(T−t)/h), w the weight of the event's source. Of several sources,
//
//	Followed(A, B, W)     some a ∈ A, b ∈ B with a < b ≤ a+W, b ≤ T
//	NotFollowed(A, B, W)  with a the latest A at or before T: T ≥ a+W and no B in (a, T]
//	Sequence(S…, W)       some s₁ < s₂ < … of the sources in this order, the last ≤ s₁+W and ≤ T
//
// Function Naive is this definition, word for word; the tests hold every State against it.
//
// # Exactness
//
// A Count that is compared with at most MaxRing is a ring of its newest times and exact.
// Other windows are up to Panes panes of equal width: a reading misses at most the oldest
// part-pane (package window). Distinct is exact up to MaxDistinct values and stays there. Followed and
// Sequence look at the newest MaxSteps events of a source that are not yet older than
// the horizon. Decayed is exact up to rounding.
//
// # Size
//
// States hold no more than Spec.MaxBytes when encoded, whatever happens.
package slot
