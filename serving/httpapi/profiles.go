package httpapi

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"time"

	"kindred/data"
	"kindred/features"
	"kindred/serving/live"
)

func (a *api) profileRoutes() {
	register(a, operation{id: "profile", method: http.MethodGet, path: "/v1/profiles/{id}", tag: "People",
		summary: "What is known about a person", scope: ScopeRead, errors: []int{404}}, a.getProfile)
}

// ProfileQuery names a person. It is exported for huma, which reads only exported embedded fields.
type ProfileQuery struct {
	ID   string `path:"id" minLength:"1" maxLength:"256"`
	Kind string `query:"kind" enum:"user,anonymous,profile" doc:"What the id is. Without it: a user id, else an anonymous id, else a profile id."`
}

// profileView is a profile for people to read: names instead of hashes, shares
// instead of sums.
type profileView struct {
	Profile     data.ProfileID             `json:"profile" doc:"Canonical id: what log and lake know the person by."`
	Stale       bool                       `json:"stale" doc:"The person's newest events are not reflected yet."`
	Identifiers []identifierView           `json:"identifiers"`
	Merged      []data.ProfileID           `json:"merged,omitempty" doc:"Profiles that were merged into this one."`
	FirstSeen   time.Time                  `json:"first_seen,omitzero"`
	LastSeen    time.Time                  `json:"last_seen,omitzero"`
	Traits      map[string]json.RawMessage `json:"traits"`
	Affinities  map[string][]shareView     `json:"affinities" doc:"By facet: share of interest, strongest first."`
	Counts      map[string]int             `json:"counts" doc:"Acts in sliding windows, for example views_7d."`
	Revenue90d  float64                    `json:"revenue_90d"`
	Engagement  float64                    `json:"engagement" doc:"0 to 100."`
	Sessions    uint32                     `json:"sessions" doc:"How many there were."`
	Session     *sessionView               `json:"session,omitempty" doc:"The current or latest one."`
	Clusters    []clusterView              `json:"clusters"`
	Segments    []membershipView           `json:"segments" doc:"By the live rules, by name."`
	Recent      []recentView               `json:"recent" doc:"Newest events first."`
	Items       int                        `json:"items" doc:"Distinct items in the history."`
	Consent     json.RawMessage            `json:"consent,omitempty"`
}

type identifierView struct {
	Kind      data.IDKind `json:"kind"`
	ID        string      `json:"id"`
	FirstSeen time.Time   `json:"first_seen,omitzero"`
	LastSeen  time.Time   `json:"last_seen,omitzero"`
}

type shareView struct {
	Value string  `json:"value"`
	Share float64 `json:"share"`
}

type sessionView struct {
	ID        string    `json:"id"`
	Start     time.Time `json:"start,omitzero"`
	End       time.Time `json:"end,omitzero"`
	Events    uint32    `json:"events"`
	PageViews uint32    `json:"page_views"`
	Purchases uint32    `json:"purchases"`
	Closed    bool      `json:"closed"`
}

type clusterView struct {
	Model      string    `json:"model"`
	Version    string    `json:"version"`
	Cluster    int32     `json:"cluster"`
	Confidence float64   `json:"confidence"`
	Since      time.Time `json:"since,omitzero"`
}

type recentView struct {
	Name  string      `json:"name"`
	Item  data.ItemID `json:"item,omitempty"`
	Title string      `json:"title,omitempty"`
	At    time.Time   `json:"at,omitzero"`
}

type profileAnswer struct{ Body profileView }

func (a *api) getProfile(ctx context.Context, in *ProfileQuery) (*profileAnswer, error) {
	p, stale, err := a.findProfile(ctx, in.ID, in.Kind)
	if err != nil {
		return nil, a.fail(ctx, err, "path.id")
	}
	v := a.view(p, stale)
	if v.Segments, _, err = a.memberships(p); err != nil {
		return nil, a.fail(ctx, err, "path.id")
	}
	return &profileAnswer{v}, nil
}

// findProfile reads the profile that the id of the given kind leads to; kind ""
// tries them in turn. The error is data.ErrNotFound or the store's, wrapped.
func (a *api) findProfile(ctx context.Context, id, kind string) (data.Profile, bool, error) {
	for _, try := range []struct {
		kind string
		ids  data.IDs
	}{
		{"user", data.IDs{User: data.UserID(id)}},
		{"anonymous", data.IDs{Anonymous: data.AnonymousID(id)}},
	} {
		if kind != "" && kind != try.kind {
			continue
		}
		person, err := a.deps.People.Read(ctx, try.ids)
		if err != nil {
			return data.Profile{}, false, err
		}
		if person.Known {
			return person.Profile, person.Stale, nil
		}
	}
	if kind != "" && kind != "profile" {
		return data.Profile{}, false, data.ErrNotFound
	}
	p, err := a.deps.People.Profile(ctx, data.ProfileID(id))
	if err == nil && p.Deleted {
		err = data.ErrNotFound
	}
	return p, false, err
}

// windows are the built-in windows and how they are called.
var windows = []struct {
	name string
	over time.Duration
}{{"1h", time.Hour}, {"24h", 24 * time.Hour}, {"7d", 7 * 24 * time.Hour}, {"30d", 30 * 24 * time.Hour}}

var windowActs = []struct {
	name string
	kind data.Kind
}{{"views", data.View}, {"clicks", data.Click}, {"carts", data.AddToCart}, {"purchases", data.Purchase}}

// topValues is how many affinities of a facet are shown.
const topValues = 10

// view makes a profile readable, as of now.
func (a *api) view(p data.Profile, stale bool) profileView {
	now := a.deps.Now().UnixMilli()
	v := profileView{
		Profile: p.ID, Stale: stale, FirstSeen: at(p.FirstSeen), LastSeen: at(p.LastSeen), Sessions: p.Sessions,
		Identifiers: []identifierView{}, Traits: traits(p), Affinities: map[string][]shareView{}, Counts: map[string]int{},
		Revenue90d: finite(features.Revenue(p, now)), Engagement: finite(features.EngagementScore(p, now)),
		Clusters: []clusterView{}, Recent: []recentView{}, Items: len(p.History), Consent: p.Consent,
	}
	for _, id := range p.Identity {
		v.Identifiers = append(v.Identifiers, identifierView{id.Kind, id.ID, at(id.FirstSeen), at(id.LastSeen)})
	}
	v.Merged = features.Parts(p)
	for _, aff := range p.Affinities {
		if _, done := v.Affinities[aff.Facet]; done {
			continue
		}
		shares := []shareView{}
		for _, s := range features.TopAffinities(p, aff.Facet, now, topValues) {
			shares = append(shares, shareView{s.Value, finite(s.Share)})
		}
		v.Affinities[aff.Facet] = shares
	}
	for _, act := range windowActs {
		for _, w := range windows {
			if n := features.Count(p, features.Window{Act: act.kind, Over: w.over}, now); n > 0 {
				v.Counts[act.name+"_"+w.name] = n
			}
		}
	}
	if s := p.Session; s.Start != 0 {
		v.Session = &sessionView{s.ID, at(s.Start), at(s.End), s.Events, s.PageViews, s.Purchases, s.Closed}
	}
	snap := a.deps.Live.Load()
	for _, c := range a.clusters(p, snap, now) {
		v.Clusters = append(v.Clusters, clusterView{c.Model, c.Version, c.Cluster, finite(c.Confidence), at(c.Since)})
	}
	for _, e := range p.Recent {
		r := recentView{Name: e.Name, Item: e.Item, At: at(e.At)}
		if row, ok := snap.Row(e.Item); ok {
			r.Title = snap.Facts(row).Title
		}
		v.Recent = append(v.Recent, r)
	}
	return v
}

// clusters are the person's assignments by the model that serves: as stored, or
// computed where the fold has met nothing of them since the model was published.
func (a *api) clusters(p data.Profile, snap *live.Snapshot, now int64) []data.Assignment {
	i := slices.IndexFunc(p.Clusters, func(c data.Assignment) bool { return c.Model == features.BehaviourCluster })
	if i >= 0 && p.Clusters[i].Version == snap.Version {
		return p.Clusters
	}
	computed, ok := features.Assign(p, snap.Parts.Clusters, snap.Version, now, a.deps.ClusterMargin)
	if !ok {
		return p.Clusters
	}
	if i < 0 {
		return append(slices.Clone(p.Clusters), computed)
	}
	out := slices.Clone(p.Clusters)
	out[i] = computed
	return out
}

func traits(p data.Profile) map[string]json.RawMessage {
	out := make(map[string]json.RawMessage, len(p.Traits))
	for _, t := range p.Traits {
		out[t.Name] = t.Value
	}
	return out
}

// finite is x as JSON can carry it: an infinity becomes the largest number, NaN 0. A
// profile may have been folded before such numbers were refused.
func finite(x float64) float64 {
	if x != x {
		return 0
	}
	return max(-math.MaxFloat64, min(math.MaxFloat64, x))
}

// at is a profile's time; zero means never.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
