package recommend

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"kindred/data"
	"kindred/model"
	"kindred/model/content"
	"kindred/serving/live"
)

// SimilarRequest asks for items like one item.
type SimilarRequest struct {
	ID         string
	Item       data.ItemID
	N          int
	Categories []string
}

// termSharer is a component that can name the terms that two items share.
type termSharer interface {
	SharedTerms(a, b int32, k int) []content.TermShare
}

// opinion is how similar one component finds every item, best match 1.
type opinion struct {
	component string
	scores    []float32
}

// Similar lists items like req.Item; see the package comment. An item nothing is
// known about yet has an empty list. The error is ErrUnknownItem, wrapped.
func (s *Service) Similar(req SimilarRequest) (Answer, error) {
	snap := s.deps.Snapshots.Load()
	row, ok := snap.Row(req.Item)
	if !ok || snap.Facts(row).Deleted {
		return Answer{}, fmt.Errorf("items similar to %q: %w", req.Item, ErrUnknownItem)
	}
	a := Answer{RequestID: req.ID, Model: snap.Version, Components: []string{}, Items: []Recommended{}, GeneratedAt: s.deps.Now().UTC().Truncate(time.Millisecond)}
	opinions := opinionsOn(snap, row)
	if len(opinions) == 0 {
		return a, nil
	}
	mean := make([]float32, snap.Rows())
	for _, o := range opinions {
		a.Components = append(a.Components, o.component)
		for i, x := range o.scores {
			mean[i] += x / float32(len(opinions))
		}
	}
	for i, r := range snap.Top(mean, req.N, live.Filter{Hide: []int32{row}, Categories: req.Categories}) {
		if r.Score <= 0 {
			break // nothing in common
		}
		it := item(snap.Facts(r.Row), i+1, float64(r.Score))
		it.Reasons = s.likeness(snap, opinions, row, r.Row, r.Score)
		a.Items = append(a.Items, it)
	}
	return a, nil
}

// opinionsOn asks every component that can compare items.
func opinionsOn(snap *live.Snapshot, row int32) []opinion {
	var out []opinion
	for _, name := range snap.Components() {
		c, ok := snap.Scorer(name).(model.SimilarScorer)
		scores := make([]float32, snap.Rows())
		if !ok || !c.Similar(row, scores) {
			continue
		}
		best := float32(0)
		for i, x := range scores {
			if int32(i) != row && x > best {
				best = x
			}
		}
		if best <= 0 {
			continue
		}
		for i, x := range scores {
			scores[i] = max(0, x/best)
		}
		out = append(out, opinion{name, scores})
	}
	return out
}

// likeness are the components' parts in a similarity, largest first.
func (s *Service) likeness(snap *live.Snapshot, opinions []opinion, a, b int32, total float32) []Reason {
	var out []Reason
	for _, o := range opinions {
		part := o.scores[b] / float32(len(opinions))
		if part <= 0 {
			continue
		}
		r := Reason{Component: o.component, Share: rounded(float64(part / total))}
		if c, ok := snap.Scorer(o.component).(termSharer); ok {
			for _, t := range c.SharedTerms(a, b, s.cfg.Causes) {
				r.Terms = append(r.Terms, t.Text)
			}
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(x, y Reason) int { return cmp.Compare(y.Share, x.Share) })
	return out
}
