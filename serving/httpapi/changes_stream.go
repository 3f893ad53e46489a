package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"kindred/serving/changes"
)

const (
	// maxFollowers bounds who follows changes at the same time.
	maxFollowers = 100
	// followPage is how many changes a follower has in memory.
	followPage = 200
	// followHeartbeat is how often a quiet stream says where it is.
	followHeartbeat = 15 * time.Second
)

// followRoutes stream changes.
func (a *api) followRoutes(e *gin.Engine) {
	if a.deps.Changes != nil {
		e.GET("/v1/segments/changes", a.requireKey(ScopeRead), a.followChanges)
	}
}

// followChanges streams changes as server-sent events until the client goes away or the server
// stops. The query's segment, type, user and profile narrow them down; entries to and exits from
// segments are the types if none is given. A client goes on behind Last-Event-ID, or the
// query's after, and without both from now on. The last event of each write has the id of the
// position behind it, so that what a torn write repeats is known by its own id, and nothing is missed.
func (a *api) followChanges(c *gin.Context) {
	if isForeign(c.Request) || c.GetHeader("Sec-Fetch-Site") == "cross-site" {
		writeProblem(c.Writer, problem(http.StatusForbidden, "pages of another origin may not follow changes", field("header.Origin", "another origin", nil)))
		return
	}
	for name := range c.Request.URL.Query() {
		switch name {
		case "after", "type", "segment", "user", "profile":
		default:
			writeProblem(c.Writer, problem(http.StatusUnprocessableEntity, "unknown query parameter", field("query."+name, "use after, type, segment, user or profile", nil)))
			return
		}
	}
	ctx, cancel := untilStop(c.Request.Context())
	defer cancel()
	where, text := "header.Last-Event-ID", c.GetHeader("Last-Event-ID")
	if text == "" {
		where, text = "query.after", c.Query("after")
	}
	at, err := a.position(ctx, where, text, "now")
	var filter changes.Filter
	if err == nil {
		filter, err = a.changeFilter(ctx, c.Query("type"), c.Query("segment"), c.Query("user"), c.Query("profile"))
	}
	if err != nil {
		var p *huma.ErrorModel
		if !errors.As(err, &p) {
			p = problem(http.StatusInternalServerError, "the changes cannot be read")
		}
		writeProblem(c.Writer, p)
		return
	}
	if len(filter.Types) == 0 {
		filter.Types = changes.Segments()
	}
	if a.followers.Add(1) > maxFollowers {
		a.followers.Add(-1)
		c.Header("Retry-After", a.retryAfter())
		writeProblem(c.Writer, problem(http.StatusTooManyRequests, fmt.Sprintf("%d follow already", maxFollowers)))
		return
	}
	defer a.followers.Add(-1)
	defer a.deps.Changes.Hurry()()
	control := http.NewResponseController(c.Writer)
	c.Set(streamed, true)
	c.Header("Content-Type", "text/event-stream")
	c.Header("X-Accel-Buffering", "no")
	c.Status(http.StatusOK)
	w := patient{c.Writer, control}
	out := fmt.Appendf(nil, "retry: 2000\nevent: position\nid: %s\ndata: {}\n\n", at)
	heartbeat := time.NewTicker(followHeartbeat)
	defer heartbeat.Stop()
	for {
		if len(out) > 0 {
			if _, err := w.Write(out); err != nil || control.Flush() != nil {
				return
			}
			heartbeat.Reset(followHeartbeat)
		}
		news := a.deps.Changes.Any()
		list, more, err := readChanges(ctx, a.deps.Changes, at, filter, followPage)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil: // the client comes back to where it is
			a.deps.Logger.Warn("changes cannot be read for a follower", "error", err, "request_id", requestID(ctx))
			return
		}
		if out = appendChanges(out[:0], list, at); more || len(out) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-news:
		case <-heartbeat.C:
			out = fmt.Appendf(out[:0], "event: position\nid: %s\ndata: {}\n\n", at)
		}
	}
}

// appendChanges appends changes as server-sent events, the last one with the position behind all.
func appendChanges(dst []byte, list []changes.View, at changes.Position) []byte {
	for i, v := range list {
		dst = append(append(dst, "event: "...), v.Type...)
		if i == len(list)-1 {
			dst = append(append(dst, "\nid: "...), at.String()...)
		}
		text, err := json.Marshal(v)
		if err != nil {
			continue // strings and a time
		}
		dst = append(append(append(dst, "\ndata: "...), text...), "\n\n"...)
	}
	return dst
}
