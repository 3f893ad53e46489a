package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
)

// keyName is where a request's key name is kept.
const keyName = "kindred.key"

// request is what handlers know of the request that their context belongs to.
type request struct {
	id   string
	conn *gatherConn // see connOf
}

type requestKey struct{}

func requestOf(ctx context.Context) request {
	r, _ := ctx.Value(requestKey{}).(request)
	return r
}

// requestID is the id of the request that ctx belongs to.
func requestID(ctx context.Context) string { return requestOf(ctx).id }

// note remembers the name of the caller's key for the log.
func note(c *gin.Context, name string) { c.Set(keyName, name) }

// observe gives the request an id, survives its panics, and counts and logs it; see level.
// The log has the route, not the address: ids of people stay out of it.
func (a *api) observe(c *gin.Context) {
	start := a.deps.Now()
	id := c.GetHeader("X-Request-Id")
	if len(id) > 64 || !printable(id) || id == "" {
		id = a.deps.NewID()
	}
	c.Header("X-Request-Id", id)
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), requestKey{}, request{id, connOf(c.Request)}))

	defer func() {
		route := c.FullPath()
		if route == "" {
			route = "none"
		}
		if r := recover(); r != nil {
			if err, ok := r.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(r) // the server's way to drop a connection
			}
			a.deps.Logger.Error("a handler panicked", "route", route, "request_id", id, "panic", r, "stack", string(debug.Stack()))
			if !c.Writer.Written() {
				writeProblem(c.Writer, problem(http.StatusInternalServerError, "something went wrong on the server; its log has the details under this request id: "+id))
			}
		}
		took := a.deps.Now().Sub(start)
		status, slow := c.Writer.Status(), took
		if c.GetBool(streamed) {
			slow = 0 // it lasted as long as somebody listened
		} else {
			a.metrics.observe(route, c.Request.Method, status, took)
		}
		ctx, level := c.Request.Context(), a.level(c.Request.Method, route, status, slow)
		if a.deps.Logger.Enabled(ctx, level) {
			a.deps.Logger.LogAttrs(ctx, level, "request", slog.String("method", c.Request.Method), slog.String("route", route), slog.Int("status", status),
				slog.Int("bytes", max(0, c.Writer.Size())), slog.Duration("took", took), slog.String("request_id", id), slog.String("key", c.GetString(keyName)))
		}
	}()
	c.Next()
}

// level is how much a request matters to whoever reads the log: Warn for the server's
// own failures; Info for what was refused, took long or changed something other than
// by tracking; Debug for the rest, which kindred_http_request_duration_seconds counts. Above
// its capacity a server refuses without end, and writes no line each time.
func (a *api) level(method, route string, status int, took time.Duration) slog.Level {
	reads := method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions ||
		route == "/v1/recommendations" || route == "/v1/rank" || isTracking(route)
	switch {
	case route == "/healthz" || route == "/readyz" || route == "/metrics" || status == http.StatusTooManyRequests:
		return slog.LevelDebug
	case status >= http.StatusInternalServerError:
		return slog.LevelWarn
	case status >= http.StatusBadRequest || took >= a.cfg.SlowRequest || !reads:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// secureHeaders are never changed; names are as net/http spells them.
var secureHeaders = [...]struct {
	name   string
	values []string
}{
	{"Cache-Control", []string{"no-store"}}, // answers are about people, and change with the next event
	{"X-Content-Type-Options", []string{"nosniff"}},
	{"X-Frame-Options", []string{"DENY"}},
	{"Referrer-Policy", []string{"no-referrer"}},
	{"Content-Security-Policy", []string{"default-src 'none'; frame-ancestors 'none'"}},
	{"Cross-Origin-Resource-Policy", []string{"same-origin"}},
}

// secure sets the headers that every answer carries; pages set their own on top.
func (a *api) secure(c *gin.Context) {
	h := c.Writer.Header()
	for i := range secureHeaders {
		h[secureHeaders[i].name] = secureHeaders[i].values // as Set does, but shared: setting replaces it, adding copies it
	}
	c.Next()
}

// refuseBadAddress refuses paths and queries that are not UTF-8 or not decodable.
func refuseBadAddress(c *gin.Context) {
	refuse := func(where, what string) {
		c.Abort()
		writeProblem(c.Writer, problem(http.StatusBadRequest, "the "+where+" of the address is "+what, field(where, what, nil)))
	}
	if !utf8.ValidString(c.Request.URL.Path) {
		refuse("path", "not UTF-8")
		return
	}
	query, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		refuse("query", "not percent-encoded as it should be")
		return
	}
	for name, values := range query {
		if !utf8.ValidString(name) {
			refuse("query", "not UTF-8")
			return
		}
		for _, v := range values {
			if !utf8.ValidString(v) {
				refuse("query."+name, "not UTF-8")
				return
			}
		}
	}
	c.Next()
}
