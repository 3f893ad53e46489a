package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"kindred/data"
)

const tagDead = "Dead letters"

// DeadLetters are the messages that could not be accepted or applied, oldest first.
type DeadLetters interface {
	DeadLetters(ctx context.Context, after uint64, max int) ([]data.DeadLetter, error)
}

func (a *api) deadLetterRoutes() {
	if a.deps.Dead == nil {
		return
	}
	register(a, operation{id: "list-dead-letters", method: http.MethodGet, path: "/v1/dead-letters", tag: tagDead,
		summary: "List messages that were not accepted, oldest first, and why", scope: ScopeAdmin}, a.listDeadLetters)
}

// deadLetterView is a dead letter as people read it.
type deadLetterView struct {
	Seq    uint64    `json:"seq"`
	At     time.Time `json:"at"`
	Source string    `json:"source" doc:"Who sent it: an API key's name, a write key, or log."`
	Reason string    `json:"reason"`
	Raw    string    `json:"raw,omitempty" doc:"The message as it came, if it is text."`
	Binary []byte    `json:"binary,omitempty" doc:"The message as it came, if it is no text."`
}

type deadLettersAnswer struct {
	Body struct {
		DeadLetters []deadLetterView `json:"dead_letters"`
		NextCursor  string           `json:"next_cursor,omitempty"`
	}
}

func (a *api) listDeadLetters(ctx context.Context, in *page) (*deadLettersAnswer, error) {
	key, err := in.after(cursorDead)
	if err != nil {
		return nil, err
	}
	after, err := uint64(0), error(nil)
	if key != "" {
		if after, err = strconv.ParseUint(key, 10, 64); err != nil {
			return nil, problem(http.StatusUnprocessableEntity, "validation failed", field("query.cursor", "is no cursor of this list; use next_cursor of the page before", in.Cursor))
		}
	}
	letters, err := a.deps.Dead.DeadLetters(ctx, after, in.Limit+1)
	if err != nil {
		return nil, a.fail(ctx, err, "query.cursor")
	}
	out := &deadLettersAnswer{}
	letters, out.Body.NextCursor = cut(cursorDead, letters, in.Limit, func(l data.DeadLetter) string { return strconv.FormatUint(l.Seq, 10) })
	out.Body.DeadLetters = make([]deadLetterView, len(letters))
	for i, l := range letters {
		v := deadLetterView{Seq: l.Seq, At: l.At, Source: l.Source, Reason: l.Reason}
		if utf8.Valid(l.Raw) {
			v.Raw = string(l.Raw)
		} else {
			v.Binary = l.Raw
		}
		out.Body.DeadLetters[i] = v
	}
	return out, nil
}
