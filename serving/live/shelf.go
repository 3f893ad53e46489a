package live

import (
	"slices"

	"kindred/data"
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

// shelf is a run of rows [0, n) with their facts. It is immutable: with returns a
// changed copy that shares what did not change.
type shelf struct {
	facts    []*Facts
	closed   *rank.Set          // rows that are never shown
	postings map[string][]int32 // category -> its rows, ascending
}

// newShelf indexes facts by row; facts is kept.
func newShelf(facts []*Facts) *shelf {
	s := &shelf{facts: facts, closed: rank.NewSet(len(facts)), postings: map[string][]int32{}}
	for i, f := range facts {
		row := int32(i)
		if f.Hidden || f.Deleted {
			s.closed.Add(row)
		}
		for _, c := range f.Categories {
			rows := s.postings[c]
			if len(rows) == 0 || rows[len(rows)-1] != row { // an item may name a category twice
				s.postings[c] = append(rows, row)
			}
		}
	}
	return s
}

// with returns the shelf with the facts of some rows replaced. Cost is O(n + the
// postings of the categories that the rows left or joined).
func (s *shelf) with(changed map[int32]*Facts) *shelf {
	if len(changed) == 0 {
		return s
	}
	next := &shelf{facts: slices.Clone(s.facts), closed: s.closed.Clone(), postings: make(map[string][]int32, len(s.postings))}
	for c, rows := range s.postings {
		next.postings[c] = rows
	}
	touched := map[string]bool{}
	for row, f := range changed {
		for _, c := range s.facts[row].Categories {
			touched[c] = true
		}
		for _, c := range f.Categories {
			touched[c] = true
		}
		next.facts[row] = f
		if next.closed.Remove(row); f.Hidden || f.Deleted {
			next.closed.Add(row)
		}
	}
	for c := range touched {
		rows := slices.DeleteFunc(slices.Clone(s.postings[c]), func(r int32) bool { _, is := changed[r]; return is })
		for row, f := range changed {
			if slices.Contains(f.Categories, c) {
				rows = append(rows, row)
			}
		}
		slices.Sort(rows)
		if next.postings[c] = rows; len(rows) == 0 {
			delete(next.postings, c)
		}
	}
	return next
}

// only is the set of rows in any of the categories.
func (s *shelf) only(categories []string) *rank.Set {
	set := rank.NewSet(len(s.facts))
	for _, c := range categories {
		for _, row := range s.postings[c] {
			set.Add(row)
		}
	}
	return set
}
