package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"kindred/data"
	"kindred/serving/ingest"
)

const tagDead = "Dead letters"

func (a *api) deadLetterRoutes() {
	if a.deps.Dead == nil {
		return
	}
	register(a, operation{id: "list-dead-letters", method: http.MethodGet, path: "/v1/dead-letters", tag: tagDead,
		summary: "List messages that were not accepted, oldest first, and why", scope: ScopeAdmin}, a.listDeadLetters)
	register(a, operation{id: "replay-dead-letters", method: http.MethodPost, path: "/v1/dead-letters/replay", tag: tagDead,
		summary: "Try tracking calls again that were not accepted; each counts once", scope: ScopeAdmin, errors: []int{429}}, a.replayDeadLetters)
}

// deadLetterView is a dead letter as people read it.
type deadLetterView struct {
	Seq        uint64    `json:"seq"`
	At         time.Time `json:"at"`
	Source     string    `json:"source" doc:"Who sent it: an API key's name, a write key, or log."`
	Kind       string    `json:"kind,omitempty" doc:"What kept it out, in a word: call, identity, body, plan.reject, plan.quarantine, bot.quarantine, mapping.refuse, person.rate, user.switches."`
	Reason     string    `json:"reason"`
	Tried      time.Time `json:"tried,omitzero" doc:"When it was last tried again, in vain."`
	Replayable bool      `json:"replayable" doc:"It is a tracking call, which can be tried again."`
	Raw        string    `json:"raw,omitempty" doc:"The message as it came, if it is text."`
	Binary     []byte    `json:"binary,omitempty" doc:"The message as it came, if it is no text."`
}

type deadLettersInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Entries at most; a filter may find fewer on a page that is not the last."`
	Cursor string `query:"cursor" maxLength:"1024" doc:"next_cursor of the page before."`
	Kind   string `query:"kind" maxLength:"100" doc:"Only of this kind, such as plan.quarantine."`
	Reason string `query:"reason" maxLength:"1000" doc:"Only with this in the reason."`
	Source string `query:"source" maxLength:"256" doc:"Only of this source."`
	From   string `query:"from" format:"date-time" doc:"Only what came at this time or later."`
	Before string `query:"before" format:"date-time" doc:"Only what came before this time."`
}

type deadLettersAnswer struct {
	Body struct {
		DeadLetters []deadLetterView `json:"dead_letters"`
		NextCursor  string           `json:"next_cursor,omitempty"`
	}
}

// maxListed is how many letters a filtered page looks at; fewer may be found.
const maxListed = 20_000

func (a *api) listDeadLetters(ctx context.Context, in *deadLettersInput) (*deadLettersAnswer, error) {
	which := ingest.Which{Kind: in.Kind, Reason: in.Reason, Source: in.Source}
	var err error
	if which.From, err = instantOf("query.from", in.From); err != nil {
		return nil, err
	}
	if which.Before, err = instantOf("query.before", in.Before); err != nil {
		return nil, err
	}
	key, err := page{in.Limit, in.Cursor}.after(cursorDead)
	if err != nil {
		return nil, err
	}
	after := uint64(0)
	if key != "" {
		if after, err = strconv.ParseUint(key, 10, 64); err != nil {
			return nil, problem(http.StatusUnprocessableEntity, "validation failed", field("query.cursor", "is no cursor of this list; use next_cursor of the page before", in.Cursor))
		}
	}
	out := &deadLettersAnswer{}
	out.Body.DeadLetters = []deadLetterView{}
	for looked := 0; ; {
		size := min(in.Limit+1, 200)
		letters, err := a.deps.Dead.DeadLetters(ctx, after, size)
		if err != nil {
			return nil, a.fail(ctx, err, "query.cursor")
		}
		for i := range letters {
			if len(out.Body.DeadLetters) == in.Limit || looked == maxListed {
				out.Body.NextCursor = cursorAfter(cursorDead, strconv.FormatUint(after, 10))
				return out, nil
			}
			if looked++; which.Has(&letters[i]) {
				out.Body.DeadLetters = append(out.Body.DeadLetters, viewDead(&letters[i]))
			}
			after = letters[i].Seq
		}
		if len(letters) < size {
			return out, nil
		}
	}
}

func viewDead(l *data.DeadLetter) deadLetterView {
	v := deadLetterView{Seq: l.Seq, At: l.At, Source: l.Source, Kind: l.Kind, Reason: l.Reason, Tried: l.Tried, Replayable: l.Call != nil}
	if utf8.Valid(l.Raw) {
		v.Raw = string(l.Raw)
	} else {
		v.Binary = l.Raw
	}
	return v
}

// instantOf reads a time of a filter, in Unix milliseconds; "" is 0.
func instantOf(where, s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return 0, problem(http.StatusUnprocessableEntity, "validation failed", field(where, "is no time; write it as 2026-11-20T12:00:00Z", s))
	}
	return t.UnixMilli(), nil
}

type replayInput struct {
	Body struct {
		Kind   string `json:"kind,omitempty" maxLength:"100" doc:"Only of this kind, such as plan.quarantine."`
		Reason string `json:"reason,omitempty" maxLength:"1000" doc:"Only with this in the reason."`
		Source string `json:"source,omitempty" maxLength:"256" doc:"Only of this source."`
		From   string `json:"from,omitempty" format:"date-time" doc:"Only what came at this time or later."`
		Before string `json:"before,omitempty" format:"date-time" doc:"Only what came before this time."`
		After  uint64 `json:"after,omitempty" doc:"Only numbers greater than this: next of the answer before."`
		Until  uint64 `json:"until,omitempty" doc:"Only numbers up to this."`
		Limit  int    `json:"limit,omitempty" minimum:"1" maximum:"10000" default:"1000" doc:"Letters to try at most; the answer's next says where to go on."`
		DryRun bool   `json:"dry_run,omitempty" doc:"Say what would become of them, and change nothing."`
	}
}

type replayAnswer struct {
	Body struct {
		ingest.Replayed
		DryRun bool `json:"dry_run"`
	}
}

func (a *api) replayDeadLetters(ctx context.Context, in *replayInput) (*replayAnswer, error) {
	q := in.Body
	which := ingest.Which{Kind: q.Kind, Reason: q.Reason, Source: q.Source, After: q.After, Until: q.Until}
	var err error
	if which.From, err = instantOf("body.from", q.From); err != nil {
		return nil, err
	}
	if which.Before, err = instantOf("body.before", q.Before); err != nil {
		return nil, err
	}
	out := &replayAnswer{}
	out.Body.DryRun = q.DryRun
	out.Body.Replayed, err = a.deps.Ingest.Replay(ctx, a.deps.Dead, which, q.Limit, q.DryRun)
	if errors.Is(err, data.ErrOverloaded) && out.Body.Matched > 0 {
		err = nil // what was done is done, and next says where to go on
	}
	if err != nil {
		return nil, a.fail(ctx, err, "body")
	}
	return out, nil
}
