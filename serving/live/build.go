package live

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"kindred/data"
	"kindred/model"
	"kindred/model/hybrid"
	"kindred/model/rank"
)

// changes are what happened to the catalog's items up to a version.
type changes struct {
	upserts []data.Item
	deleted []data.ItemID
	version int64
}

// empty is the snapshot of no model and no catalog.
func empty() *Snapshot {
	return &Snapshot{Version: NoModel, known: newShelf(nil), extra: newShelf(nil)}
}

// build joins a model with the whole catalog.
func build(version string, p Parts, all changes, loaded time.Time) (*Snapshot, error) {
	s := &Snapshot{Version: version, Parts: p, Loaded: loaded}
	if err := p.check(); err != nil {
		return nil, err
	}
	var facts []*Facts
	if p.Items != nil {
		facts = make([]*Facts, p.Items.Len())
		for row, id := range p.Items.Keys() {
			facts[row] = &Facts{ID: data.ItemID(id)}
		}
	}
	s.known, s.extra = newShelf(facts), newShelf(nil)
	return s.with(all)
}

// with is the snapshot after further changes to the catalog.
func (s *Snapshot) with(c changes) (*Snapshot, error) {
	next := *s
	next.itemsVersion = c.version
	changed := map[int32]*Facts{}
	extra := make(map[data.ItemID]data.Item, len(s.extraItems)+len(c.upserts))
	for _, it := range s.extraItems {
		extra[it.ID] = it
	}
	gone := maps.Clone(s.gone)
	if gone == nil {
		gone = map[data.ItemID]struct{}{}
	}
	beyond := false // did the items beyond the model change?
	for _, it := range c.upserts {
		if row, ok := s.knownRow(it.ID); ok {
			changed[row] = factsOf(it)
		} else {
			extra[it.ID], beyond = it, true
			delete(gone, it.ID)
		}
	}
	for _, id := range c.deleted {
		if row, ok := s.knownRow(id); ok {
			changed[row] = &Facts{ID: id, Deleted: true}
			continue
		}
		gone[id] = struct{}{}
		if _, ok := extra[id]; ok {
			delete(extra, id)
			beyond = true
		}
	}
	next.gone = gone
	next.known = s.known.with(changed)
	if beyond || s.scorers == nil {
		next.stock(extra)
		if err := next.join(); err != nil {
			return nil, err
		}
	}
	return &next, nil
}

// knownRow is the item's row in the model's vocab.
func (s *Snapshot) knownRow(id data.ItemID) (int32, bool) {
	if s.Parts.Items == nil {
		return 0, false
	}
	return s.Parts.Items.Row(string(id))
}

// stock fills the extra shelf, rows by id.
func (s *Snapshot) stock(items map[data.ItemID]data.Item) {
	s.extraItems = make([]data.Item, 0, len(items))
	for _, it := range items {
		s.extraItems = append(s.extraItems, it)
	}
	slices.SortFunc(s.extraItems, func(a, b data.Item) int { return cmp.Compare(a.ID, b.ID) })
	facts := make([]*Facts, len(items))
	s.extraRows = make(map[data.ItemID]int32, len(items))
	for i, it := range s.extraItems {
		facts[i] = factsOf(it)
		s.extraRows[it.ID] = int32(s.Known() + i)
	}
	s.extra = newShelf(facts)
}

// join gives every component the snapshot's rows and binds the blend.
func (s *Snapshot) join() error {
	n, rows := s.Known(), s.Rows()
	s.scorers = make([]model.Scorer, 0, len(s.Parts.Scorers))
	for _, c := range s.Parts.Scorers {
		switch e := s.Parts.Extend; {
		case rows == n:
		case e != nil && e.Name() == c.Name():
			c = e.ExtendedBy(s.extraItems)
		default:
			c = padded{c, n, rows}
		}
		if c.Items() != rows {
			return fmt.Errorf("component %s has %d rows, the snapshot %d", c.Name(), c.Items(), rows)
		}
		s.scorers = append(s.scorers, c)
	}
	if len(s.scorers) == 0 {
		return nil
	}
	blend := s.Parts.Blend
	if blend == nil {
		var names []string
		for _, c := range s.scorers {
			names = append(names, c.Name())
		}
		blend = hybrid.Equal(names, hybrid.ZScore)
	}
	var err error
	s.blends, err = bind(blend, s.scorers)
	return err
}

// check refuses a model whose parts do not fit together.
func (p Parts) check() error {
	n := 0
	if p.Items != nil {
		n = p.Items.Len()
	}
	for _, c := range p.Scorers {
		if c.Items() != n {
			return fmt.Errorf("component %s has %d rows and the vocab %d", c.Name(), c.Items(), n)
		}
	}
	return nil
}

// probe asks every component and the blend for the histories given and refuses
// scores that are not finite, or a blend that has nothing to say to anybody.
func (s *Snapshot) probe(histories []model.History) error {
	if s.blends == nil || s.Rows() == 0 {
		return nil
	}
	whole, err := s.Blend(nil)
	if err != nil {
		return err
	}
	dst := make([]float32, s.Rows())
	spoke := false
	for i, h := range histories {
		for _, c := range append(slices.Clone(s.scorers), model.Scorer(whole)) {
			said := c.Score(h, dst)
			spoke = spoke || said
			if row := slices.IndexFunc(dst, func(x float32) bool { return x-x != 0 }); said && row >= 0 {
				return fmt.Errorf("probe %d: %s scores item %q as %v", i, c.Name(), s.Facts(int32(row)).ID, dst[row])
			}
		}
		if len(rank.TopK(dst, 1, nil)) == 0 {
			return fmt.Errorf("probe %d: no item is ranked", i)
		}
	}
	if !spoke {
		return fmt.Errorf("probe: no component has anything to say to any of %d histories", len(histories))
	}
	return nil
}
