package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"kindred/data"
	"kindred/serving/live"
	"kindred/serving/recommend"
)

// problem is an RFC 9457 document; fields name what is at fault.
func problem(status int, detail string, fields ...*huma.ErrorDetail) *huma.ErrorModel {
	return &huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: detail, Errors: fields}
}

// field says what is wrong with one field, named like query.n or body.filter.min_price.
func field(location, message string, value any) *huma.ErrorDetail {
	return &huma.ErrorDetail{Location: location, Message: message, Value: value}
}

// writeProblem answers with a problem document.
func writeProblem(w http.ResponseWriter, p *huma.ErrorModel) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p) // the client may be gone; nobody is left to tell
}

const (
	maxProblemFields = 50 // named in one problem document; the rest is counted
	maxEchoBytes     = 100
)

// brief is a huma.Transformer that bounds problem documents. Huma repeats the whole
// enclosing object beside each unknown property, so a body of n properties would make
// an answer of n² bytes: only short values that stand alone are repeated.
func brief(_ huma.Context, _ string, v any) (any, error) {
	p, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	if more := len(p.Errors) - maxProblemFields; more > 0 {
		p.Errors = p.Errors[:maxProblemFields]
		p.Detail += fmt.Sprintf("; %d more faults are not listed", more)
	}
	for _, e := range p.Errors {
		e.Message, e.Location = shorten(e.Message), shorten(e.Location)
		switch value := e.Value.(type) {
		case nil, bool, float64, float32, int, int64:
		case string:
			e.Value = shorten(value)
		default:
			e.Value = nil
		}
		if e.Location == "body" && strings.HasPrefix(e.Message, huma.ErrUnknownContentType.Error()) {
			e.Location, e.Value = "header.Content-Type", nil
			e.Message += "; send application/json"
		}
	}
	return p, nil
}

// shorten cuts a text at maxEchoBytes, between characters.
func shorten(s string) string {
	if len(s) <= maxEchoBytes {
		return s
	}
	return strings.ToValidUTF8(s[:maxEchoBytes], "") + "…"
}

// fail turns an error of a lower room into the answer. where names the field that
// the request was about, for example path.id.
func (a *api) fail(ctx context.Context, err error, where string) error {
	var component *live.UnknownComponentError
	switch {
	case errors.As(err, &component):
		part, _, _ := strings.Cut(where, ".")
		if part == "path" {
			part = "query"
		}
		return problem(http.StatusUnprocessableEntity, "validation failed", field(part+".components", component.Error(), component.Name))
	case errors.Is(err, recommend.ErrUnknownItem):
		return problem(http.StatusNotFound, "neither the model nor the catalog has this item", field(where, "unknown item", nil))
	case errors.Is(err, data.ErrNotFound):
		return problem(http.StatusNotFound, "there is no such "+noun(where), field(where, "not found", nil))
	case errors.Is(err, data.ErrConflict):
		return problem(http.StatusConflict, "the request contradicts what is stored: "+err.Error(), field(where, "conflict", nil))
	case errors.Is(err, data.ErrOverloaded):
		return a.later(http.StatusTooManyRequests, "the server takes in as much as it can; try again later")
	case errors.Is(err, data.ErrClosed), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return a.later(http.StatusServiceUnavailable, "the server is stopping or the request was given up")
	}
	a.deps.Logger.Error("request failed", "error", err, "request_id", requestID(ctx))
	return problem(http.StatusInternalServerError, "something went wrong on the server; its log has the details under this request id: "+requestID(ctx))
}

// noun is what a location is about, in words.
func noun(where string) string {
	switch where {
	case "path.version":
		return "model"
	case "path.user", "path.id":
		return "id"
	}
	return "thing"
}

// later is a problem that goes away: it carries Retry-After.
func (a *api) later(status int, detail string) error {
	return huma.ErrorWithHeaders(problem(status, detail), http.Header{"Retry-After": {a.retryAfter()}, "X-Ratelimit-Reset": {a.retryAfter()}})
}

// retryAfter is the configured wait in whole seconds, at least one.
func (a *api) retryAfter() string {
	return strconv.Itoa(max(1, int(a.cfg.RetryAfter.Seconds())))
}
