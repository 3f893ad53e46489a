package recommend

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
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

// Impressions log the lists that were shown; *ingest.Service does. shown.Items is shared
// with other impressions: it is read only.
type Impressions interface {
	Show(profile data.ProfileID, ids data.IDs, shown data.Shown, ctx json.RawMessage)
}

// Deps are what a Service is made of. Impressions may be nil.
type Deps struct {
	People      People
	Snapshots   Snapshots
	Counters    Counters
	Impressions Impressions
	// Segments names the segments that the bytes of a profile say; nil names none.
	Segments func(state []byte) []string
	Now      func() time.Time
}

// Service answers requests. It is safe for concurrent use.
type Service struct {
	cfg     Config
	deps    Deps
	answers *answers
	lists   memories
}

// New returns a service.
func New(cfg Config, deps Deps) *Service {
	return &Service{cfg: cfg, deps: deps, answers: newAnswers(cfg.CacheBytes)}
}

// Cache is what the cache of answers holds and did.
func (s *Service) Cache() CacheStats { return s.answers.stats() }

// Forget drops the kept answers of a person who was erased; see answers.forget.
func (s *Service) Forget(id data.ProfileID) { s.answers.forget(id) }

// Recommend ranks up to req.N items for the person, best first, and logs the
// impression. Somebody nobody has met gets what is popular. The error is
// an *live.UnknownComponentError or the profile store's, wrapped. The answer's texts
// are the catalog's and shared with other requests.
func (s *Service) Recommend(ctx context.Context, req Request) (Answer, error) {
	a, _, err := s.find(ctx, req, new(memory), false)
	if err != nil {
		return Answer{}, fmt.Errorf("recommend: %w", err)
	}
	return a, nil
}

// AppendRecommendation appends to b what Recommend answers, as Answer.AppendJSON
// writes it.
func (s *Service) AppendRecommendation(ctx context.Context, b []byte, req Request) ([]byte, error) {
	memory := s.lists.take()
	defer s.lists.put(memory)
	a, list, err := s.find(ctx, req, memory, true)
	switch {
	case err != nil:
	case list != "":
		b, err = a.appendWith(b, list)
	default:
		b, err = a.AppendJSON(b)
	}
	if err != nil {
		return nil, fmt.Errorf("recommend: %w", err)
	}
	return b, nil
}

// find looks the answer up, or makes and keeps it, in memory, and logs the impression.
// With written, list may be the answer's list as it is written, and its Items nil.
func (s *Service) find(ctx context.Context, req Request, memory *memory, written bool) (a Answer, list string, err error) {
	snap := s.deps.Snapshots.Load() // once, so that everything below sees the same model
	blend, err := snap.Blend(req.Components)
	if err != nil {
		return a, "", err
	}
	person, err := s.deps.People.Read(ctx, req.IDs)
	if err != nil {
		return a, "", err
	}
	at := s.deps.Now().UTC().Truncate(time.Millisecond)
	key := s.answers.key(snap, person, req)
	defer key.release()
	k, room := s.answers.get(key)
	var h *hot
	switch {
	case k != nil && written:
		if h = k.hot.Load(); h != nil {
			a = k.about()
			break
		}
		if a = k.answer(snap, memory); room {
			if h, err = newHot(&a); err != nil {
				return a, "", err
			}
			s.answers.heat(key, k, h)
		}
	case k != nil:
		a = k.answer(snap, memory)
	default:
		var timeless bool
		a, timeless = s.make(snap, blend, person, req, memory)
		if timeless && s.answers != nil {
			if k, ok := newKept(&a, memory.rows); ok {
				s.answers.put(key, k)
			}
		}
	}
	a.RequestID, a.User, a.GeneratedAt = req.ID, req.user(), at
	if s.deps.Segments != nil && len(person.Profile.Segments) > 0 {
		a.Segments = s.deps.Segments(person.Profile.Segments) // of this read, kept answer or not
	}
	if h == nil {
		if s.logs(person) {
			s.log(person, req, a.Model, shownItems(a.Items))
		}
		return a, "", nil
	}
	if s.logs(person) {
		s.log(person, req, a.Model, h.shown)
	}
	return a, h.list, nil
}

// make answers anew, in memory; see fallback for timeless.
func (s *Service) make(snap *live.Snapshot, blend *hybrid.Scorer, person online.Person, req Request, memory *memory) (a Answer, timeless bool) {
	a = Answer{Known: person.Known, Model: snap.Version, Components: []string{}, Stale: person.Stale}
	seen := rowsOf(snap, person.Profile, memory)
	prefs := taste(person.Profile, req.Recent, snap.Parts.Weights)
	s.deps.Snapshots.Remember(prefs)
	h := seen.history(snap, prefs, len(req.Recent) > 0)
	filter := filterOf(snap, seen, req, memory)
	if a.Items = s.ranked(snap, blend, h, req, filter, &a, memory); a.Items != nil {
		return a, true
	}
	return a, s.fallback(snap, req, filter, &a, memory)
}

// ranked is the list of the blend, or nil when it has nothing to say.
func (s *Service) ranked(snap *live.Snapshot, blend *hybrid.Scorer, h model.History, req Request, f live.Filter, a *Answer, memory *memory) []Recommended {
	if blend == nil {
		return nil
	}
	list := snap.Best(blend, h, req.N, f)
	defer list.Release()
	if !list.Known() {
		return nil
	}
	a.Components = contributing(blend, list)
	items := take(&memory.items, len(list.Ranked))
	e := newExplainer(s.cfg, snap, h, memory)
	defer e.release()
	for i, r := range list.Ranked {
		items[i] = memory.listed(snap, r.Row, i+1, float64(r.Score))
		items[i].Reasons = e.reasons(list, r.Row, i < s.cfg.Because)
	}
	return items
}

// contributing are the components that count for the person, in blending order. They
// are read only.
func contributing(blend *hybrid.Scorer, list *hybrid.List) []string {
	all := blend.Model().Components
	if !slices.ContainsFunc(list.Weights, func(w float64) bool { return !(w > 0) }) {
		return all[:len(list.Weights):len(list.Weights)]
	}
	out := make([]string, 0, len(list.Weights))
	for c, w := range list.Weights {
		if w > 0 {
			out = append(out, all[c])
		}
	}
	return out
}

// fallback fills the answer with what is popular: by the model if it can, else by
// the live counters. On an empty server that is an empty list. timeless reports that
// the list does not depend on the time and the counters.
func (s *Service) fallback(snap *live.Snapshot, req Request, f live.Filter, a *Answer, memory *memory) (timeless bool) {
	a.Fallback = "cold"
	if snap.Version == live.NoModel {
		a.Fallback = "no_model"
	}
	if top, ok := snap.Popular(req.N, f); ok {
		for i, r := range top {
			a.Items = append(a.Items, memory.listed(snap, r.Row, i+1, float64(r.Score)))
		}
		timeless = true
	} else {
		a.Items = s.counted(snap, popular.ByPopularity, req.N, f)
	}
	if len(a.Items) == 0 { // a catalog nobody has used yet: all items are equal
		for i, row := range snap.First(req.N, f) {
			a.Items = append(a.Items, memory.listed(snap, row, i+1, 0))
		}
	}
	if a.Items == nil {
		a.Items = []Recommended{}
	}
	a.Components = onlyPopular
	for i := range a.Items {
		a.Items[i].Reasons = becausePopular
	}
	return timeless
}

// What every fallback says; read only.
var (
	onlyPopular    = []string{"popular"}
	becausePopular = []Reason{{Component: "popular", Share: 1}}
)

// logs reports whether it can be said for whom a list was, and somebody wants to know.
func (s *Service) logs(p online.Person) bool { return s.deps.Impressions != nil && p.Profile.ID != "" }

// log hands the list to the impressions.
func (s *Service) log(p online.Person, req Request, model string, shown []data.ShownItem) {
	if len(shown) == 0 {
		return
	}
	s.deps.Impressions.Show(p.Profile.ID, req.IDs, data.Shown{Request: req.ID, Slot: req.Slot, Model: model, Items: shown}, req.Context)
}

// shownItems is a list as an impression has it.
func shownItems(items []Recommended) []data.ShownItem {
	shown := make([]data.ShownItem, len(items))
	for i := range items {
		it := &items[i]
		shown[i] = data.ShownItem{Item: it.ID, Position: it.Position, Score: float64(it.Score)}
	}
	return shown
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

// used is the rows of a profile's history, looked up once.
type used struct {
	items []data.HistoryItem
	rows  []int32 // −1 where the item has none
}

func rowsOf(snap *live.Snapshot, p data.Profile, memory *memory) used {
	u := used{p.History, take(&memory.used, len(p.History))}
	for i := range p.History {
		u.rows[i] = -1
		if row, ok := snap.Row(p.History[i].Item); ok {
			u.rows[i] = row
		}
	}
	return u
}

// history joins the person's preferences, in the order of the profile's history where
// the caller named nothing recent, with rows.
func (u used) history(snap *live.Snapshot, prefs []features.Preference, recent bool) model.History {
	if recent {
		return snap.History(prefs)
	}
	rows, at := make([]int32, len(prefs)), 0
	for i := range prefs {
		for u.items[at].Item != prefs[i].Item {
			at++
		}
		rows[i] = u.rows[at]
	}
	return snap.HistoryAt(prefs, rows)
}

// filterOf says what the request's list may hold.
func filterOf(snap *live.Snapshot, seen used, req Request, memory *memory) live.Filter {
	f := live.Filter{
		Categories: req.Categories, MinPrice: req.MinPrice, MaxPrice: req.MaxPrice,
		Hide: take(&memory.hide, len(seen.rows)+len(req.Exclude)+len(req.Recent))[:0],
	}
	for i, row := range seen.rows {
		switch it := &seen.items[i]; {
		case req.IncludeSeen && !it.Has(data.Hide):
		case row >= 0:
			f.Hide = append(f.Hide, row)
		default:
			f.HideIDs = append(f.HideIDs, it.Item)
		}
	}
	hide := func(items []data.ItemID) {
		for _, item := range items {
			if row, ok := snap.Row(item); ok {
				f.Hide = append(f.Hide, row)
			} else {
				f.HideIDs = append(f.HideIDs, item)
			}
		}
	}
	hide(req.Exclude)
	if !req.IncludeSeen {
		hide(req.Recent)
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
