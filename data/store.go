package data

import "time"

// Record is one entry of a partition's log: an envelope (data/event.Seal) and
// its position. Appending assigns the offset.
type Record struct {
	Partition int32
	Offset    int64
	Value     []byte
}

// Timer asks for the fold to be woken for a profile once log time reaches At.
// (Profile, Slot) is its identity: setting it again moves it.
type Timer struct {
	At      int64 // Unix ms of log time
	Profile ProfileID
	Slot    string
}

// Change is one published effect of the fold. (Partition, Offset, K) is its
// identity: the input record's position and the change's number within it;
// offset and K make it deterministic, so consumers deduplicate by it.
type Change struct {
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`
	K         int32     `json:"k"`
	At        time.Time `json:"at"` // log time
	Profile   ProfileID `json:"profile"`
	Type      string    `json:"type"` // session_started, session_ended, cluster_changed, merged, deleted, switched
	From      string    `json:"from,omitempty"`
	To        string    `json:"to,omitempty"`
	Model     string    `json:"model,omitempty"`
}

// DedupKey addresses some of the message ids of one profile. Live ids are kept by
// the UTC day of their original time, until the day is older than the maximum event
// age. Imported ids are kept for good, spread over buckets by their hash.
type DedupKey struct {
	Profile  ProfileID
	Day      int32 // days since 1970-01-01 UTC; the bucket if Imported
	Imported bool
}

// Commit is everything that folding a batch of one partition changed. It is
// saved in one atomic write, together with the new cursor, or not at all.
type Commit struct {
	Cursor   int64                 // offset of the next record to fold
	State    []byte                // the partition's own state, encoded by features/stream
	Profiles map[ProfileID][]byte  // encoded profiles
	Dedup    map[DedupKey][]uint64 // whole new value of each key, sorted; nil deletes it
	// DropDedupBefore forgets live (not imported) message ids of days before it,
	// of all profiles of the partition, before Dedup is applied; 0 forgets none.
	DropDedupBefore int32
	SetTimers       []Timer
	ClearTimers     []Timer // At is ignored
	// Counters are decayed partial sums over all people of the partition,
	// such as item popularity: whole new value by key.
	Counters map[string][]byte
	Changes  []Change
	Links    []IndexEntry
	Late     []Record // records refused for age: kept, listed, never vanished
	Dead     []DeadLetter
}

// IndexEntry leads from an identifier to a profile. An empty Profile removes it.
type IndexEntry struct {
	Kind    IDKind
	ID      string
	Profile ProfileID
}

// DeadLetter is a message that could not be accepted or applied, with the
// reason and the bytes as they came.
type DeadLetter struct {
	Seq    uint64    `json:"seq"` // assigned by the store
	At     time.Time `json:"at"`
	Source string    `json:"source"`
	Reason string    `json:"reason"`
	Kind   string    `json:"kind,omitempty"` // of the reason, of a small set: plan.reject, bot.quarantine, call…
	Raw    []byte    `json:"raw"`
	// Call is how Raw came, where it is a tracking call: with it, it can be tried again.
	Call *DeadCall `json:"call,omitempty"`
	// Tried is when it was last tried again, in vain; the reason is that of then.
	Tried time.Time `json:"tried,omitzero"`
}

// DeadCall is what a tracking call came with beside its own bytes.
type DeadCall struct {
	Type    EventType `json:"type,omitempty"`    // that its route implied
	Sent    int64     `json:"sent,omitempty"`    // the batch's sentAt, in Unix milliseconds; 0 for none
	Context []byte    `json:"context,omitempty"` // the batch's
	Client  bool      `json:"client,omitempty"`  // it came from the person's own browser or app
	// IP is the sender's address, as much of it as events keep, too.
	IP        string `json:"ip,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
	// Hints are the request's client hints, by header name in lower case.
	Hints map[string]string `json:"hints,omitempty"`
}
