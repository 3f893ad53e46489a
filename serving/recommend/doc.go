// Package recommend is the story of a request: one snapshot, one profile, one
// ranked list.
//
//	snapshot := live.Load()                     one model and one catalog
//	profile  := the person, read-your-writes    serving/online
//	taste    := features.Preferences(profile)   newest action first
//	list     := the blend's k best rows         model/hybrid: exact, without scoring every item;
//	            seen, hidden, closed rows out; filters; ties by item id
//	reasons  := the blend's parts, past items and terms behind each
//
// Nothing about people is precomputed, so each answer reflects the last event. Somebody nobody
// has met is no error: the components that know nothing about them are left out
// and popularity remains. Without any model the answer comes from the live
// popularity counters and says model "none"; a server that has neither answers with
// an empty list.
//
// # Kept answers
//
// An answer is kept by everything that it depends on: the snapshot (model and
// catalog, by Serial), the profile (id, version, place in the log, history), whether it is known and stale, and
// every parameter; the request's id, user, slot, context and time are not part of it. So the same question
// is answered with the same list, and any change asks anew. What depends on the time
// or the live counters is never kept. Each answer is an impression, kept or not. It is kept as JSON, which is what a
// request gets; an erased person's answers are dropped by Forget.
//
// # Shares
//
// A blended score is a sum of parts, one per component. A reason's share is its
// part of the positive parts, so the shares of an item sum to 1. A cause's share is
// a past item's part of what the component gained from past items; it looks at the
// newest Config.ExplainHistory of them, and each component prepares its explanations
// once an answer, not once an item.
//
// # Similar items
//
// Each component that can compare items (als: cosine of factors; itemitem: cosine
// of who used them; content: cosine of terms) is scaled so that its best match has
// 1, and the components that know the item are averaged.
//
// Invariants: the same snapshot, profile, request and time give the same items in
// the same order; a list never holds an item that is hidden, deleted or excluded.
package recommend
