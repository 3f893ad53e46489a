package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kindred/data"
	"kindred/serving/recommend"
)

const tagRecommend = "Recommendations"

func (a *api) recommendationRoutes() {
	register(a, operation{id: "recommend", method: http.MethodGet, path: "/v1/recommendations/{user}", tag: tagRecommend,
		summary: "Recommend items to a person", scope: ScopeRead, bounded: true}, a.getRecommendations)
	register(a, operation{id: "recommend-anonymous", method: http.MethodPost, path: "/v1/recommendations", tag: tagRecommend,
		summary: "Recommend items to a visitor, by what they just used", scope: ScopeRecommend, bounded: true}, a.postRecommendations)
	register(a, operation{id: "similar", method: http.MethodGet, path: "/v1/items/{id}/similar", tag: tagRecommend,
		summary: "Items like an item", scope: ScopeRead, bounded: true, errors: []int{404}}, a.getSimilar)
	register(a, operation{id: "popular", method: http.MethodGet, path: "/v1/popular", tag: tagRecommend,
		summary: "What is used most", scope: ScopeRead, bounded: true}, a.getPopular)
	register(a, operation{id: "trending", method: http.MethodGet, path: "/v1/trending", tag: tagRecommend,
		summary: "What is used more than it used to be", scope: ScopeRead, bounded: true}, a.getTrending)
	register(a, operation{id: "rank", method: http.MethodPost, path: "/v1/rank", tag: tagRecommend,
		summary: "Order given items for a person", scope: ScopeRead, bounded: true}, a.postRank)
}

// answer is what the other routes of this file return.
type answer struct{ Body recommend.Answer }

// writtenAnswer is an answer whose body is JSON already.
type writtenAnswer struct{ Body written }

func reply(r recommend.Answer) (*answer, error) { return &answer{r}, nil }

// Length is the parameter n. It is exported for huma, which reads only exported
// embedded fields. Its bounds must equal recommend.DefaultN and recommend.MaxN.
type Length struct {
	N int `query:"n" minimum:"1" maximum:"500" default:"10" doc:"Items at most."`
}

// Categories is the repeatable parameter category.
type Categories struct {
	Category []string `query:"category,explode" maxItems:"100" doc:"Only items in one of these; repeat for several."`
}

type userQuery struct {
	User string `path:"user" minLength:"1" maxLength:"256" doc:"The person's user id; percent-encode slashes."`
	Length
	Categories
	ExcludeSeen bool     `query:"exclude_seen" default:"true" doc:"Leave out what the person used before."`
	Components  []string `query:"components" maxItems:"8" doc:"Only these components of the model, comma-separated."`
	Slot        string   `query:"slot" maxLength:"64" doc:"Where the list will be shown; kept with the impression."`
}

func (a *api) getRecommendations(ctx context.Context, in *userQuery) (*writtenAnswer, error) {
	return a.recommend(ctx, "path.user", recommend.Request{
		ID: requestID(ctx), IDs: a.clean(data.IDs{User: data.UserID(in.User)}), Asked: data.UserID(in.User), N: in.N, IncludeSeen: !in.ExcludeSeen,
		Categories: in.Category, Components: in.Components, Slot: in.Slot,
	})
}

// recommend answers with the JSON as the service keeps it. where names the field that
// says whom it is for.
func (a *api) recommend(ctx context.Context, where string, req recommend.Request) (*writtenAnswer, error) {
	memory := a.answers.take()
	b, err := a.deps.Recommend.AppendRecommendation(ctx, memory.b[:0], req)
	if err != nil {
		return nil, a.fail(ctx, err, where)
	}
	memory.b = append(b, '\n')
	return &writtenAnswer{written{memory, requestOf(ctx).conn}}, nil
}

// clean drops identifiers that identify nobody.
func (a *api) clean(ids data.IDs) data.IDs { return a.deps.Ingest.Config().Identity.Clean(ids) }

type visitorInput struct {
	Body visitor
}

type visitor struct {
	User        string          `json:"user,omitempty" maxLength:"256" doc:"User id, if known. Not read from pages and from keys with the scope recommend alone, for anybody can write a name: the anonymous id leads to the person, too."`
	AnonymousID string          `json:"anonymous_id,omitempty" maxLength:"256" doc:"The tracker's anonymous id, if known."`
	Recent      []string        `json:"recent,omitempty" maxItems:"200" doc:"Item ids used just now, newest first; they count as views."`
	N           int             `json:"n,omitempty" minimum:"1" maximum:"500" default:"10"`
	ExcludeSeen *bool           `json:"exclude_seen,omitempty" doc:"Default true."`
	Components  []string        `json:"components,omitempty" maxItems:"8"`
	Slot        string          `json:"slot,omitempty" maxLength:"64"`
	Context     json.RawMessage `json:"context,omitempty" doc:"An object about the situation; kept with the impression."`
	Filter      visitorFilter   `json:"filter,omitempty"`
}

type visitorFilter struct {
	Categories []string `json:"categories,omitempty" maxItems:"100" doc:"Only items in one of these."`
	Exclude    []string `json:"exclude,omitempty" maxItems:"10000" doc:"Item ids to leave out."`
	MinPrice   *float64 `json:"min_price,omitempty" minimum:"0" doc:"Only items that cost at least this; items without a price are left out."`
	MaxPrice   *float64 `json:"max_price,omitempty" minimum:"0"`
}

// maxContextBytes bounds what is kept with an impression.
const maxContextBytes = 8 << 10

// Resolve checks what the schema cannot say.
func (in *visitorInput) Resolve(huma.Context) []error {
	var errs []error
	add := func(location, message string, value any) { errs = append(errs, field(location, message, value)) }
	f := in.Body.Filter
	if f.MinPrice != nil && f.MaxPrice != nil && *f.MinPrice > *f.MaxPrice {
		add("body.filter.min_price", "is above max_price", *f.MinPrice)
	}
	if c := bytes.TrimSpace(in.Body.Context); len(c) > maxContextBytes {
		add("body.context", "is larger than 8192 bytes", len(c))
	} else if len(c) > 0 && c[0] != '{' && string(c) != "null" {
		add("body.context", "must be an object", nil)
	}
	return errs
}

// situation is the visitor's context in one line, nil for none.
func (v visitor) situation() json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, v.Context) != nil || b.String() == "null" || b.Len() == 0 {
		return nil
	}
	return b.Bytes()
}

func (a *api) postRecommendations(ctx context.Context, in *visitorInput) (*writtenAnswer, error) {
	v := in.Body
	ids := data.IDs{User: data.UserID(v.User), Anonymous: data.AnonymousID(v.AnonymousID)}
	if isVisitor(ctx) {
		ids.User = ""
	}
	return a.recommend(ctx, "body.user", recommend.Request{
		ID: requestID(ctx), IDs: a.clean(ids),
		Recent: itemIDs(v.Recent), N: v.N, IncludeSeen: v.ExcludeSeen != nil && !*v.ExcludeSeen,
		Exclude: itemIDs(v.Filter.Exclude), Categories: v.Filter.Categories, MinPrice: v.Filter.MinPrice, MaxPrice: v.Filter.MaxPrice,
		Components: v.Components, Slot: v.Slot, Context: v.situation(),
	})
}

func itemIDs(ids []string) []data.ItemID {
	out := make([]data.ItemID, len(ids))
	for i, id := range ids {
		out[i] = data.ItemID(id)
	}
	return out
}

type similarQuery struct {
	ID string `path:"id" minLength:"1" maxLength:"256"`
	Length
	Categories
}

func (a *api) getSimilar(ctx context.Context, in *similarQuery) (*answer, error) {
	r, err := a.deps.Recommend.Similar(recommend.SimilarRequest{ID: requestID(ctx), Item: data.ItemID(in.ID), N: in.N, Categories: in.Category})
	if err != nil {
		return nil, a.fail(ctx, err, "path.id")
	}
	return reply(r)
}

type listQuery struct {
	Length
	Categories
}

func (a *api) getPopular(ctx context.Context, in *listQuery) (*answer, error) {
	return reply(a.deps.Recommend.Popular(recommend.ListRequest{ID: requestID(ctx), N: in.N, Categories: in.Category}))
}

func (a *api) getTrending(ctx context.Context, in *listQuery) (*answer, error) {
	return reply(a.deps.Recommend.Trending(recommend.ListRequest{ID: requestID(ctx), N: in.N, Categories: in.Category}))
}

type rankInput struct {
	Body struct {
		User        string   `json:"user,omitempty" maxLength:"256"`
		AnonymousID string   `json:"anonymous_id,omitempty" maxLength:"256"`
		Recent      []string `json:"recent,omitempty" maxItems:"200" doc:"Item ids used just now, newest first."`
		Items       []string `json:"items" minItems:"1" maxItems:"5000" doc:"The candidates, each once."`
		Components  []string `json:"components,omitempty" maxItems:"8"`
	}
}

// Resolve refuses a candidate that comes twice. The schema's uniqueItems would panic
// on elements that are no map keys.
func (in *rankInput) Resolve(huma.Context) []error {
	seen := make(map[string]bool, len(in.Body.Items))
	for i, id := range in.Body.Items {
		if seen[id] {
			return []error{field(fmt.Sprintf("body.items[%d]", i), "is there twice", id)}
		}
		seen[id] = true
	}
	return nil
}

func (a *api) postRank(ctx context.Context, in *rankInput) (*answer, error) {
	b := in.Body
	r, err := a.deps.Recommend.Rank(ctx, recommend.RankRequest{
		ID: requestID(ctx), IDs: a.clean(data.IDs{User: data.UserID(b.User), Anonymous: data.AnonymousID(b.AnonymousID)}),
		Recent: itemIDs(b.Recent), Candidates: itemIDs(b.Items), Components: b.Components,
	})
	if err != nil {
		return nil, a.fail(ctx, err, "body.items")
	}
	return reply(r)
}
