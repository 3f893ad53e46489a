package training

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"kindred/model"
	"kindred/model/als"
	"kindred/model/content"
	"kindred/model/itemitem"
	"kindred/model/popular"
	"kindred/model/sparse"
	"kindred/training/assemble"
	"kindred/training/evaluate"
)

// Progress is told how far a stage of a run is. It is called from one goroutine
// at a time; total is 0 where it is not known.
type Progress func(stage string, done, total int)

// material is what components are fitted on.
type material struct {
	tastes []assemble.Taste
	matrix *sparse.CSR // people × items, r > 0
	events []popular.Event
	now    int64 // newest act, Unix ms
	docs   [][]string
}

// newMaterial prepares acts for fitting.
func newMaterial(t *assemble.Table, acts []assemble.Act, docs [][]string, rule assemble.Preference) *material {
	m := &material{tastes: assemble.Tastes(acts, t.People.Len(), rule), docs: docs}
	m.matrix = assemble.Matrix(m.tastes, t.Items.Len())
	for _, a := range acts {
		if a.Timed() {
			m.now = max(m.now, a.At)
		}
	}
	for _, a := range acts {
		w := rule.Of(a)
		if w <= 0 {
			continue
		}
		at := a.At
		if !a.Timed() {
			at = m.now
		}
		m.events = append(m.events, popular.Event{Row: a.Item, Weight: w, At: at})
	}
	return m
}

// components are the fitted parts of a blend; a part that was not asked for is nil.
type components struct {
	als      *als.Model
	itemitem *itemitem.Model
	content  *content.Model
	popular  *popular.Model
	costs    map[string]cost
}

// cost is what a fit took.
type cost struct {
	seconds float64
	peak    uint64
}

// fit fits the named components. warm, if not nil, is where ALS starts from.
func fit(ctx context.Context, m *material, cfg Config, names []string, warm *als.Model, clock func() time.Time, progress Progress) (*components, error) {
	c := &components{costs: map[string]cost{}}
	for _, name := range ComponentNames() {
		if !slices.Contains(names, name) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		step := func(done, total int) { progress("fit "+name, done, total) }
		step(0, 0)
		meter := evaluate.Start(clock)
		var err error
		switch name {
		case ALS:
			c.als, err = als.Fit(ctx, m.matrix, cfg.als(), warm, step)
		case ItemItem:
			ii := cfg.ItemItem
			if ii.Workers == 0 {
				ii.Workers = cfg.Workers
			}
			c.itemitem, err = itemitem.Fit(ctx, m.matrix, ii, step)
		case Content:
			c.content, err = content.Fit(m.docs, cfg.Content)
		case Popular:
			c.popular = popular.Fit(m.matrix.Cols, m.events, m.now, cfg.Popular)
		}
		seconds, peak := meter.Stop()
		if err != nil {
			return nil, fmt.Errorf("fit %s: %w", name, err)
		}
		c.costs[name] = cost{seconds, peak}
	}
	return c, nil
}

// als is the configuration of the factorisation with the run's seed and workers.
func (c Config) als() als.Config {
	a := c.ALS
	a.Seed = c.Seed
	if a.Workers == 0 {
		a.Workers = c.Workers
	}
	return a
}

// preference is the rule that the configuration describes.
func (c Config) preference() assemble.Preference {
	return assemble.Preference{Weigh: c.Weights.Of, Binary: c.Binary}
}

// part is the part of the configuration that makes the named model.
func (c Config) part(name string) any {
	switch name {
	case ALS:
		return c.als()
	case ItemItem:
		return c.ItemItem
	case Content:
		return c.Content
	case Popular:
		return c.Popular
	}
	return c
}

// scorer is the fitted component of that name, or nil.
func (c *components) scorer(name string) model.Scorer {
	switch {
	case name == ALS && c.als != nil:
		return c.als
	case name == ItemItem && c.itemitem != nil:
		return c.itemitem
	case name == Content && c.content != nil:
		return c.content
	case name == Popular && c.popular != nil:
		return c.popular
	}
	return nil
}

// scorers are the fitted components of those names, in their order.
func (c *components) scorers(names []string) []model.Scorer {
	var out []model.Scorer
	for _, name := range names {
		if s := c.scorer(name); s != nil {
			out = append(out, s)
		}
	}
	return out
}

// with is the same components with another factorisation.
func (c *components) with(other *components) *components {
	out := *c
	out.als = other.als
	out.costs = maps.Clone(c.costs)
	out.costs[ALS] = other.costs[ALS]
	return &out
}

// total is what fitting the named components and something more took.
func (c *components) total(names []string, more cost) cost {
	for _, name := range names {
		more.seconds += c.costs[name].seconds
		more.peak = max(more.peak, c.costs[name].peak)
	}
	return more
}
