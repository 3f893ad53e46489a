package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"kindred/data"
	"kindred/features"
	"kindred/serving/ingest"
)

const tagUsers = "Users"

func (a *api) userRoutes() {
	register(a, operation{id: "list-users", method: http.MethodGet, path: "/v1/users", tag: tagUsers,
		summary: "List users by id", scope: ScopeRead}, a.listUsers)
	register(a, operation{id: "get-user", method: http.MethodGet, path: "/v1/users/{id}", tag: tagUsers,
		summary: "Read a user's traits", scope: ScopeRead, errors: []int{404}}, a.getUser)
	register(a, operation{id: "put-user", method: http.MethodPut, path: "/v1/users/{id}", tag: tagUsers,
		summary: "Create a user or set traits; an identify event in the log", scope: ScopeAdmin, errors: []int{429}}, a.putUser)
	register(a, operation{id: "delete-user", method: http.MethodDelete, path: "/v1/users/{id}", tag: tagUsers,
		summary: "Erase a user's profile; a delete event in the log", scope: ScopeAdmin, status: http.StatusNoContent, errors: []int{404, 429}}, a.deleteUser)
	register(a, operation{id: "bulk-users", method: http.MethodPost, path: "/v1/users/bulk", tag: tagUsers,
		summary: "Set the traits of up to 10,000 users: one JSON object per line, all or nothing", scope: ScopeAdmin, maxBody: a.cfg.MaxBulkBytes, errors: []int{429}}, a.bulkUsers)
}

// userView is a person as a customer describes them.
type userView struct {
	ID        string                     `json:"id"`
	Traits    map[string]json.RawMessage `json:"traits"`
	Profile   data.ProfileID             `json:"profile"`
	FirstSeen time.Time                  `json:"first_seen,omitzero"`
	LastSeen  time.Time                  `json:"last_seen,omitzero"`
	Stale     bool                       `json:"stale" doc:"The newest events are not reflected yet."`
}

// userLine is a line of a bulk upload.
type userLine struct {
	ID     string   `json:"id"`
	Traits traitSet `json:"traits"`
}

// traitSet is traits as they came: numbers keep all their digits.
type traitSet map[string]json.RawMessage

// user is the line as ingest takes it.
func (l userLine) user() data.User {
	u := data.User{ID: data.UserID(l.ID)}
	if l.Traits != nil {
		u.Traits = make(map[string]any, len(l.Traits))
	}
	for name, value := range l.Traits {
		u.Traits[name] = value
	}
	return u
}

// maxBulkUsers bounds one bulk upload: all its events go into one write of the log.
const maxBulkUsers = 10_000

// maxTraits bounds the traits of one call; the fold's profile budget bounds them all.
const maxTraits = 200

func (a *api) checkUser(l *userLine) *lineError {
	switch {
	case l.ID == "" || len(l.ID) > 256:
		return &lineError{"id", "must be 1 to 256 bytes long"}
	case a.clean(data.IDs{User: data.UserID(l.ID)}).User == "":
		return &lineError{"id", fmt.Sprintf("%q identifies nobody; see blocked_ids in the configuration", l.ID)}
	case len(l.Traits) > maxTraits:
		return &lineError{"traits", fmt.Sprintf("%d traits; at most %d are taken", len(l.Traits), maxTraits)}
	}
	return nil
}

// UserPath is the user that a route is about.
type UserPath struct {
	ID string `path:"id" minLength:"1" maxLength:"256"`
}

type userAnswer struct{ Body userView }

func (a *api) getUser(ctx context.Context, in *UserPath) (*userAnswer, error) {
	person, err := a.deps.People.Read(ctx, data.IDs{User: data.UserID(in.ID)})
	if err == nil && !person.Known {
		err = data.ErrNotFound
	}
	if err != nil {
		return nil, a.fail(ctx, err, "path.id")
	}
	p := person.Profile
	return &userAnswer{userView{in.ID, traits(p), p.ID, at(p.FirstSeen), at(p.LastSeen), person.Stale}}, nil
}

type putUserInput struct {
	UserPath
	Body struct {
		Traits traitSet `json:"traits" doc:"Traits to set; others stay as they are."`
	}
}

type acceptedAnswer struct {
	Body struct {
		ID string `json:"id"`
	}
}

func (a *api) putUser(ctx context.Context, in *putUserInput) (*acceptedAnswer, error) {
	line := userLine{ID: in.ID, Traits: in.Body.Traits}
	if e := a.checkUser(&line); e != nil {
		where := "body"
		if e.Field == "id" {
			where = "path"
		}
		return nil, errorOrNil(e, where)
	}
	if err := a.deps.Ingest.Identify(ctx, []data.User{line.user()}); err != nil {
		return nil, a.failUser(ctx, err, func(int) string { return "body.traits" })
	}
	out := &acceptedAnswer{}
	out.Body.ID = in.ID
	return out, nil
}

func (a *api) deleteUser(ctx context.Context, in *UserPath) (*struct{}, error) {
	ids := data.IDs{User: data.UserID(in.ID)}
	person, err := a.deps.People.Read(ctx, ids)
	if err == nil {
		err = a.deps.Ingest.DeleteUser(ctx, ids.User)
	}
	if err != nil {
		return nil, a.fail(ctx, err, "path.id")
	}
	a.forget(context.WithoutCancel(ctx), ids, person.Profile)
	return nil, nil
}

// erasureWait bounds the wait of a deletion for the fold.
const erasureWait = 10 * time.Second

// forget takes out of memory what is kept of a person and of everybody merged into them.
// It does so once the fold has erased them, so that nobody brings it back: a read until
// then may keep it again. The deletion is in the log and stands whatever becomes of this.
func (a *api) forget(ctx context.Context, ids data.IDs, p data.Profile) {
	ctx, cancel := context.WithTimeout(ctx, erasureWait)
	defer cancel()
	gone := func(p data.Profile) {
		for _, id := range a.parts(ctx, p) {
			a.deps.People.Forget(id)
			a.deps.Recommend.Forget(id)
		}
	}
	for {
		now, err := a.deps.People.Read(ctx, ids) // waits a moment for the fold
		gone(p)
		if err == nil {
			gone(now.Profile) // what was merged meanwhile
		}
		if err != nil || !now.Stale {
			if err != nil {
				a.deps.Logger.Warn("an erased person may be kept in memory until others take the room", "error", err, "request_id", requestID(ctx))
			}
			return
		}
	}
}

// parts are p and all that were merged into it, or into one that was.
func (a *api) parts(ctx context.Context, p data.Profile) []data.ProfileID {
	all := []data.ProfileID{p.ID}
	for i := 0; ; i++ {
		for _, id := range features.Parts(p) {
			if !slices.Contains(all, id) {
				all = append(all, id)
			}
		}
		if i+1 == len(all) {
			return all
		}
		p = data.Profile{}
		if stored, err := a.deps.People.Stored(ctx, all[i+1]); err == nil { // else nothing is kept of it that leads further
			p = stored
		}
	}
}

func (a *api) bulkUsers(ctx context.Context, in *bulkInput) (*bulkAnswer, error) {
	lines, err := readLines(in.RawBody, a.checkUser)
	if err != nil {
		return nil, err
	}
	if len(lines) > maxBulkUsers {
		return nil, problem(http.StatusUnprocessableEntity, "validation failed; nothing was stored",
			field("body", fmt.Sprintf("%d users; at most %d are taken in one request", len(lines), maxBulkUsers), nil))
	}
	users := make([]data.User, len(lines))
	for i, l := range lines {
		users[i] = l.user()
	}
	if err := a.deps.Ingest.Identify(ctx, users); err != nil {
		return nil, a.failUser(ctx, err, func(i int) string { return fmt.Sprintf("body.user[%d].traits", i+1) })
	}
	return stored(len(users)), nil
}

// failUser is fail for errors that may be about one of the users sent; where names
// the field of the i-th.
func (a *api) failUser(ctx context.Context, err error, where func(i int) string) error {
	var refused *ingest.UserError
	if errors.As(err, &refused) {
		return problem(http.StatusUnprocessableEntity, "validation failed; nothing was stored", field(where(refused.Index), refused.Error(), nil))
	}
	return a.fail(ctx, err, "body")
}

type usersAnswer struct {
	Body struct {
		Users      []userView `json:"users"`
		NextCursor string     `json:"next_cursor,omitempty"`
	}
}

func (a *api) listUsers(ctx context.Context, in *page) (*usersAnswer, error) {
	after, err := in.after(cursorUsers)
	if err != nil {
		return nil, err
	}
	entries, err := a.deps.Users.ScanIndex(ctx, data.IDUser, after, in.Limit+1)
	if err != nil {
		return nil, a.fail(ctx, err, "query.cursor")
	}
	out := &usersAnswer{}
	entries, out.Body.NextCursor = cut(cursorUsers, entries, in.Limit, func(e data.IndexEntry) string { return e.ID })
	out.Body.Users = make([]userView, 0, len(entries))
	for _, e := range entries {
		p, err := a.deps.People.Profile(ctx, e.Profile)
		if errors.Is(err, data.ErrNotFound) || err == nil && p.Deleted {
			continue // erased since the index was read
		}
		if err != nil {
			return nil, a.fail(ctx, err, "query.cursor")
		}
		out.Body.Users = append(out.Body.Users, userView{ID: e.ID, Traits: traits(p), Profile: p.ID, FirstSeen: at(p.FirstSeen), LastSeen: at(p.LastSeen)})
	}
	return out, nil
}
