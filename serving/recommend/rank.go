package recommend

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"kindred/data"
	"kindred/model"
	"kindred/serving/live"
)

// RankRequest asks for an order of given candidates.
type RankRequest struct {
	ID         string
	IDs        data.IDs
	Recent     []data.ItemID
	Candidates []data.ItemID // distinct
	Components []string
	Slot       string
}

// Rank orders the candidates for the person, best first, seen ones included.
// Candidates that neither the model nor the catalog has come last, as Unknown, after
// hidden and deleted ones, as Closed, each in the order of their ids; so does
// everything when there is no model. The error is an *live.UnknownComponentError
// or the profile store's, wrapped.
func (s *Service) Rank(ctx context.Context, req RankRequest) (Answer, error) {
	snap := s.deps.Snapshots.Load()
	blend, err := snap.Blend(req.Components)
	if err != nil {
		return Answer{}, fmt.Errorf("rank: %w", err)
	}
	person, err := s.deps.People.Read(ctx, req.IDs)
	if err != nil {
		return Answer{}, fmt.Errorf("rank: %w", err)
	}
	a := Answer{
		RequestID: req.ID, User: req.IDs.User, Known: person.Known, Model: snap.Version, Components: []string{},
		Stale: person.Stale, GeneratedAt: s.deps.Now().UTC().Truncate(time.Millisecond),
	}
	h := snap.History(taste(person.Profile, req.Recent, snap.Parts.Weights))
	if blend == nil {
		a.Fallback = "no_model"
		a.Items = candidates(snap, req.Candidates, nil)
	} else {
		list := snap.Best(blend, h, 0, live.Filter{}) // what the blend says of any row
		defer list.Release()
		score := list.Score
		if !list.Known() {
			a.Fallback = "cold"
			if c := snap.Scorer("popular"); c != nil {
				scores := make([]float32, snap.Rows())
				c.Score(model.History{}, scores)
				score = func(row int32) float32 { return scores[row] }
			}
		}
		a.Components = contributing(blend, list)
		a.Items = candidates(snap, req.Candidates, score)
		e := newExplainer(s.cfg, snap, h, new(memory))
		defer e.release()
		for i, it := range a.Items {
			if row, ok := snap.Row(it.ID); ok && !it.Closed && list.Known() {
				a.Items[i].Reasons = e.reasons(list, row, i < s.cfg.Because)
			}
		}
	}
	for i := range a.Items {
		a.Items[i].Position = i + 1
	}
	return a, nil
}

// candidates are the items in their order; score nil means that nobody scored them.
func candidates(snap *live.Snapshot, ids []data.ItemID, score func(row int32) float32) []Recommended {
	items := make([]Recommended, 0, len(ids))
	for _, id := range ids {
		row, ok := snap.Row(id)
		switch {
		case !ok && snap.Gone(id):
			items = append(items, Recommended{ID: id, Closed: true})
		case !ok:
			items = append(items, Recommended{ID: id, Unknown: true})
		case snap.Closed(row):
			it := item(snap.Facts(row), 0, 0)
			it.Closed = true
			items = append(items, it)
		case score == nil:
			items = append(items, item(snap.Facts(row), 0, 0))
		default:
			items = append(items, item(snap.Facts(row), 0, float64(score(row))))
		}
	}
	group := func(it Recommended) int {
		switch {
		case it.Unknown:
			return 2
		case it.Closed:
			return 1
		}
		return 0
	}
	slices.SortFunc(items, func(a, b Recommended) int {
		return cmp.Or(cmp.Compare(group(a), group(b)), cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return items
}
