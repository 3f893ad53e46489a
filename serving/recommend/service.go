package recommend

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"kindred/data"
	"kindred/features"
	"kindred/model"
	"kindred/model/hybrid"
	"kindred/model/popular"
	"kindred/model/rank"
	"kindred/serving/live"
	"kindred/serving/online"
)

// People reads profiles; *online.Reader does.
type People interface {
	Read(ctx context.Context, ids data.IDs) (online.Person, error)
}

// Snapshots hold the current model and catalog; *live.Live does.
type Snapshots interface {
	Load() *live.Snapshot
	Remember([]features.Preference)
}

// Counters are the live popularity sums; *popular.Live is one. Keys are "i/<item>".
type Counters interface {
	Top(prefix string, by popular.Measure, now int64, k int, allow func(key string) bool) []popular.Entry
}

// Impressions log the lists that were shown; *ingest.Service does.
type Impressions interface {
	Show(profile data.ProfileID, ids data.IDs, shown data.Shown, ctx json.RawMessage)
}

// Deps are what a Service is made of. Impressions may be nil.
type Deps struct {
	People      People
	Snapshots   Snapshots
	Counters    Counters
	Impressions Impressions
	Now         func() time.Time
}

// Service answers requests. It is safe for concurrent use.
type Service struct {
	cfg  Config
	deps Deps
}

// New returns a service.
func New(cfg Config, deps Deps) *Service { return &Service{cfg: cfg, deps: deps} }

// Recommend ranks up to req.N items for the person, best first, and logs the
// impression. Somebody nobody has met gets what is popular. The error is
// an *live.UnknownComponentError or the profile store's, wrapped.
func (s *Service) Recommend(ctx context.Context, req Request) (Answer, error) {
	snap := s.deps.Snapshots.Load() // once, so that everything below sees the same model
	blend, err := snap.Blend(req.Components)
	if err != nil {
		return Answer{}, fmt.Errorf("recommend: %w", err)
	}
	person, err := s.deps.People.Read(ctx, req.IDs)
	if err != nil {
		return Answer{}, fmt.Errorf("recommend: %w", err)
	}
	a := Answer{
		RequestID: req.ID, User: req.IDs.User, Known: person.Known, Model: snap.Version, Components: []string{},
		Stale: person.Stale, GeneratedAt: s.deps.Now().UTC().Truncate(time.Millisecond),
	}
	prefs := taste(person.Profile, req.Recent, snap.Parts.Weights)
	s.deps.Snapshots.Remember(prefs)
	filter := filterOf(snap, person.Profile, req)
	if a.Items = s.ranked(snap, blend, snap.History(prefs), req, filter, &a); a.Items == nil {
		s.fallback(snap, req, filter, &a)
	}
	s.log(person, req, a)
	return a, nil
}

// ranked is the list of the blend, or nil when it has nothing to say.
func (s *Service) ranked(snap *live.Snapshot, blend *hybrid.Scorer, h model.History, req Request, f live.Filter, a *Answer) []Recommended {
	if blend == nil {
		return nil
	}
	b := blend.Blend(h)
	defer b.Release()
	if !b.Known() {
		return nil
	}
	for c, w := range b.Weights {
		if w > 0 {
			a.Components = append(a.Components, blend.Model().Components[c])
		}
	}
	top := snap.Top(b.Scores, req.N, f)
	items := make([]Recommended, len(top))
	e := newExplainer(s.cfg, snap, h)
	defer e.release()
	for i, r := range top {
		items[i] = item(snap.Facts(r.Row), i+1, float64(r.Score))
		items[i].Reasons = e.reasons(b, r.Row, i < s.cfg.Because)
	}
	return items
}

// fallback fills the answer with what is popular: by the model if it can, else by
// the live counters. On an empty server that is an empty list.
func (s *Service) fallback(snap *live.Snapshot, req Request, f live.Filter, a *Answer) {
	a.Fallback = "cold"
	if snap.Version == live.NoModel {
		a.Fallback = "no_model"
	}
	if c := snap.Scorer("popular"); c != nil {
		scores := make([]float32, snap.Rows())
		if c.Score(model.History{}, scores) {
			a.Items = positions(snap, snap.Top(scores, req.N, f))
		}
	}
	if a.Items == nil {
		a.Items = s.counted(snap, popular.ByPopularity, req.N, f)
	}
	if len(a.Items) == 0 { // a catalog nobody has used yet: all items are equal
		a.Items = positions(snap, snap.Top(make([]float32, snap.Rows()), req.N, f))
	}
	a.Components = []string{"popular"}
	for i := range a.Items {
		a.Items[i].Reasons = []Reason{{Component: "popular", Share: 1}}
	}
}

// log hands the list to the impressions, if it can be said for whom it was.
func (s *Service) log(p online.Person, req Request, a Answer) {
	if s.deps.Impressions == nil || p.Profile.ID == "" || len(a.Items) == 0 {
		return
	}
	shown := data.Shown{Request: req.ID, Slot: req.Slot, Model: a.Model, Items: make([]data.ShownItem, len(a.Items))}
	for i, it := range a.Items {
		shown.Items[i] = data.ShownItem{Item: it.ID, Position: it.Position, Score: float64(it.Score)}
	}
	s.deps.Impressions.Show(p.Profile.ID, req.IDs, shown, req.Context)
}

// taste is what the person likes, newest first: what the caller says was used just
// now, as views, before what the profile knows.
func taste(p data.Profile, recent []data.ItemID, w features.Weights) []features.Preference {
	known := features.Preferences(p, w)
	if len(recent) == 0 {
		return known
	}
	view := w.View
	if view <= 0 {
		view = 1
	}
	at := make(map[data.ItemID]int, len(recent)+len(known))
	var out []features.Preference
	add := func(item data.ItemID, weight float64) {
		if i, ok := at[item]; ok {
			out[i].Weight += weight
			return
		}
		at[item] = len(out)
		out = append(out, features.Preference{Item: item, Weight: weight})
	}
	for _, item := range recent {
		add(item, view)
	}
	for _, pref := range known {
		add(pref.Item, pref.Weight)
	}
	return out
}

// filterOf says what the request's list may hold.
func filterOf(snap *live.Snapshot, p data.Profile, req Request) live.Filter {
	f := live.Filter{Categories: req.Categories, Hide: make([]int32, 0, len(p.History)+len(req.Exclude)+len(req.Recent))}
	hide := func(items []data.ItemID) {
		for _, item := range items {
			if row, ok := snap.Row(item); ok {
				f.Hide = append(f.Hide, row)
			} else {
				f.HideIDs = append(f.HideIDs, item)
			}
		}
	}
	hide(features.Hidden(p))
	hide(req.Exclude)
	if !req.IncludeSeen {
		hide(features.Seen(p))
		hide(req.Recent)
	}
	if low, high := req.MinPrice, req.MaxPrice; low != nil || high != nil {
		f.Allow = func(facts *live.Facts) bool {
			return facts.Price > 0 && (low == nil || facts.Price >= *low) && (high == nil || facts.Price <= *high)
		}
	}
	return f
}

// item is a position without its reasons.
func item(f *live.Facts, position int, score float64) Recommended {
	return Recommended{
		ID: f.ID, Title: f.Title, Position: position, Score: finite(score), Categories: f.Categories,
		URL: f.URL, ImageURL: f.ImageURL, Price: f.Price, Currency: f.Currency,
	}
}

// positions are ranked rows as items.
func positions(snap *live.Snapshot, top []rank.Ranked) []Recommended {
	items := make([]Recommended, len(top))
	for i, r := range top {
		items[i] = item(snap.Facts(r.Row), i+1, float64(r.Score))
	}
	return items
}
