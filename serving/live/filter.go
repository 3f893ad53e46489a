package live

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"kindred/data"
	"kindred/model"
	"kindred/model/hybrid"
	"kindred/model/rank"
)

// Filter says which rows a list may hold. The zero Filter allows every open row.
type Filter struct {
	Hide       []int32       // rows to leave out
	HideIDs    []data.ItemID // items without a row to leave out, for lists by id
	Categories []string      // if any: only items in one of them
	MinPrice   *float64      // if not nil: only items with a price of at least this
	MaxPrice   *float64
}

// Chooses reports whether the filter leaves out items for what they are.
func (f Filter) Chooses() bool { return len(f.Categories) > 0 || f.priced() }

func (f Filter) priced() bool { return f.MinPrice != nil || f.MaxPrice != nil }

// Allows reports whether an item may be shown for what it is: its categories and price.
func (f Filter) Allows(facts *Facts) bool {
	return f.affords(facts.Price) &&
		(len(f.Categories) == 0 || slices.ContainsFunc(facts.Categories, func(c string) bool { return slices.Contains(f.Categories, c) }))
}

// affords reports whether an item with this price may be shown; one without a price,
// 0, only where no price is asked for.
func (f Filter) affords(price float64) bool {
	return !f.priced() || price > 0 && (f.MinPrice == nil || price >= *f.MinPrice) && (f.MaxPrice == nil || price <= *f.MaxPrice)
}

// key names what Allows depends on.
func (f Filter) key() string {
	categories := slices.Clone(f.Categories)
	slices.Sort(categories)
	var b strings.Builder
	for _, c := range slices.Compact(categories) {
		b.WriteString(strconv.Itoa(len(c)))
		b.WriteByte(':')
		b.WriteString(c)
	}
	for _, p := range []*float64{f.MinPrice, f.MaxPrice} {
		b.WriteByte('/')
		if p != nil {
			b.WriteString(strconv.FormatUint(math.Float64bits(*p), 36))
		}
	}
	return b.String()
}

// selection is the rows of a shelf that a filter allows for what they are.
type selection struct {
	rows *rank.Set
	laid *hybrid.RowSet // the same for the shelf's index
}

// selections keeps those that were asked for, within a bound. It is safe for
// concurrent use, and reading one that is there takes no lock.
type selections struct {
	max int64
	n   atomic.Int64
	by  atomic.Pointer[sync.Map] // Filter.key -> *selection
}

const (
	selectionBytes = 32 << 20 // of one shelf's, about
	maxSelections  = 1000
)

// newSelections keeps those of a shelf with the given rows.
func newSelections(rows int) *selections {
	s := &selections{max: int64(min(maxSelections, selectionBytes/(1+rows/4)+1))}
	s.by.Store(new(sync.Map))
	return s
}

// put keeps a selection; where there are too many it begins again.
func (s *selections) put(key string, made *selection) {
	if s.n.Add(1) > s.max {
		s.by.Store(new(sync.Map))
		s.n.Store(1)
	}
	s.by.Load().Store(key, made)
}

// choose is the rows that f allows for what they are, or nil for all of them. The
// first time it costs O(rows of the categories), or O(rows) for a price alone; then
// it is kept until a category or a price of the shelf changes.
func (s *shelf) choose(f Filter) *selection {
	if !f.Chooses() {
		return nil
	}
	key := f.key()
	if kept, ok := s.chosen.by.Load().Load(key); ok {
		return kept.(*selection)
	}
	made := &selection{rows: rank.NewSet(s.rows)}
	for _, c := range f.Categories {
		for _, row := range s.postings[c] {
			if f.affords(s.pages[row/pageRows].prices[row%pageRows]) {
				made.rows.Add(row)
			}
		}
	}
	if len(f.Categories) == 0 {
		for row := range int32(s.rows) {
			if f.affords(s.pages[row/pageRows].prices[row%pageRows]) {
				made.rows.Add(row)
			}
		}
	}
	made.laid = s.index.Category(made.rows)
	s.chosen.put(key, made)
	return made
}

// Best finds the k best open rows for h by the blend that the filter allows, best first,
// equal scores by item id. Release the list.
func (s *Snapshot) Best(blend *hybrid.Scorer, h model.History, k int, f Filter) *hybrid.List {
	q := hybrid.Filter{Seen: f.Hide, Hide: s.known.hidden, HideBeyond: s.extra.closed, Ties: s.compareIDs}
	if only := s.known.choose(f); only != nil {
		q.Only = only.laid
	}
	if only := s.extra.choose(f); only != nil {
		q.OnlyBeyond = only.rows
	}
	return blend.Top(h, k, q)
}

// Popular lists the k most popular open rows that the filter allows by the model's own
// scores of popularity, equal ones by item id; false without a model or where it
// says nothing. Items beyond the model count as the mean of the others.
func (s *Snapshot) Popular(k int, f Filter) ([]rank.Ranked, bool) {
	const name = "popular"
	c := s.Scorer(name)
	if c == nil {
		return nil, false
	}
	blend, err := s.Blend([]string{name})
	if err != nil || blend.Model().Normalization != hybrid.ZScore { // no part of the blend, or its scores are lost in it
		scores := make([]float32, s.Rows())
		if !c.Score(model.History{}, scores) {
			return nil, false
		}
		return s.Top(scores, k, f), true
	}
	list := s.Best(blend, model.History{}, k, f)
	defer list.Release()
	if !list.Known() {
		return nil, false
	}
	top := slices.Clone(list.Ranked)
	for i, r := range top {
		top[i].Score = list.Raw(r.Row, 0)
	}
	return top, true
}

// compareIDs orders rows by the ids of their items. Each shelf is in that order.
func (s *Snapshot) compareIDs(a, b int32) int {
	if n := int32(s.Known()); a < n == (b < n) {
		return int(a - b)
	}
	return strings.Compare(string(s.Facts(a).ID), string(s.Facts(b).ID))
}

// Top returns the k best open rows of scores that the filter allows, best first,
// equal scores by item id. Cost is O(rows).
func (s *Snapshot) Top(scores []float32, k int, f Filter) []rank.Ranked {
	n := s.Known()
	best := s.known.top(scores[:n], k, f, 0)
	best = append(best, s.extra.top(scores[n:], k, f, n)...)
	slices.SortFunc(best, func(a, b rank.Ranked) int {
		if a.Score != b.Score {
			return rank.Compare(a, b)
		}
		return s.compareIDs(a.Row, b.Row)
	})
	return best[:min(k, len(best))]
}

// top ranks the shelf's rows; offset is the snapshot's row of the shelf's first.
func (s *shelf) top(scores []float32, k int, f Filter, offset int) []rank.Ranked {
	if len(scores) == 0 {
		return nil
	}
	var only, hide *rank.Set
	if chosen := s.choose(f); chosen != nil {
		only = chosen.rows
	}
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

// First returns the first k open rows by item id that the filter allows: a list for
// when nothing is known of any item. Cost is O(k + rows left out on the way).
func (s *Snapshot) First(k int, f Filter) []int32 {
	seen := make(map[int32]bool, len(f.Hide))
	for _, row := range f.Hide {
		seen[row] = true
	}
	out := s.known.first(nil, k, f, seen, 0)
	out = s.extra.first(out, k, f, seen, int32(s.Known()))
	slices.SortFunc(out, s.compareIDs)
	return out[:min(k, len(out))]
}

// first appends the shelf's first k rows to out.
func (s *shelf) first(out []int32, k int, f Filter, seen map[int32]bool, offset int32) []int32 {
	chosen := s.choose(f)
	for row := int32(0); int(row) < s.rows && k > 0; row++ {
		if !s.closed.Has(row) && !seen[row+offset] && (chosen == nil || chosen.rows.Has(row)) {
			out = append(out, row+offset)
			k--
		}
	}
	return out
}
