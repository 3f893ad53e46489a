package data

import "encoding/json"

// Profile is everything Kindred knows about one person, folded from their
// events: bounded, mergeable, and a pure function of the log. Times inside are
// Unix milliseconds of event time unless a field says otherwise; zero means never.
//
// Package features is the only writer. Slices are kept in the order their
// comments give, so that equal states have equal bytes.
type Profile struct {
	ID         ProfileID
	Version    uint64    // number of records folded into it
	LastOffset int64     // offset of the newest of them in the profile's partition
	FirstSeen  int64     // earliest event time
	LastSeen   int64     // latest event time
	Redirect   ProfileID // set when the profile was merged into another; the rest is then empty
	Deleted    bool      // tombstone: erased on request

	Identity   []Identifier  // by (Kind, ID)
	Merges     []Merge       // in log order; kept for good
	Traits     []Trait       // by Name
	Slots      []Slot        // by ID
	Affinities []Affinity    // by (Facet, Value); at most 64 a facet
	Engagement Decayed       // engagement score's accumulator, half-life 7 days
	Session    Session       // the current or latest session
	Previous   Session       // the one before it
	Sessions   uint32        // how many sessions there were
	Recent     []RecentEvent // ring of the newest 50 events, newest first
	History    []HistoryItem // distinct items, most recently used first, capped
	Clusters   []Assignment  // by Model name
	Segments   []byte        // state of the segment rules, in the form of package features/segment
	Consent    json.RawMessage
}

// Identifier is one id that leads to a profile.
type Identifier struct {
	Kind      IDKind
	ID        string
	FirstSeen int64
	LastSeen  int64
}

// Merge records one absorbed profile. Source is the position that emitted it,
// "partition/offset/k", and makes folding the same merge twice change nothing.
type Merge struct {
	From   ProfileID
	Source string
	At     int64 // log time
}

// Trait is one attribute of a person: last writer by event time wins, ties by Source.
type Trait struct {
	Name   string
	Value  json.RawMessage
	At     int64
	Source string // id of the event that set it
}

// Slot is one sliding-window aggregate: non-empty panes, oldest first.
// Features that need exact expiry keep a ring of timestamps instead.
type Slot struct {
	ID    uint64 // hash of the slot's definition
	Panes []Pane
	Ring  []int64 // event times, oldest first
}

// Pane is one part of a paned window: events with Index·width ≤ t < (Index+1)·width.
type Pane struct {
	Index int64
	Count uint32
	Sum   float64
}

// Decayed is an exponentially decayed sum S valued at time T:
// S(t) = S·2^(−(t−T)/h) for half-life h.
type Decayed struct {
	S float64
	T int64
}

// Affinity is the decayed interest in one value of one facet.
type Affinity struct {
	Facet string
	Value string
	Decayed
}

// Session is one run of events with gaps below the inactivity gap.
type Session struct {
	ID        string // the tracker's id, or derived from the first event's
	Start     int64  // event time of its first event
	End       int64  // event time of its latest event
	Events    uint32
	PageViews uint32
	Items     uint32 // item interactions
	Purchases uint32
	Closed    bool // its inactivity gap has passed in log time
}

// RecentEvent is one of the newest events of a person.
type RecentEvent struct {
	ID   string
	Name string
	Item ItemID // first item, or ""
	At   int64
}

// HistoryItem is a person's whole relation to one item: what fold-in, item-to-item
// scoring and hiding of seen items read.
type HistoryItem struct {
	Item   ItemID
	Kinds  uint16  // bit 1<<Kind for every kind seen
	Count  uint32  // interactions
	Value  float64 // newest rating, or 0
	Rated  int64   // event time of that rating, or 0; makes "newest" independent of arrival order
	Weight float64 // summed kind weights, see features.Weights; may be negative after a hide
	Last   int64   // event time of the newest
}

// Has reports whether the person did k to the item.
func (h HistoryItem) Has(k Kind) bool { return h.Kinds&(1<<k) != 0 }

// Assignment is the cluster a person is in, by one model.
type Assignment struct {
	Model      string  // clusterer's name, "behaviour"
	Version    string  // model version that decided
	Cluster    int32   // stable number
	Distance   float64 // to the centroid, in scaled feature space
	Confidence float64 // 0 to 1: 1 − d(best)/d(second best)
	Since      int64   // log time of entry
}
