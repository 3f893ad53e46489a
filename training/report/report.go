package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// Report is one evaluation: what was measured on what, and what came out.
// Dataset, Protocol and Models are required.
type Report struct {
	Dataset      string  `json:"dataset"`
	Protocol     string  `json:"protocol"` // time, user-time, given, leave-one-out or session
	People       int64   `json:"people"`   // people with at least one test interaction
	Items        int64   `json:"items"`
	Interactions int64   `json:"interactions"` // in train and test together
	Models       []Model `json:"models"`       // in the order they are shown

	Title   string    `json:"title,omitempty"` // headline of the page; "" means one made from Dataset
	Created time.Time `json:"created,omitzero"`
	Command string    `json:"command,omitempty"` // the command line that gives this report again
	Machine string    `json:"machine,omitempty"`
	Version string    `json:"version,omitempty"` // of the program
	Notes   []string  `json:"notes,omitempty"`   // what a reader must know, such as people left out and why

	Gate     *Gate     `json:"gate,omitempty"`
	Slices   []Slice   `json:"slices,omitempty"`
	Clusters *Clusters `json:"clusters,omitempty"`
	Details  []Detail  `json:"details,omitempty"`
}

// Model is one row of the tables: a model, or a baseline, and how it did.
type Model struct {
	Name            string              `json:"name"`
	Metrics         map[string]Interval `json:"metrics"` // by metric name, such as ndcg@10
	Seconds         float64             `json:"seconds"` // wall time of fit and evaluation
	PeakMemoryBytes int64               `json:"peak_memory_bytes"`
	Seed            uint64              `json:"seed"`
	Config          json.RawMessage     `json:"config"` // a JSON object; nil is written as {}

	// Baseline marks what a model has to beat: popular and item-kNN.
	Baseline   bool            `json:"baseline,omitempty"`
	Popularity *PopularityBias `json:"popularity_bias,omitempty"`
	Loss       []float64       `json:"loss,omitempty"` // training loss after each iteration
}

// Interval is a metric's mean over people with the ends of its bootstrap 95 %
// interval, Low ≤ Mean ≤ High.
type Interval struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Point is an Interval without width, for a metric that is one number.
func Point(v float64) Interval { return Interval{Mean: v, Low: v, High: v} }

// PopularityBias says how far a model leans towards what everybody likes anyway.
type PopularityBias struct {
	// Mean is the mean popularity percentile of the recommended items: 1 means
	// only the most popular item is ever shown, 0.5 is no leaning.
	Mean float64 `json:"mean"`
	// TopShare is the share of recommendations that go to the most popular 10 % of items.
	TopShare float64 `json:"top_share"`
	// Gini is the inequality of how often each item is recommended, 0 equal to 1 one item only.
	Gini float64 `json:"gini"`
}

// Gate is the verdict on a model that wants to be published.
type Gate struct {
	Passed  bool     `json:"passed"`
	Reasons []string `json:"reasons,omitempty"` // one sentence a check, with its numbers
}

// Slice is the evaluation of a part of the people or items: warm, cold, short
// histories, one segment.
type Slice struct {
	Name   string       `json:"name"`
	People int64        `json:"people"`
	Models []SliceModel `json:"models"`
}

// SliceModel is one model's metrics in a slice.
type SliceModel struct {
	Name    string              `json:"name"`
	Metrics map[string]Interval `json:"metrics"`
}

// Detail is one more line of the facts under the title, such as "test people without a relevant item".
type Detail struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Validate reports the first thing that keeps the report from being written: a
// missing name, a number that is not finite, an interval the wrong way round, two
// models of one name.
func (r *Report) Validate() error {
	if r.Dataset == "" {
		return errors.New("report: dataset is empty; name what was evaluated on")
	}
	if r.Protocol == "" {
		return errors.New("report: protocol is empty; use time, user-time, given, leave-one-out or session")
	}
	if len(r.Models) == 0 {
		return errors.New("report: models is empty; an evaluation has at least one model")
	}
	seen := map[string]bool{}
	for i, m := range r.Models {
		if m.Name == "" {
			return fmt.Errorf("report: models[%d]: name is empty", i)
		}
		if seen[m.Name] {
			return fmt.Errorf("report: models[%d]: name %q is there twice", i, m.Name)
		}
		seen[m.Name] = true
		if err := m.validate(); err != nil {
			return fmt.Errorf("report: model %q: %w", m.Name, err)
		}
	}
	for _, s := range r.Slices {
		for _, m := range s.Models {
			if err := validateMetrics(m.Metrics); err != nil {
				return fmt.Errorf("report: slice %q: model %q: %w", s.Name, m.Name, err)
			}
		}
	}
	if r.Clusters != nil {
		return r.Clusters.validate()
	}
	return nil
}

func (m Model) validate() error {
	if len(m.Config) > 0 && !json.Valid(m.Config) {
		return errors.New("config is not JSON")
	}
	if !finite(m.Seconds) {
		return fmt.Errorf("seconds is %v; must be finite", m.Seconds)
	}
	if p := m.Popularity; p != nil && !(finite(p.Mean) && finite(p.TopShare) && finite(p.Gini)) {
		return fmt.Errorf("popularity_bias is %v; every number must be finite", *p)
	}
	for i, v := range m.Loss {
		if !finite(v) {
			return fmt.Errorf("loss[%d] is %v; must be finite", i, v)
		}
	}
	return validateMetrics(m.Metrics)
}

func validateMetrics(metrics map[string]Interval) error {
	for _, name := range sortedKeys(metrics) {
		v := metrics[name]
		if !finite(v.Mean) || !finite(v.Low) || !finite(v.High) {
			return fmt.Errorf("metric %s is %v; mean, low and high must be finite", name, v)
		}
		if v.Low > v.Mean || v.Mean > v.High {
			return fmt.Errorf("metric %s: mean %v is outside its interval [%v, %v]", name, v.Mean, v.Low, v.High)
		}
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
