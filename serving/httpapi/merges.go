package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"kindred/data"
	"kindred/data/event"
	"kindred/features"
)

func (a *api) mergeRoutes() {
	register(a, operation{id: "list-merges", method: http.MethodGet, path: "/v1/users/{id}/merges", tag: tagUsers,
		summary: "What was merged into a user, and what was undone", scope: ScopeRead, errors: []int{404}}, a.listMerges)
	register(a, operation{id: "unmerge-user", method: http.MethodPost, path: "/v1/users/{id}/unmerge", tag: tagUsers,
		summary: "Take a device or another user out of a user again; an unmerge event in the log", scope: ScopeAdmin, status: http.StatusAccepted, errors: []int{404, 429}}, a.unmergeUser)
	register(a, operation{id: "alias-user", method: http.MethodPost, path: "/v1/users/{id}/alias", tag: tagUsers,
		summary: "Merge another user, or a device, into a user; an alias event in the log", scope: ScopeAdmin, status: http.StatusAccepted, errors: []int{404, 429}}, a.aliasUser)
}

// mergeView is an entry of the merge log.
type mergeView struct {
	Kind     string         `json:"kind" enum:"merged,unmerged,rebuilt" doc:"rebuilt: what was the user's own before an unmerge is back."`
	Profile  data.ProfileID `json:"profile" doc:"The other profile; of rebuilt, the user's own."`
	At       time.Time      `json:"at"`
	Position string         `json:"position" doc:"Of the record that caused it, as partition/offset/number."`
	Apart    bool           `json:"apart" doc:"The merge was undone."`
	Event    *mergeEvent    `json:"event,omitempty" doc:"That record, while the log still has it."`
	By       string         `json:"by,omitempty" doc:"The name of the key that asked for it."`
	Reason   string         `json:"reason,omitempty"`
}

type mergeEvent struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	Name      string `json:"name"`
	Source    string `json:"source"`
	User      string `json:"user_id,omitempty"`
	Anonymous string `json:"anonymous_id,omitempty"`
}

type mergesAnswer struct {
	Body struct {
		Profile data.ProfileID `json:"profile"`
		Merges  []mergeView    `json:"merges"`
		Pending bool           `json:"pending" doc:"Something from before an unmerge is still being put together."`
	}
}

func (a *api) listMerges(ctx context.Context, in *UserPath) (*mergesAnswer, error) {
	p, err := a.someone(ctx, data.IDs{User: data.UserID(in.ID)})
	if err != nil {
		return nil, a.fail(ctx, err, "path.id")
	}
	out := &mergesAnswer{}
	out.Body.Profile, out.Body.Merges, out.Body.Pending = p.ID, []mergeView{}, features.Awaited(p)
	for _, m := range p.Merges {
		v, err := a.mergeView(ctx, p, m)
		if err != nil {
			return nil, a.fail(ctx, err, "path.id")
		}
		out.Body.Merges = append(out.Body.Merges, v)
	}
	return out, nil
}

// why is what an unmerge or an alias says of itself.
type why struct {
	By     string `json:"by,omitempty"`
	Reason string `json:"reason,omitempty"`
}

func (a *api) mergeView(ctx context.Context, p data.Profile, m data.Merge) (mergeView, error) {
	v := mergeView{Kind: "merged", Profile: m.From, At: at(m.At), Position: features.PositionText(m.Source)}
	switch unmerged, rebuilt := features.Undoes(m); {
	case rebuilt:
		v.Kind = "rebuilt"
	case unmerged:
		v.Kind = "unmerged"
	default:
		v.Apart = !features.Joined(p, m.From)
	}
	place, ok := features.ParsePosition(m.Source)
	if log := a.deps.Records; ok && log != nil && place.Offset >= log.Start(place.Partition) && place.Offset < log.End(place.Partition) {
		recs, err := log.Read(ctx, place.Partition, place.Offset, 1)
		if err != nil || len(recs) == 0 {
			return v, err
		}
		e, err := event.Open(recs[0].Value)
		if err != nil {
			return v, nil // it was erased since
		}
		v.Event = &mergeEvent{e.ID, string(e.Type), e.Name, e.Source, string(e.IDs.User), string(e.IDs.Anonymous)}
		if e.Type == data.System && len(e.Props) > 0 {
			var w why
			if json.Unmarshal(e.Props, &w) == nil {
				v.By, v.Reason = w.By, w.Reason
			}
		}
	}
	return v, nil
}

// someone is the profile of somebody who is known.
func (a *api) someone(ctx context.Context, ids data.IDs) (data.Profile, error) {
	person, err := a.deps.People.Read(ctx, ids)
	if err == nil && !person.Known {
		err = data.ErrNotFound
	}
	return person.Profile, err
}

// Second is the other of two people; exactly one field is given.
type Second struct {
	User      string         `json:"user_id,omitempty" maxLength:"256"`
	Anonymous string         `json:"anonymous_id,omitempty" maxLength:"256"`
	Profile   data.ProfileID `json:"profile,omitempty" maxLength:"64"`
	Reason    string         `json:"reason,omitempty" maxLength:"1000" doc:"For the merge log."`
}

// ids are the identifiers it names.
func (s Second) ids() data.IDs {
	return data.IDs{User: data.UserID(s.User), Anonymous: data.AnonymousID(s.Anonymous)}
}

// given is how many of its fields are.
func (s Second) given() int {
	n := 0
	for _, f := range []string{s.User, s.Anonymous, string(s.Profile)} {
		if f != "" {
			n++
		}
	}
	return n
}

// Caller is the name of the key of a request.
type Caller struct{ name string }

// Resolve implements huma.Resolver.
func (c *Caller) Resolve(ctx huma.Context) []error {
	c.name = humagin.Unwrap(ctx).GetString(keyName)
	return nil
}

type unmergeInput struct {
	UserPath
	Caller
	Body struct {
		Second
		Position string `json:"position,omitempty" maxLength:"64" doc:"The position of an entry of the merge log."`
	}
}

type aliasInput struct {
	UserPath
	Caller
	Body struct{ Second }
}

type pairAnswer struct {
	Body struct {
		Profile data.ProfileID `json:"profile"`
		Other   data.ProfileID `json:"other"`
	}
}

func pair(a, b data.ProfileID) *pairAnswer {
	out := &pairAnswer{}
	out.Body.Profile, out.Body.Other = a, b
	return out
}

var errOneOf = errors.New("name the other one: exactly one of user_id, anonymous_id and profile, or of an unmerge the position")

func (a *api) unmergeUser(ctx context.Context, in *unmergeInput) (*pairAnswer, error) {
	other, given := in.Body.Profile, in.Body.given()
	switch {
	case in.Body.User != "":
		other = data.NewProfileID(data.IDUser, in.Body.User)
	case in.Body.Anonymous != "":
		other = data.NewProfileID(data.IDAnonymous, in.Body.Anonymous)
	case in.Body.Position != "":
		given++
	}
	if given != 1 || in.Body.Position != "" && in.Body.given() > 0 {
		return nil, problem(http.StatusUnprocessableEntity, "validation failed", field("body", errOneOf.Error(), nil))
	}
	p, err := a.someone(ctx, data.IDs{User: data.UserID(in.ID)})
	if err != nil {
		return nil, a.fail(ctx, err, "path.id")
	}
	if in.Body.Position != "" {
		i := slices.IndexFunc(p.Merges, func(m data.Merge) bool { return m.Source == in.Body.Position })
		if i < 0 {
			return nil, problem(http.StatusNotFound, "no merge of this user has that position", field("body.position", "unknown", in.Body.Position))
		}
		other = p.Merges[i].From
	}
	if !features.Joined(p, other) {
		return nil, problem(http.StatusConflict, "the two are not merged; /v1/users/{id}/merges lists what is", field("body", "not merged into this user", other))
	}
	e := features.NewUnmerge(p.ID, other)
	e.IDs.User, e.IDs.Anonymous = data.UserID(in.ID), data.AnonymousID(in.Body.Anonymous)
	if err := a.command(ctx, e, why{in.name, in.Body.Reason}); err != nil {
		return nil, a.fail(ctx, err, "body")
	}
	return pair(p.ID, other), nil
}

func (a *api) aliasUser(ctx context.Context, in *aliasInput) (*pairAnswer, error) {
	if in.Body.given() != 1 || in.Body.Profile != "" {
		return nil, problem(http.StatusUnprocessableEntity, "validation failed", field("body", "give user_id or anonymous_id", nil))
	}
	a.aliases.Lock() // so that two never close a circle: the next one reads what this one did
	defer a.aliases.Unlock()
	target, err := a.deps.People.Read(ctx, data.IDs{User: data.UserID(in.ID)})
	if err == nil && !target.Known {
		err = data.ErrNotFound
	}
	if err != nil {
		return nil, a.fail(ctx, err, "path.id")
	}
	other, err := a.deps.People.Read(ctx, in.Body.ids())
	if err == nil && !other.Known {
		err = data.ErrNotFound
	}
	switch {
	case err != nil:
		return nil, a.fail(ctx, err, "body")
	case target.Stale || other.Stale:
		return nil, problem(http.StatusConflict, "something about the two is still being folded; try again", field("body", "not settled", nil))
	case other.Profile.ID == target.Profile.ID:
		return nil, problem(http.StatusConflict, "the two are one person already", field("body", "already merged", nil))
	}
	e := features.NewAlias(other.Profile.ID, target.Profile.ID)
	e.IDs.User, e.IDs.Anonymous = data.UserID(in.Body.User), data.AnonymousID(in.Body.Anonymous)
	if err := a.command(ctx, e, why{in.name, in.Body.Reason}); err != nil {
		return nil, a.fail(ctx, err, "body")
	}
	// The next alias must see this one: it waits for both.
	if _, err := a.deps.People.Read(context.WithoutCancel(ctx), in.Body.ids()); err != nil {
		a.deps.Logger.Warn("read who was merged", "error", err, "request_id", requestID(ctx))
	}
	return pair(target.Profile.ID, other.Profile.ID), nil
}

// command appends a system event that somebody asked for.
func (a *api) command(ctx context.Context, e data.Event, w why) error {
	props, err := json.Marshal(w)
	if err != nil {
		return err
	}
	e.ID, e.Props = a.deps.NewID(), props
	return a.deps.Ingest.Command(ctx, e)
}
