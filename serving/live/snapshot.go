package live

import (
	"slices"
	"strings"
	"time"

	"kindred/data"
	"kindred/features"
	"kindred/model"
	"kindred/model/cluster"
	"kindred/model/hybrid"
	"kindred/model/rank"
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
	// ExtendedBy returns the model with one more row for each item, in order.
	ExtendedBy(items []data.Item) model.Scorer
}

// Snapshot is what a running server holds: one model and one state of the
// catalog. It is immutable and safe for concurrent use.
type Snapshot struct {
	Version string // of the model, or NoModel
	Parts   Parts
	Loaded  time.Time // when the model was loaded

	known, extra *shelf // rows of the model's vocab; rows of catalog items beyond it
	extraRows    map[data.ItemID]int32
	extraItems   []data.Item              // the items of extra, for the next extension
	gone         map[data.ItemID]struct{} // deleted items beyond the model: they have no row
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
func (s *Snapshot) Known() int { return len(s.known.facts) }

// Rows is the number of rows in all.
func (s *Snapshot) Rows() int { return len(s.known.facts) + len(s.extra.facts) }

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
	row, ok := s.extraRows[id]
	return row, ok
}

// Facts returns what is known of the item in a row of [0, Rows).
func (s *Snapshot) Facts(row int32) *Facts {
	if n := len(s.known.facts); int(row) >= n {
		return s.extra.facts[int(row)-n]
	}
	return s.known.facts[row]
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
	if n := len(s.known.facts); int(row) >= n {
		return s.extra.closed.Has(row - int32(n))
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

// Category returns the rows of the items in any of the categories, ascending.
func (s *Snapshot) Category(categories []string) []int32 {
	rows := s.known.only(categories).Rows()
	for _, row := range s.extra.only(categories).Rows() {
		rows = append(rows, row+int32(s.Known()))
	}
	return rows
}

// maxWeight bounds what one item can weigh in a history: far above what anybody
// does to an item, and far below where the components' float32 sums overflow.
const maxWeight = 1e6

// History joins preferences with rows, weighed as in the model's training; items
// without a row are left out.
func (s *Snapshot) History(prefs []features.Preference) model.History {
	h := model.History{Rows: make([]int32, 0, len(prefs)), Weights: make([]float32, 0, len(prefs))}
	for _, p := range prefs {
		if row, ok := s.Row(p.Item); ok {
			h.Rows = append(h.Rows, row)
			weight := float32(min(p.Weight, maxWeight))
			if s.Parts.Binary && weight > 0 {
				weight = 1
			}
			h.Weights = append(h.Weights, weight)
		}
	}
	return h
}

// Filter says which rows a list may hold. The zero Filter allows every open row.
type Filter struct {
	Hide       []int32           // rows to leave out
	HideIDs    []data.ItemID     // items without a row to leave out, for lists by id
	Categories []string          // if any: only items in one of them
	Allow      func(*Facts) bool // if not nil: only items it allows
}

// Top returns the k best open rows of scores that the filter allows, best first,
// equal scores by item id.
func (s *Snapshot) Top(scores []float32, k int, f Filter) []rank.Ranked {
	n := s.Known()
	best := s.known.top(scores[:n], k, f, 0)
	more := s.extra.top(scores[n:], k, f, n)
	// Each shelf is in the order of its ids; between them ids decide.
	best = append(best, more...)
	slices.SortFunc(best, func(a, b rank.Ranked) int {
		if a.Score != b.Score {
			return rank.Compare(a, b)
		}
		return strings.Compare(string(s.Facts(a.Row).ID), string(s.Facts(b.Row).ID))
	})
	return best[:min(k, len(best))]
}

// top ranks the shelf's rows; offset is the snapshot's row of the shelf's first.
func (s *shelf) top(scores []float32, k int, f Filter, offset int) []rank.Ranked {
	if len(scores) == 0 {
		return nil
	}
	var only *rank.Set
	if len(f.Categories) > 0 {
		only = s.only(f.Categories)
	}
	if f.Allow != nil {
		if only == nil {
			only = rank.NewSet(len(scores))
			only.Fill()
		}
		for row, facts := range s.facts {
			if only.Has(int32(row)) && !f.Allow(facts) {
				only.Remove(int32(row))
			}
		}
	}
	var hide *rank.Set
	if len(f.Hide) > 0 {
		hide = rank.NewSet(len(scores))
		for _, row := range f.Hide {
			if r := int(row) - offset; r >= 0 && r < len(scores) {
				hide.Add(int32(r))
			}
		}
	}
	best := rank.TopK(scores, k, only, s.closed, hide)
	for i := range best {
		best[i].Row += int32(offset)
	}
	return best
}
