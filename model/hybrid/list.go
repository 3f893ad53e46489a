package hybrid

import (
	"cmp"
	"slices"

	"kindred/model"
	"kindred/model/rank"
	"kindred/model/retrieve"
)

// Filter says which rows a list may hold. Rows below the index's Items are its
// known rows; beyond are those that the snapshot of a catalog added since.
type Filter struct {
	Only       *RowSet   // if not nil: known rows in it alone
	OnlyBeyond *rank.Set // if not nil: rows beyond in it alone, numbered from 0
	Hide       *RowSet   // known rows to leave out
	HideBeyond *rank.Set // rows beyond to leave out, numbered from 0
	Seen       []int32   // rows to leave out, any order
	// Ties orders rows with the same score, if not nil; else the lower row comes first.
	Ties func(a, b int32) int
}

// List is the best rows for one person and what their scores were made of. Release
// gives its memory back for the next request; nothing of it may be used after that.
type List struct {
	Ranked  []rank.Ranked // best first
	Weights []float64     // in component order, scaled to sum to 1; 0 where a component is cold

	scorer *Scorer
	dense  *Blended // what the list was cut from where no index could be used
	voices []voice  // by component
	slots  []slot   // by the index's scorers
	warm   []bool
	query  []float32
	rows   []int32   // of the search: distinct rows with high addends
	add    []float32 // what these are at most
	seen   []int32   // known rows to leave out
	past   []int32   // rows beyond to leave out, rising
	cut    model.History
	found  []rank.Ranked
	parts  []Part

	spoken  []spoken
	errors  float64 // of guesses: more than it can be
	turns   []int   // numbers in spoken
	best    []rank.Ranked
	kept    []rank.Ranked
	guesses []float64
	only    *retrieve.Mask
	hide    [1]*retrieve.Mask
	asked   func(row int32, product, least float32) float32 // score, made once
}

// spoken is a sparse component that counts: it adds factor·(score − mean) to its known rows.
type spoken struct {
	*voice
	in     []uint64
	sums   []float32
	factor float64
	// What it adds at most: beside factor·sum to a row that it touched, to one that it did not, and to any.
	touching, untouched, most float64
	leaves, parted            bool // whether it left something out, and of rows that it touched
}

// slot is memory for what a component says.
type slot struct {
	query   []float32
	touched *model.SparseScores
}

// Known reports whether any component had something to say about the person.
func (l *List) Known() bool {
	if l.dense != nil {
		return l.dense.Known()
	}
	return slices.Contains(l.warm, true)
}

// Top finds the k best rows for h that the filter allows: to the bit the rows and
// scores of Score and a full sort, and up to rounding those of Blend. Without an index, or where a component
// is not model.Linear, model.Constant or model.Sparse, or the normalization is Rank,
// it is Blend and a full sort. Call Release when done with the list.
//
// Cost is the components' queries, O(f²) for each linear one, O(touched rows) for each
// sparse one, one search of the index and O(k·f).
func (s *Scorer) Top(h model.History, k int, f Filter) *List {
	if s.asked == nil {
		return s.denseTop(h, k, f)
	}
	l := s.ask(h)
	if k > 0 && l.Known() {
		l.search(k, f)
	}
	return l
}

// ask is a List without rows: what the components say about h.
func (s *Scorer) ask(h model.History) *List {
	l := s.list()
	for c := range l.voices {
		l.warm[c] = l.voices[c].ask(h, s.items, &l.cut)
	}
	l.Weights = scaled(s.model.WeightsFor(len(h.Rows)), l.warm)
	l.vector()
	l.speak()
	return l
}

// scores writes the scores of all rows to dst.
func (l *List) scores(dst []float32) {
	x := l.scorer.index
	clear(dst)
	if x.rows != nil {
		x.rows.Scores(l.query, dst[:x.items])
	}
	for row := range dst {
		dst[row] += l.addend(int32(row))
	}
}

// list is a List of the index's scratch, made to fit.
func (s *Scorer) list() *List {
	l, _ := s.index.scratch.Get().(*List)
	if l == nil {
		l = &List{query: make([]float32, s.index.width), slots: make([]slot, len(s.index.names))}
		l.asked = l.score
	}
	n := len(s.asked)
	l.scorer, l.Ranked, l.Weights = s, nil, nil
	l.voices, l.warm = slices.Grow(l.voices[:0], n)[:n], slices.Grow(l.warm[:0], n)[:n]
	for c, src := range s.asked {
		v, memory := voice{source: src}, &l.slots[src.slot]
		switch {
		case src.column == nil:
			if memory.touched == nil || memory.touched.Len() < s.items {
				// Room for the catalog to grow, so that not every new item costs new memory.
				memory.touched = model.NewSparseScores(s.items + s.items/8 + 64)
			}
			v.touched = memory.touched
			v.touched.Reset()
		case src.column.linear != nil:
			memory.query = slices.Grow(memory.query[:0], src.column.width)[:src.column.width]
			v.query = memory.query
		}
		l.voices[c] = v
	}
	return l
}

// search fills Ranked.
func (l *List) search(k int, f Filter) {
	known, rows := int32(l.scorer.index.items), int32(l.scorer.items)
	l.split(f.Seen)
	slices.Sort(l.seen)
	l.found = l.found[:0]
	if !slices.ContainsFunc(l.query, func(x float32) bool { return x != 0 }) {
		l.complete()
		l.alone(0, known, k, f.Only.rows(), func(row int32) bool { return l.allows(row, f) })
	} else {
		l.retrieve(k, f)
	}
	if known < rows {
		l.alone(known, rows, k, f.OnlyBeyond, func(row int32) bool {
			_, seen := slices.BinarySearch(l.past, row)
			return !seen && !f.HideBeyond.Has(row-known)
		})
	}
	l.Ranked = cutTo(l.found, k, f.Ties)
}

// allows reports whether a known row may be listed.
func (l *List) allows(row int32, f Filter) bool {
	_, seen := slices.BinarySearch(l.seen, row)
	return !seen && !f.Hide.Has(row) && (f.Only == nil || f.Only.Has(row))
}

// Score is the blended score of any row: the sum of its Parts, up to rounding. It is
// the one function by which every path ranks: the inner product of the query and the row of the index,
// plus, in float32, the row's addend. Rows with equal parts tie everywhere.
func (l *List) Score(row int32) float32 {
	if l.dense != nil {
		return l.dense.Scores[row]
	}
	dot, x := float32(0), l.scorer.index
	if x.rows != nil && int(row) < x.items {
		dot = x.rows.Score(l.query, row)
	}
	return dot + l.addend(row)
}

// Raw is what the component with the given place in the blend scores a row itself,
// before it is standardised. Of a list that was cut from a Blend it is known up to rounding.
func (l *List) Raw(row int32, component int) float32 {
	if b := l.dense; b != nil {
		if b.scale[component] == 0 {
			return float32(b.mean[component])
		}
		return float32(float64(b.parts[component][row])/b.scale[component] + b.mean[component])
	}
	return float32(l.voices[component].raw(row))
}

// cutTo sorts the rows that were found and keeps the k best.
func cutTo(found []rank.Ranked, k int, ties func(a, b int32) int) []rank.Ranked {
	slices.SortFunc(found, func(a, b rank.Ranked) int {
		if a.Score == b.Score && ties != nil {
			return ties(a.Row, b.Row)
		}
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Row, b.Row))
	})
	return found[:min(k, len(found))]
}

// split divides the rows to leave out into known ones and ones beyond.
func (l *List) split(seen []int32) {
	l.seen, l.past = l.seen[:0], l.past[:0]
	for _, row := range seen {
		if int(row) < l.scorer.index.items {
			l.seen = append(l.seen, row)
		} else {
			l.past = append(l.past, row)
		}
	}
	slices.Sort(l.past)
}

// vector makes the query, what the index multiplies its vectors with: each component's
// over its deviation, weighed.
func (l *List) vector() {
	clear(l.query)
	for c := range l.voices {
		v := &l.voices[c]
		w := l.Weights[c] * v.scale
		switch {
		case v.column == nil:
		case v.column.linear != nil:
			w /= v.column.unit
			for j, y := range v.query {
				l.query[v.column.at+j] = float32(w * float64(y))
			}
		default: // the index holds its scores over their deviation
			l.query[v.column.at] = float32(w * v.column.deviation)
		}
	}
}

// Parts says what each component that counts for this person contributed to the
// row's score, largest share first, equal ones in component order. They are valid
// until the next call.
func (l *List) Parts(row int32) []Part {
	if l.dense != nil {
		return l.dense.Parts(row)
	}
	l.parts = l.parts[:0]
	for c, w := range l.Weights {
		if l.warm[c] && w > 0 {
			score := l.voices[c].score(row)
			l.parts = append(l.parts, Part{Component: l.scorer.model.Components[c], Weight: w, Score: score, Share: w * score})
		}
	}
	sortParts(l.parts)
	return l.parts
}

// Release returns the memory to the index, or to the scorer.
func (l *List) Release() {
	if l.dense != nil {
		l.dense.Release()
		return
	}
	for c := range l.voices {
		if v := &l.voices[c]; v.opinion != nil {
			v.opinion.Release()
			v.opinion = nil
		}
	}
	l.scorer.index.scratch.Put(l)
}

// denseTop is Top by scoring every item.
func (s *Scorer) denseTop(h model.History, k int, f Filter) *List {
	b := s.Blend(h)
	l := &List{Weights: b.Weights, scorer: s, dense: b}
	if !b.Known() {
		return l
	}
	n := s.items
	if s.index != nil {
		n = s.index.items
	}
	seen := rank.SetOf(s.items, f.Seen)
	var only, hide *rank.Set
	if f.Only != nil {
		only = f.Only.set
	}
	if f.Hide != nil {
		hide = f.Hide.set
	}
	found := rank.TopK(b.Scores[:n], k, only, hide, seen)
	past := rank.NewSet(s.items - n)
	for _, row := range f.Seen {
		if int(row) >= n && int(row) < s.items {
			past.Add(row - int32(n))
		}
	}
	for _, r := range rank.TopK(b.Scores[n:], k, f.OnlyBeyond, f.HideBeyond, past) {
		found = append(found, rank.Ranked{Row: r.Row + int32(n), Score: r.Score})
	}
	l.Ranked = cutTo(found, max(0, k), f.Ties)
	return l
}
