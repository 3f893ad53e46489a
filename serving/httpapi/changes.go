package httpapi

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"kindred/data"
	"kindred/serving/changes"
	"kindred/serving/notify"
)

const tagChanges = "Changes"

func (a *api) changeRoutes() {
	if a.deps.Changes == nil {
		return
	}
	register(a, operation{id: "list-changes", method: http.MethodGet, path: "/v1/changes", tag: tagChanges,
		summary: "Read what the fold published behind a position: entries and exits, sessions, clusters, merges, deletions", scope: ScopeRead}, a.listChanges)
}

// changesInput is what followers and readers ask for.
type changesInput struct {
	After   string `query:"after" maxLength:"32768" doc:"next of the answer before; start is in front of the first change and now behind the last."`
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Changes at most; fewer, even none, do not mean that there is no more."`
	Type    string `query:"type" maxLength:"200" doc:"Only these types, with commas between them, such as segment_entered,segment_exited."`
	Segment string `query:"segment" maxLength:"4096" doc:"Only entries to and exits from these segments, with commas between them."`
	User    string `query:"user" maxLength:"256" doc:"Only of this user."`
	Profile string `query:"profile" maxLength:"64" doc:"Only of this profile."`
}

type changesAnswer struct {
	Body struct {
		Changes []changes.View `json:"changes" doc:"Each person's in order; those of several people in none."`
		Next    string         `json:"next" doc:"The position to go on from, also when there was nothing."`
		More    bool           `json:"more" doc:"There is more to read at once."`
	}
}

func (a *api) listChanges(ctx context.Context, in *changesInput) (*changesAnswer, error) {
	at, err := a.position(ctx, "query.after", in.After, "start")
	if err != nil {
		return nil, err
	}
	filter, err := a.changeFilter(ctx, in.Type, in.Segment, in.User, in.Profile)
	if err != nil {
		return nil, err
	}
	out := &changesAnswer{}
	list, more, err := readChanges(ctx, a.deps.Changes, at, filter, in.Limit)
	if err != nil {
		return nil, a.fail(ctx, err, "query.after")
	}
	out.Body.Changes, out.Body.Next, out.Body.More = list, at.String(), more
	return out, nil
}

// maxRead bounds the changes that one page looks at.
const maxRead = 20_000

// readChanges returns at most limit wanted changes behind at, and moves at behind all it looked at.
func readChanges(ctx context.Context, feed *changes.Feed, at changes.Position, f changes.Filter, limit int) (out []changes.View, more bool, err error) {
	out = []changes.View{}
	looked := 0
	for p := range feed.Partitions() {
		for again := true; again; {
			if len(out) == limit || looked >= maxRead {
				return out, true, nil
			}
			var list []data.Change
			var next changes.At
			list, next, again, err = feed.Read(ctx, p, at[p], limit)
			if err != nil {
				return nil, false, err
			}
			for i := range list {
				if looked++; !f.Has(&list[i]) {
					continue
				}
				if len(out) == limit { // the rest comes with the next page
					next, again = changes.Of(list[i-1]), true
					break
				}
				out = append(out, changes.ViewOf(&list[i]))
			}
			at[p] = next
		}
	}
	return out, false, nil
}

// position reads a position; "" is what missing says, start or now.
func (a *api) position(ctx context.Context, where, text, missing string) (changes.Position, error) {
	if text == "" {
		text = missing
	}
	switch text {
	case "start":
		return changes.Start(a.deps.Changes.Partitions()), nil
	case "now":
		at, err := a.deps.Changes.Now(ctx)
		if err != nil {
			return nil, a.fail(ctx, err, where)
		}
		return at, nil
	}
	at, err := changes.Parse(text, a.deps.Changes.Partitions())
	if err != nil {
		return nil, problem(http.StatusUnprocessableEntity, "validation failed", field(where, err.Error()+"; use next of an answer, start or now", nil))
	}
	return at, nil
}

// changeFilter reads a filter.
func (a *api) changeFilter(ctx context.Context, types, segments, user, profile string) (changes.Filter, error) {
	f := changes.Filter{Types: listOf(types), Segments: listOf(segments), Profile: data.ProfileID(profile)}
	for _, t := range f.Types {
		if !slices.Contains(notify.Types(), t) {
			return f, problem(http.StatusUnprocessableEntity, "validation failed", field("query.type", "there is no such type of changes; use "+strings.Join(notify.Types(), ", "), t))
		}
	}
	if user == "" {
		return f, nil
	}
	if profile != "" {
		return f, problem(http.StatusUnprocessableEntity, "validation failed", field("query.user", "give user or profile, not both", nil))
	}
	p, err := a.someone(ctx, data.IDs{User: data.UserID(user)})
	if err != nil {
		return f, a.fail(ctx, err, "query.user")
	}
	f.Profile = p.ID
	return f, nil
}

// listOf are the parts of a text between commas.
func listOf(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}
