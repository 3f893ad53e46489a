package live

import (
	"slices"

	"kindred/data"
	"kindred/model/hybrid"
	"kindred/model/rank"
)

// Facts is what a request needs to know of one item.
type Facts struct {
	ID         data.ItemID
	Title      string
	Categories []string
	Tags       []string
	Brand      string
	Price      float64
	Currency   string
	URL        string
	ImageURL   string
	Cataloged  bool // the catalog holds it; false for items known from behaviour alone
	Hidden     bool // never shown while true
	Deleted    bool // the catalog held it once: never shown
}

// factsOf keeps of an item what requests read; its text is left behind.
func factsOf(it data.Item) *Facts {
	return &Facts{
		ID: it.ID, Title: it.Title, Categories: it.Categories, Tags: it.Tags, Brand: it.Brand,
		Price: it.Price, Currency: it.Currency, URL: it.URL, ImageURL: it.ImageURL,
		Cataloged: true, Hidden: it.Hidden,
	}
}

// closed reports whether the item is never shown.
func (f *Facts) closed() bool { return f.Hidden || f.Deleted }

// pageRows is the number of rows that are copied when one of them changes.
const pageRows = 512

// page is a run of rows. Prices stand apart, because a filter reads all of them.
type page struct {
	facts  [pageRows]*Facts
	prices [pageRows]float64
}

// shelf is a run of rows [0, rows) with their facts. It is immutable: with returns a
// changed copy that shares what did not change.
type shelf struct {
	rows     int
	pages    []*page
	index    *hybrid.Index // that the rows are laid out for, or nil
	closed   *rank.Set     // rows that are never shown
	hidden   *hybrid.RowSet
	postings map[string][]int32 // category -> its rows, ascending
	chosen   *selections
}

// newShelf indexes facts by row.
func newShelf(facts []*Facts, index *hybrid.Index) *shelf {
	s := &shelf{
		rows: len(facts), index: index, closed: rank.NewSet(len(facts)), postings: map[string][]int32{}, chosen: newSelections(len(facts)),
	}
	for len(s.pages)*pageRows < len(facts) {
		s.pages = append(s.pages, new(page))
	}
	for i, f := range facts {
		row := int32(i)
		s.pages[i/pageRows].put(i%pageRows, f)
		if f.closed() {
			s.closed.Add(row)
		}
		for _, c := range f.Categories {
			rows := s.postings[c]
			if len(rows) == 0 || rows[len(rows)-1] != row { // an item may name a category twice
				s.postings[c] = append(rows, row)
			}
		}
	}
	s.hidden = s.lay(s.closed)
	return s
}

// lay lays a set of rows out for the index; nil for none.
func (s *shelf) lay(rows *rank.Set) *hybrid.RowSet {
	if rows.Count() == 0 {
		return nil
	}
	return s.index.RowSet(rows)
}

func (p *page) put(i int, f *Facts) { p.facts[i], p.prices[i] = f, f.Price }

// at is the facts of a row.
func (s *shelf) at(row int32) *Facts { return s.pages[row/pageRows].facts[row%pageRows] }

// with returns the shelf with the facts of some rows replaced. Cost is O(rows/512 +
// 512·changed); where rows open or close O(rows/64 + closed); where categories change
// O(categories + the postings of those that rows left or joined).
func (s *shelf) with(changed map[int32]*Facts) *shelf {
	if len(changed) == 0 {
		return s
	}
	next := *s
	next.pages = slices.Clone(s.pages)
	copied := make(map[int32]bool, len(changed))
	touched := map[string]bool{}
	opened, priced := false, false
	for row, f := range changed {
		old, at := s.at(row), row/pageRows
		if !copied[at] {
			copied[at] = true
			page := *s.pages[at]
			next.pages[at] = &page
		}
		next.pages[at].put(int(row%pageRows), f)
		opened = opened || old.closed() != f.closed()
		priced = priced || old.Price != f.Price
		if !slices.Equal(old.Categories, f.Categories) {
			for _, c := range old.Categories {
				touched[c] = true
			}
			for _, c := range f.Categories {
				touched[c] = true
			}
		}
	}
	if opened {
		next.closed = s.closed.Clone()
		for row, f := range changed {
			if next.closed.Remove(row); f.closed() {
				next.closed.Add(row)
			}
		}
		next.hidden = s.lay(next.closed)
	}
	if priced || len(touched) > 0 {
		next.chosen = newSelections(s.rows)
	}
	if len(touched) > 0 {
		next.postings = s.moved(changed, touched)
	}
	return &next
}

// moved is the postings after rows left or joined the touched categories.
func (s *shelf) moved(changed map[int32]*Facts, touched map[string]bool) map[string][]int32 {
	postings := make(map[string][]int32, len(s.postings)+len(touched))
	for c, rows := range s.postings {
		postings[c] = rows
	}
	joined := map[string][]int32{}
	for row, f := range changed {
		for i, c := range f.Categories {
			if !slices.Contains(f.Categories[:i], c) { // an item may name a category twice
				joined[c] = append(joined[c], row)
			}
		}
	}
	for c := range touched {
		rows := slices.DeleteFunc(slices.Clone(s.postings[c]), func(r int32) bool { _, is := changed[r]; return is })
		rows = append(rows, joined[c]...)
		slices.Sort(rows)
		if postings[c] = rows; len(rows) == 0 {
			delete(postings, c)
		}
	}
	return postings
}
