package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"kindred/data"
	"kindred/serving/members"
)

const (
	tagMembers    = "Segment members"
	cursorMembers = "members"
)

func (a *api) memberRoutes() {
	if a.deps.Members == nil {
		return
	}
	register(a, operation{id: "list-segment-members", method: http.MethodGet, path: "/v1/segments/{name}/members", tag: tagMembers,
		summary: "List who is in a segment, now or at the end of a past day", scope: ScopeRead, errors: []int{404, 503}}, a.listMembers)
	register(a, operation{id: "count-segment-members", method: http.MethodGet, path: "/v1/segments/{name}/count", tag: tagMembers,
		summary: "Count who is in a segment, exactly, now or at the end of a past day", scope: ScopeRead, errors: []int{404, 503}}, a.countMembers)
}

// MemberFilter narrows a segment down by others, and to a day.
type MemberFilter struct {
	Name string `path:"name" maxLength:"64" doc:"The segment."`
	And  string `query:"and" maxLength:"4096" doc:"Only who is in each of these segments, too; with commas between them."`
	Or   string `query:"or" maxLength:"4096" doc:"Who is in one of these segments, too; with commas between them. and and not hold for all."`
	Not  string `query:"not" maxLength:"4096" doc:"Only who is in none of these segments; with commas between them."`
	Day  string `query:"day" maxLength:"10" doc:"As of the end of this day (UTC), such as 2026-11-20; without it, now."`
}

// mostSegments bounds what one question costs while nobody else is answered.
const mostSegments = 50

// query is the filter as members understand it. The error is an answer.
func (a *api) query(f MemberFilter) (members.Query, error) {
	q := members.Query{All: listOf(f.And), Any: append([]string{f.Name}, listOf(f.Or)...), None: listOf(f.Not)}
	if n := len(q.All) + len(q.Any) + len(q.None); n > mostSegments {
		return q, problem(http.StatusUnprocessableEntity, "validation failed", field("query", fmt.Sprintf("at most %d segments can be put together", mostSegments), n))
	}
	if f.Day != "" {
		day, err := time.Parse(time.DateOnly, f.Day)
		if err != nil {
			return q, problem(http.StatusUnprocessableEntity, "validation failed", field("query.day", "is no day; write it as 2026-11-20", f.Day))
		}
		q.Day = day
	}
	for where, names := range map[string][]string{"path.name": {f.Name}, "query.and": q.All, "query.or": q.Any[1:], "query.not": q.None} {
		for _, s := range names {
			if a.deps.Members.Has(s) || a.deps.HasSegment != nil && a.deps.HasSegment(s) {
				continue
			}
			if where == "path.name" {
				return q, problem(http.StatusNotFound, "nobody was ever in a segment of this name", field(where, "unknown segment", s))
			}
			return q, problem(http.StatusUnprocessableEntity, "validation failed", field(where, "nobody was ever in a segment of this name", s))
		}
	}
	return q, nil
}

// failMembers answers what members refuse.
func (a *api) failMembers(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, members.ErrDay):
		return problem(http.StatusUnprocessableEntity, "validation failed", field("query.day", err.Error(), nil))
	case errors.Is(err, members.ErrReading):
		return problem(http.StatusServiceUnavailable, err.Error())
	}
	return a.fail(ctx, err, "path.name")
}

type membersInput struct {
	MemberFilter
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"People at most."`
	Cursor string `query:"cursor" maxLength:"1024" doc:"next_cursor of the page before."`
}

type membersAnswer struct {
	Body struct {
		Members    []data.ProfileID `json:"members" doc:"Profiles, in the order in which they first entered a segment."`
		NextCursor string           `json:"next_cursor,omitempty"`
	}
}

func (a *api) listMembers(ctx context.Context, in *membersInput) (*membersAnswer, error) {
	key, err := page{in.Limit, in.Cursor}.after(cursorMembers)
	if err != nil {
		return nil, err
	}
	after := int64(-1)
	if key != "" {
		if after, err = strconv.ParseInt(key, 10, 64); err != nil || after < 0 {
			return nil, problem(http.StatusUnprocessableEntity, "validation failed", field("query.cursor", "is no cursor of this list; use next_cursor of the page before", in.Cursor))
		}
	}
	q, err := a.query(in.MemberFilter)
	if err != nil {
		return nil, err
	}
	list, last, more, err := a.deps.Members.List(q, after, in.Limit)
	if err != nil {
		return nil, a.failMembers(ctx, err)
	}
	out := &membersAnswer{}
	if out.Body.Members = list; list == nil {
		out.Body.Members = []data.ProfileID{}
	}
	if more {
		out.Body.NextCursor = cursorAfter(cursorMembers, strconv.FormatInt(last, 10))
	}
	return out, nil
}

type countAnswer struct {
	Body struct {
		Count uint64 `json:"count"`
	}
}

func (a *api) countMembers(ctx context.Context, in *MemberFilter) (*countAnswer, error) {
	q, err := a.query(*in)
	if err != nil {
		return nil, err
	}
	out := &countAnswer{}
	if out.Body.Count, err = a.deps.Members.Count(q); err != nil {
		return nil, a.failMembers(ctx, err)
	}
	return out, nil
}
