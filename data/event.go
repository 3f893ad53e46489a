package data

import (
	"encoding/json"
	"time"
)

// EventVersion is the version of the canonical event that this build writes.
const EventVersion = 1

// EventType is the kind of message, as in Segment's specification, plus system
// for the records that Kindred itself appends to the log.
type EventType string

// The event types.
const (
	Track    EventType = "track"
	Identify EventType = "identify"
	Page     EventType = "page"
	Screen   EventType = "screen"
	Group    EventType = "group"
	Alias    EventType = "alias"
	System   EventType = "system"
)

// The names of system events. They are ordinary log records, so a replay sees
// exactly what the stream saw.
const (
	// SysTick carries time past a due timer in an idle partition (T.Received is the time).
	SysTick = "tick"
	// SysMarker makes the versions named in Event.Marker live from this record on.
	SysMarker = "marker"
	// SysFlush ends the archiver's current block at this record.
	SysFlush = "flush"
	// SysAbsorb carries, in Event.Absorb, the state of a profile merged into this one.
	SysAbsorb = "absorb"
	// SysBackfill carries, in Event.Absorb, what a profile's events of before a version of the
	// segment rules have made of its new slots.
	SysBackfill = "backfill"
	// SysSkip makes the fold skip the record at Event.Skip of the same partition.
	SysSkip = "skip"
	// SysImpression says, in Event.Shown, which list was shown.
	SysImpression = "impression"
	// SysDelete erases the profile's state and forgets its ids.
	SysDelete = "delete"
	// SysUnmerge takes a profile that was merged into this one out of it again.
	SysUnmerge = "unmerge"
	// SysAlias merges this profile into another, because somebody who may said so.
	SysAlias = "alias"
)

// Event is one canonical message: what the log stores, the fold reads and the
// lake archives. Its JSON form is written and read by package data/event, which
// preserves unknown fields in Extra.
type Event struct {
	V      int    // format version, EventVersion
	ID     string // message id; deduplicated per (Source, ID)
	Source string // the write key's name, the import's name, or "kindred" for system events
	Space  Space  // "tenant" in JSON
	Env    string
	Type   EventType
	Name   string // track: the event's name; page: "Page Viewed"; screen: "Screen Viewed"; system: SysTick…

	IDs     IDs
	Profile ProfileID // canonical id and partition key; resolved at ingest
	Times   Times     // "t" in JSON
	Session SessionRef

	Props  json.RawMessage // a JSON object or nil
	Traits json.RawMessage // a JSON object or nil; identify and group only
	Items  []EventItem
	// Value is the number that the kind is about: the rating, the order's revenue.
	Value   float64
	Ctx     json.RawMessage // a JSON object or nil
	Bot     json.RawMessage
	Consent json.RawMessage
	Schema  json.RawMessage
	Rec     *RecRef // closes the recommendation loop

	// Imported marks history brought in by an import: it may be of any age.
	Imported bool

	// The payloads of system events; nil on all others.
	Marker *Marker
	Absorb *Absorb
	Skip   *int64
	Shown  *Shown

	// Extra holds unknown top-level fields, kept and written back in name order.
	Extra map[string]json.RawMessage
}

// IDs are the identifiers that a message carried.
type IDs struct {
	User      UserID       `json:"user,omitempty"`
	Anonymous AnonymousID  `json:"anon,omitempty"`
	Group     string       `json:"group,omitempty"`
	Device    string       `json:"device,omitempty"`
	External  []ExternalID `json:"ext,omitempty"`
}

// ExternalID is an identifier of another kind, such as a hashed e-mail.
type ExternalID struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// Times are the stamps of one message, in UTC, to the millisecond.
type Times struct {
	Event    time.Time `json:"event"`             // when it happened, skew corrected
	Original time.Time `json:"original,omitzero"` // what the client said
	Sent     time.Time `json:"sent,omitzero"`     // the client's clock when it sent
	Received time.Time `json:"received"`          // the server's clock when it arrived: the log's time
	SkewMS   int64     `json:"skew_ms,omitempty"` // sent − received, milliseconds
	Clamped  bool      `json:"clamped,omitempty"` // Event would have been after Received
	Late     bool      `json:"late,omitempty"`    // older than the maximum event age
}

// SessionRef is the session as the tracker named it; the fold finds its own.
type SessionRef struct {
	ID    string `json:"id,omitempty"`
	Index int    `json:"index,omitempty"`
	First bool   `json:"first,omitempty"`
}

// EventItem is one item that a message is about, with the facets (category,
// brand, tag…) that ingest copied from the catalog, so that the fold needs no catalog.
type EventItem struct {
	ID       ItemID              `json:"id"`
	Quantity float64             `json:"qty,omitempty"`
	Price    float64             `json:"price,omitempty"`
	Facets   map[string][]string `json:"facets,omitempty"`
}

// RecRef names the recommendation that led to this event.
type RecRef struct {
	Request  string `json:"request_id"`
	Slot     string `json:"slot,omitempty"`
	Position int    `json:"position,omitempty"` // 1-based rank in the list
	Model    string `json:"model,omitempty"`
}

// Marker names versions that become live at its record. An empty field leaves
// what was live before.
type Marker struct {
	Rules  string `json:"rules,omitempty"`
	Models string `json:"models,omitempty"`
}

// Absorb carries the state of a profile that merges into the record's profile.
type Absorb struct {
	From  ProfileID `json:"from"`
	State []byte    `json:"state"` // an encoded Profile (base64 in JSON)
	// Dedup holds the message ids that From has applied, encoded by package
	// features, so that a retry sent to the new profile is still recognised.
	Dedup []byte `json:"dedup,omitempty"`
}

// Shown is the payload of an impression: which list was shown, and by what.
type Shown struct {
	Request string      `json:"request_id"`
	Slot    string      `json:"slot,omitempty"`
	Model   string      `json:"model"`
	Arm     string      `json:"arm,omitempty"`
	Items   []ShownItem `json:"items"`
}

// ShownItem is one position of a shown list.
type ShownItem struct {
	Item       ItemID  `json:"id"`
	Position   int     `json:"position"` // 1-based
	Score      float64 `json:"score"`
	Propensity float64 `json:"propensity,omitempty"` // probability of this item here; 0 means 1, no exploration
}
