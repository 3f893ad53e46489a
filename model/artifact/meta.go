package artifact

import (
	"encoding/json"
	"time"
)

// Meta says where a bundle comes from. Raw JSON fields may be nil.
type Meta struct {
	Created      time.Time          `json:"created"`
	Watermark    time.Time          `json:"watermark"` // the newest data seen: log time
	Seed         uint64             `json:"seed"`
	Interactions int64              `json:"interactions"`
	People       int64              `json:"people"`
	Items        int64              `json:"items"`
	Weights      map[string]float64 `json:"weights,omitempty"` // strength of each interaction kind in training
	Config       json.RawMessage    `json:"config,omitempty"`  // the training configuration in effect
	Metrics      json.RawMessage    `json:"metrics,omitempty"` // what evaluation measured before the refit
	Dataset      string             `json:"dataset,omitempty"`
	Builder      string             `json:"builder,omitempty"` // version of the program that trained it
}
