package live

import (
	"slices"
	"strings"
	"time"

	"kindred/data"
	"kindred/features"
	"kindred/model"
	"kindred/model/cluster"
	"kindred/model/content"
	"kindred/model/hybrid"
	"kindred/model/vocab"
)

// NoModel is the version of a snapshot that holds a catalog and no model.
const NoModel = "none"

// Parts is a decoded model as serving needs it. Items may be nil and Scorers
// empty: then there is no model.
type Parts struct {
	Items     *vocab.Vocab
	Scorers   []model.Scorer   // components, all of Items' length
	Extend    Extender         // extends the scorer of the same name, or nil
	Blend     *hybrid.Model    // nil: every component counts the same
	Weights   features.Weights // kind weights it was trained with
	Binary    bool             // every preference counted 1 in training, however strong
	Clusters  *cluster.Model   // of people's behaviour, or nil
	Created   time.Time
	Watermark time.Time // newest log time it was trained on
}

// Extender is a content model that can take in items it was not fitted on.
type Extender interface {
	Name() string
	// Describe is what the model sees in an item: made once for each change of it.
	Describe(it data.Item) content.Vector
	// ExtendedBy returns the model with one more row for each vector, in order.
	ExtendedBy(items []content.Vector) model.Scorer
}

// arrival is an item of the catalog that the model was not trained on.
type arrival struct {
	facts  *Facts
	vector content.Vector // by the model's Extender
}

// Snapshot is what a running server holds: one model and one state of the
// catalog. It is immutable and safe for concurrent use.
type Snapshot struct {
	Version string // of the model, or NoModel
	Parts   Parts
	Loaded  time.Time // when the model was loaded
	// Serial numbers the states that a Live showed, rising: another model or another
	// state of the catalog has another serial.
	Serial uint64

	known, extra *shelf                   // rows of the model's vocab; rows of catalog items beyond it
	arrivals     []*arrival               // the items of extra, by id
	gone         map[data.ItemID]struct{} // deleted items beyond the model: they have no row
	index        *hybrid.Index            // of the model's components; nil without any
	scorers      []model.Scorer           // Parts.Scorers with content extended
	blends       *blends                  // nil without a model
	itemsVersion int64
}

// Components are the names of the model's components, in blending order; nil
// without a model.
func (s *Snapshot) Components() []string {
	if s.blends == nil {
		return nil
	}
	return s.blends.model.Components
}

// Blend is the blend of the named components, of all when none is named. It is
// nil without a model. The error is an *UnknownComponentError.
func (s *Snapshot) Blend(names []string) (*hybrid.Scorer, error) {
	if s.blends == nil {
		if len(names) > 0 {
			return nil, &UnknownComponentError{Name: names[0]}
		}
		return nil, nil
	}
	return s.blends.of(names)
}

// Scorer is the named component over all rows, or nil.
func (s *Snapshot) Scorer(name string) model.Scorer {
	for _, c := range s.scorers {
		if c.Name() == name {
			return c
		}
	}
	return nil
}

// Known is the number of rows that the model was trained on.
func (s *Snapshot) Known() int { return s.known.rows }

// Rows is the number of rows in all.
func (s *Snapshot) Rows() int { return s.known.rows + s.extra.rows }

// ItemsVersion is the version of the catalog's items that the snapshot shows.
func (s *Snapshot) ItemsVersion() int64 { return s.itemsVersion }

// Row returns the item's row, or false for an item that neither the model nor the
// catalog has.
func (s *Snapshot) Row(id data.ItemID) (int32, bool) {
	if s.Parts.Items != nil {
		if row, ok := s.Parts.Items.Row(string(id)); ok {
			return row, true
		}
	}
	at, ok := s.arrival(id)
	return int32(s.known.rows + at), ok
}

// arrival is the item's place among those beyond the model, or where it would be.
func (s *Snapshot) arrival(id data.ItemID) (int, bool) {
	return slices.BinarySearchFunc(s.arrivals, id, func(a *arrival, id data.ItemID) int {
		return strings.Compare(string(a.facts.ID), string(id))
	})
}

// Facts returns what is known of the item in a row of [0, Rows).
func (s *Snapshot) Facts(row int32) *Facts {
	if n := int32(s.known.rows); row >= n {
		return s.extra.at(row - n)
	}
	return s.known.at(row)
}

// Facets are the attributes of an item that events carry, or nil: what ingest
// copies from the catalog so that the fold needs none.
func (s *Snapshot) Facets(id data.ItemID) map[string][]string {
	row, ok := s.Row(id)
	if !ok {
		return nil
	}
	f := s.Facts(row)
	return data.Item{Categories: f.Categories, Tags: f.Tags, Brand: f.Brand}.Facets()
}

// Closed reports whether the row's item may not be shown.
func (s *Snapshot) Closed(row int32) bool {
	if n := int32(s.known.rows); row >= n {
		return s.extra.closed.Has(row - n)
	}
	return s.known.closed.Has(row)
}

// Gone reports whether the catalog deleted the item, whether it has a row or not:
// never show it for what people once did with it.
func (s *Snapshot) Gone(id data.ItemID) bool {
	if row, ok := s.Row(id); ok {
		return s.Facts(row).Deleted
	}
	_, gone := s.gone[id]
	return gone
}

// maxWeight bounds what one item can weigh in a history: far above what anybody
// does to an item, and far below where the components' float32 sums overflow.
const maxWeight = 1e6

// History joins preferences with rows, weighed as in the model's training; items
// without a row are left out.
func (s *Snapshot) History(prefs []features.Preference) model.History {
	rows := make([]int32, len(prefs))
	for i, p := range prefs {
		rows[i] = -1
		if row, ok := s.Row(p.Item); ok {
			rows[i] = row
		}
	}
	return s.HistoryAt(prefs, rows)
}

// HistoryAt is History with the preferences' rows, −1 for an item without one, already
// looked up. rows is overwritten and kept.
func (s *Snapshot) HistoryAt(prefs []features.Preference, rows []int32) model.History {
	h := model.History{Rows: rows[:0], Weights: make([]float32, 0, len(prefs))}
	for i, row := range rows {
		if row < 0 {
			continue
		}
		weight := float32(min(prefs[i].Weight, maxWeight))
		if s.Parts.Binary && weight > 0 {
			weight = 1
		}
		h.Rows = append(h.Rows, row)
		h.Weights = append(h.Weights, weight)
	}
	return h
}
