package live

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"kindred/data"
	"kindred/model"
	"kindred/model/content"
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
	return &Snapshot{Version: NoModel, known: newShelf(nil, nil), extra: newShelf(nil, nil)}
}

// build joins a model with the whole catalog.
func build(version string, p Parts, all changes, loaded time.Time) (*Snapshot, error) {
	s := &Snapshot{Version: version, Parts: p, Loaded: loaded}
	if err := p.check(); err != nil {
		return nil, err
	}
	if len(p.Scorers) > 0 {
		s.index = hybrid.NewIndex(p.Scorers)
	}
	var facts []*Facts
	if p.Items != nil {
		facts = make([]*Facts, p.Items.Len())
		for row, id := range p.Items.Keys() {
			facts[row] = &Facts{ID: data.ItemID(id)}
		}
	}
	changed, beyond := s.sort(all)
	for row, f := range changed {
		facts[row] = f
	}
	s.known, s.extra = newShelf(facts, s.index), newShelf(nil, nil)
	s.itemsVersion = all.version
	s.receive(beyond)
	return s, s.join()
}

// with is the snapshot after further changes to the catalog. Cost for items of the
// model is that of shelf.with; for items beyond it O(items beyond), their text
// being analysed only when they change; neither depends on the model's size but for
// rows/512 pointers. Many changes at once cost little more than one.
func (s *Snapshot) with(c changes) (*Snapshot, error) {
	next := *s
	next.itemsVersion = c.version
	changed, beyond := s.sort(c)
	next.known = s.known.with(changed)
	if len(beyond) > 0 {
		next.receive(beyond)
		if err := next.join(); err != nil {
			return nil, err
		}
	}
	return &next, nil
}

// sort divides changes into those of the model's items, by row, and those of items
// beyond, nil for deleted ones.
func (s *Snapshot) sort(c changes) (changed map[int32]*Facts, beyond map[data.ItemID]*arrival) {
	changed, beyond = map[int32]*Facts{}, map[data.ItemID]*arrival{}
	for _, it := range c.upserts {
		if row, ok := s.knownRow(it.ID); ok {
			changed[row] = factsOf(it)
			continue
		}
		a := &arrival{facts: factsOf(it)}
		if s.Parts.Extend != nil {
			a.vector = s.Parts.Extend.Describe(it)
		}
		beyond[it.ID] = a
	}
	for _, id := range c.deleted {
		if row, ok := s.knownRow(id); ok {
			changed[row] = &Facts{ID: id, Deleted: true}
			continue
		}
		beyond[id] = nil
	}
	return changed, beyond
}

// knownRow is the item's row in the model's vocab.
func (s *Snapshot) knownRow(id data.ItemID) (int32, bool) {
	if s.Parts.Items == nil {
		return 0, false
	}
	return s.Parts.Items.Row(string(id))
}

// receive puts changed items beyond the model on the extra shelf, rows by id.
func (s *Snapshot) receive(changed map[data.ItemID]*arrival) {
	s.gone = maps.Clone(s.gone)
	if s.gone == nil {
		s.gone = map[data.ItemID]struct{}{}
	}
	var fresh []*arrival
	for id, a := range changed {
		if a == nil {
			s.gone[id] = struct{}{}
			continue
		}
		delete(s.gone, id)
		fresh = append(fresh, a)
	}
	slices.SortFunc(fresh, compareArrivals)
	merged := make([]*arrival, 0, len(s.arrivals)+len(fresh))
	for _, a := range s.arrivals {
		for len(fresh) > 0 && compareArrivals(fresh[0], a) < 0 {
			merged, fresh = append(merged, fresh[0]), fresh[1:]
		}
		if _, is := changed[a.facts.ID]; !is {
			merged = append(merged, a)
		}
	}
	s.arrivals = append(merged, fresh...)
	facts := make([]*Facts, len(s.arrivals))
	for i, a := range s.arrivals {
		facts[i] = a.facts
	}
	s.extra = newShelf(facts, nil)
}

func compareArrivals(a, b *arrival) int { return cmp.Compare(a.facts.ID, b.facts.ID) }

// join gives every component the snapshot's rows and binds the blend.
func (s *Snapshot) join() error {
	n, rows := s.Known(), s.Rows()
	s.scorers = make([]model.Scorer, 0, len(s.Parts.Scorers))
	for _, c := range s.Parts.Scorers {
		switch e := s.Parts.Extend; {
		case rows == n:
		case e != nil && e.Name() == c.Name():
			vectors := make([]content.Vector, len(s.arrivals))
			for i, a := range s.arrivals {
				vectors[i] = a.vector
			}
			c = e.ExtendedBy(vectors)
		default:
			c = hybrid.Pad(c, rows)
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
	s.blends, err = bind(blend, s.scorers, s.index)
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
		if err := s.probeList(whole, h); err != nil {
			return fmt.Errorf("probe %d: %w", i, err)
		}
	}
	if !spoke {
		return fmt.Errorf("probe: no component has anything to say to any of %d histories", len(histories))
	}
	return nil
}

// probeList asks for the list that a request would get: it has to be there wherever
// the blend has something to say, with finite scores.
func (s *Snapshot) probeList(blend *hybrid.Scorer, h model.History) error {
	const k = 10
	list := s.Best(blend, h, k, Filter{})
	defer list.Release()
	open := s.Rows() - s.known.closed.Count() - s.extra.closed.Count()
	if list.Known() && len(list.Ranked) != min(k, open) {
		return fmt.Errorf("the blend lists %d of %d open items", len(list.Ranked), open)
	}
	for _, r := range list.Ranked {
		if r.Score-r.Score != 0 {
			return fmt.Errorf("the blend lists item %q with score %v", s.Facts(r.Row).ID, r.Score)
		}
	}
	return nil
}
