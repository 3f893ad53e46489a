package data

import "time"

// The states of a rule set's version.
const (
	RulesDraft   = "draft"   // the one that edits go to; at most one
	RulesLive    = "live"    // decides who is in which segment; at most one
	RulesRetired = "retired" // was live once
	RulesStale   = "stale"   // a draft that another one replaced
)

// RuleSet is one version of the segment rules in the catalog. Text never changes. Versions that
// were live stay for good: markers in the log name them.
type RuleSet struct {
	Version string    `json:"version"` // "r-", the sequence, "-", 10 hex digits of the text's SHA-256
	Seq     int64     `json:"seq"`
	State   string    `json:"state"`
	Text    string    `json:"text,omitempty"` // YAML or JSON
	Author  string    `json:"author,omitempty"`
	Note    string    `json:"note,omitempty"`
	Created time.Time `json:"created"`

	Published time.Time `json:"published,omitzero"`  // when it became live
	Publisher string    `json:"publisher,omitempty"` // who made it so
	Previous  string    `json:"previous,omitempty"`  // what was live before it
	Source    string    `json:"source,omitempty"`    // the version that it repeats: a rollback
	Backfill  string    `json:"backfill,omitempty"`  // BackfillWanted, BackfillDone or ""
}

// How far the backfill of a version is.
const (
	BackfillWanted = "wanted"
	BackfillDone   = "done"
)
