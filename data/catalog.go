package data

import (
	"encoding/json"
	"time"
)

// The status of a model version. At most one version is current, and previous is
// the one that a rollback would make current.
const (
	ModelPublished = "published" // stored, has never served
	ModelCurrent   = "current"   // serves now
	ModelPrevious  = "previous"  // what a rollback returns to
	ModelRetired   = "retired"   // served once
	ModelRefused   = "refused"   // the gate said no; Reason says why
)

// Model is the catalog's entry of one trained model: where its artifact is and
// how it did. Versions are immutable; only Status changes.
type Model struct {
	Version      string          `json:"version"` // "m-20060102T150405Z-" and 6 hex digits of the checksum
	Status       string          `json:"status"`
	Created      time.Time       `json:"created"`
	Artifact     string          `json:"artifact"` // name of the artifact in the lake; empty when none was kept
	Checksum     string          `json:"checksum"`
	Bytes        int64           `json:"bytes"`
	Watermark    time.Time       `json:"watermark"`    // newest log time it was trained on
	Interactions int64           `json:"interactions"` // number it was trained on
	Metrics      json.RawMessage `json:"metrics,omitempty"`
	Config       json.RawMessage `json:"config,omitempty"`
	Reason       string          `json:"reason,omitempty"`
}

// Promotion is one line of the history of what served.
type Promotion struct {
	Seq      int64     `json:"seq"`
	At       time.Time `json:"at"`
	Version  string    `json:"version"`
	Previous string    `json:"previous,omitempty"` // what a rollback from Version returned to
	Rollback bool      `json:"rollback,omitempty"` // made by a rollback
}

// The states of a job.
const (
	JobRunning   = "running"
	JobDone      = "done"
	JobFailed    = "failed"    // Message says why
	JobRefused   = "refused"   // it ran well and its gate said no
	JobAbandoned = "abandoned" // its process went away
)

// Job is one run of something long: a training, an import, a replay. The
// catalog sets the times, by the database's clock.
type Job struct {
	ID        string    `json:"id"` // chosen by who starts it, unique
	Kind      string    `json:"kind"`
	State     string    `json:"state"`
	Started   time.Time `json:"started"`
	Finished  time.Time `json:"finished,omitzero"`
	Heartbeat time.Time `json:"heartbeat"`
	Progress  float64   `json:"progress"` // 0 to 1
	Stage     string    `json:"stage,omitempty"`
	Message   string    `json:"message,omitempty"`
	Model     string    `json:"model,omitempty"` // version it made
}

// Lease is the right to do something that only one process may do at a time.
// Fence grows with every new holder; a write that shows an old one is refused.
type Lease struct {
	Name  string    `json:"name"`
	Owner string    `json:"owner"`
	Fence int64     `json:"fence"`
	Until time.Time `json:"until"` // by the database's clock
}

// Evaluation is one evaluation report, report.json in Report.
type Evaluation struct {
	ID      string          `json:"id"`
	Created time.Time       `json:"created"`
	Model   string          `json:"model,omitempty"`
	Dataset string          `json:"dataset,omitempty"`
	Report  json.RawMessage `json:"report,omitempty"`
}

// StoredResponse is the answer that was given to an idempotency key before.
type StoredResponse struct {
	Status      int
	ContentType string
	Body        []byte
}

// Process is one running server, as its heartbeats tell.
type Process struct {
	Owner   string    `json:"owner"` // unique to one start of one process
	Addr    string    `json:"addr"`  // where it serves HTTP, HOST:PORT, or ""
	Roles   []string  `json:"roles"`
	Started time.Time `json:"started"`
	Seen    time.Time `json:"seen"` // latest heartbeat, by the database's clock
}
