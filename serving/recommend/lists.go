package recommend

import (
	"strings"
	"time"

	"kindred/data"
	"kindred/model/popular"
	"kindred/serving/live"
)

// ListRequest asks for a list that is the same for everybody.
type ListRequest struct {
	ID         string
	N          int
	Categories []string
}

// itemPrefix begins the counters' keys of items.
const itemPrefix = "i/"

// Popular lists what is used most, by the live counters: the sum of the weights of
// what people did, with the long half-life. Without any counts, the model's.
func (s *Service) Popular(req ListRequest) Answer { return s.list(req, popular.ByPopularity) }

// Trending lists what is used more than it used to be: the short rate over the long.
func (s *Service) Trending(req ListRequest) Answer { return s.list(req, popular.ByTrend) }

func (s *Service) list(req ListRequest, by popular.Measure) Answer {
	snap := s.deps.Snapshots.Load()
	f := live.Filter{Categories: req.Categories}
	a := Answer{RequestID: req.ID, Model: snap.Version, Components: []string{"popular"}, GeneratedAt: s.deps.Now().UTC().Truncate(time.Millisecond)}
	a.Items = s.counted(snap, by, req.N, f)
	if len(a.Items) == 0 {
		if top, ok := snap.Popular(req.N, f); ok {
			a.Items = positions(snap, top)
		}
	}
	if a.Items == nil {
		a.Items = []Recommended{}
	}
	return a
}

// counted lists what the live counters rank highest and the filter allows. Items
// that neither model nor catalog has are shown by id, where no category is asked for
// and the catalog did not delete them.
func (s *Service) counted(snap *live.Snapshot, by popular.Measure, n int, f live.Filter) []Recommended {
	hidden := make(map[int32]bool, len(f.Hide))
	for _, row := range f.Hide {
		hidden[row] = true
	}
	hiddenIDs := make(map[data.ItemID]bool, len(f.HideIDs))
	for _, id := range f.HideIDs {
		hiddenIDs[id] = true
	}
	top := s.deps.Counters.Top(itemPrefix, by, s.deps.Now().UnixMilli(), n, func(key string) bool {
		id := data.ItemID(strings.TrimPrefix(key, itemPrefix))
		row, ok := snap.Row(id)
		if !ok {
			return !f.Chooses() && !hiddenIDs[id] && !snap.Gone(id)
		}
		return !snap.Closed(row) && !hidden[row] && f.Allows(snap.Facts(row))
	})
	items := make([]Recommended, len(top))
	for i, entry := range top {
		id := data.ItemID(strings.TrimPrefix(entry.Key, itemPrefix))
		facts := &live.Facts{ID: id}
		if row, ok := snap.Row(id); ok {
			facts = snap.Facts(row)
		}
		items[i] = item(facts, i+1, entry.Score)
	}
	return items
}
