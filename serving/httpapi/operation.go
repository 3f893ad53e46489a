package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
)

// open is the scope of routes that need no key.
const open Scope = ""

// operation declares one typed route.
type operation struct {
	id, method, path string
	tag, summary     string
	scope            Scope
	status           int   // of success; 200
	maxBody          int64 // Config.MaxBodyBytes
	bounded          bool  // by the gate: it makes a list
	errors           []int // beyond those every route may answer
}

// register adds a route with its key, body and idempotency checks before it.
func register[I, O any](a *api, o operation, handler func(context.Context, *I) (*O, error)) {
	if o.maxBody == 0 {
		o.maxBody = a.cfg.MaxBodyBytes
	}
	op := huma.Operation{
		OperationID: o.id, Method: o.method, Path: o.path, Tags: []string{o.tag}, Summary: o.summary,
		DefaultStatus: o.status, Errors: append([]int{400, 422, 500}, o.errors...),
		// The body is read and bounded by takeBody; these only keep huma from doing it again.
		MaxBodyBytes: o.maxBody + 1, BodyReadTimeout: -1,
	}
	if o.scope != open {
		op.Errors = append(op.Errors, 401, 403)
		op.Security = []map[string][]string{{"bearer": {}}, {"basic": {}}, {"header": {}}}
	}
	op.Middlewares = huma.Middlewares{a.checkKey(o.scope)}
	if o.method != http.MethodGet {
		op.Middlewares = append(op.Middlewares, a.takeBody(o.maxBody))
		op.Errors = append(op.Errors, 409, 413, 415)
		if o.scope == ScopeAdmin {
			op.Middlewares = append(op.Middlewares, a.once)
			op.Parameters = append(op.Parameters, idempotencyParameter())
		}
	}
	if o.bounded {
		handler = gated(a, handler)
		op.Errors = append(op.Errors, 429)
	}
	huma.Register(a.huma, op, handler)
}

// checkKey lets callers through whose key carries the scope.
func (a *api) checkKey(scope Scope) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if c := humagin.Unwrap(ctx); a.admit(c, scope) {
			next(ctx)
		}
	}
}

// admit reports whether the caller's key carries the scope; else it answers.
func (a *api) admit(c *gin.Context, scope Scope) bool {
	if scope == open {
		return true
	}
	if a.keys.open() {
		if isForeign(c.Request) {
			asVisitor(c)
		}
		return true
	}
	key, ok := a.keys.find(presented(c.Request.Header))
	if !ok {
		c.Header("WWW-Authenticate", `Bearer realm="kindred"`)
		writeProblem(c.Writer, problem(http.StatusUnauthorized, "an API key is needed: send it as Authorization: Bearer KEY or X-API-Key",
			field("header.Authorization", "missing or unknown key", nil)))
		return false
	}
	note(c, key.name)
	if !key.may(scope) {
		writeProblem(c.Writer, problem(http.StatusForbidden, fmt.Sprintf("the key %q lacks the scope %s", key.name, scope),
			field("header.Authorization", "needs scope "+string(scope), nil)))
		return false
	}
	if !key.may(ScopeRead) {
		asVisitor(c)
	}
	return true
}

// takeBody reads the body into memory, inflated, at most limit bytes of it, and
// refuses what is not UTF-8.
func (a *api) takeBody(limit int64) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c := humagin.Unwrap(ctx)
		body, err := readBody(c.Request, limit)
		switch {
		case errors.Is(err, errTooLarge):
			writeProblem(c.Writer, problem(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", limit), field("body", "too large", nil)))
			return
		case errors.Is(err, errEncoding):
			writeProblem(c.Writer, problem(http.StatusUnsupportedMediaType, err.Error(), field("header.Content-Encoding", "use gzip or none", c.GetHeader("Content-Encoding"))))
			return
		case err != nil:
			writeProblem(c.Writer, problem(http.StatusBadRequest, "the body could not be read: "+err.Error(), field("body", "unreadable", nil)))
			return
		case !utf8.Valid(body):
			writeProblem(c.Writer, problem(http.StatusBadRequest, "the body is not UTF-8", field("body", "invalid UTF-8", nil)))
			return
		}
		c.Request.Body = io.NopCloser(bytes.NewReader(body))
		next(ctx)
	}
}
