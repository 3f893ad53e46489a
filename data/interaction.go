package data

import "time"

// Interaction is one act of a person on an item. It is derived from an event
// (data/event.Interactions) and never stored anywhere else first.
type Interaction struct {
	ID      string // the event's id; an event about several items gives several interactions, "id#2", …
	Profile ProfileID
	User    UserID // the person's customer id where the event carried one; for people, not for joins
	Item    ItemID
	Kind    Kind
	Value   float64 // Rating: the rating; Purchase: quantity × price; otherwise 0
	At      time.Time
	Session string
	Request string // the recommendation request that led here, or ""

	Partition int32 // position of its event in the log
	Offset    int64
}

// Impression is one position of a list that was shown.
type Impression struct {
	Request    string
	Profile    ProfileID
	Slot       string
	Model      string
	Arm        string
	Item       ItemID
	Position   int // 1-based
	Score      float64
	Propensity float64
	At         time.Time

	Partition int32
	Offset    int64
}

// Link says that a profile was merged into another one, so that training joins
// their histories. Deleted profiles are linked to "".
type Link struct {
	From ProfileID
	To   ProfileID
	At   time.Time

	Partition int32
	Offset    int64
}

// User is a person as a customer describes them: an id and traits.
type User struct {
	ID     UserID
	Traits map[string]any
}
