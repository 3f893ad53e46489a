package httpapi

import (
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"kindred/data"
	"kindred/serving/ingest/quota"
	"kindred/serving/ingest/tail"
)

// debugRoutes show what comes in, scrubbed.
func (a *api) debugRoutes(e *gin.Engine) {
	e.GET("/v1/debug/events", a.requireKey(ScopeAdmin), a.followEvents)
	e.GET("/v1/debug/sources", a.requireKey(ScopeAdmin), a.sources)
}

// streamed marks a request whose answer has no end of its own: how long it took says
// nothing about the server.
const streamed = "kindred.streamed"

// followEvents streams events as server-sent events until the client goes away. The
// query's source, type, name, profile, user and refused=true narrow it down; a
// client that comes back with Last-Event-ID goes on where it stopped.
func (a *api) followEvents(c *gin.Context) {
	if isForeign(c.Request) || c.GetHeader("Sec-Fetch-Site") == "cross-site" {
		writeProblem(c.Writer, problem(http.StatusForbidden, "pages of another origin may not follow events", field("header.Origin", "another origin", nil)))
		return
	}
	t := a.deps.Ingest.Tail()
	if t == nil {
		writeProblem(c.Writer, problem(http.StatusNotFound, "this server has no tail of events"))
		return
	}
	for name := range c.Request.URL.Query() {
		switch name {
		case "source", "type", "name", "profile", "user", "refused":
		default:
			writeProblem(c.Writer, problem(http.StatusUnprocessableEntity, "unknown query parameter", field("query."+name, "use source, type, name, profile, user or refused", nil)))
			return
		}
	}
	sub, err := t.Subscribe(tail.Filter{
		Source: c.Query("source"), Type: data.EventType(c.Query("type")), Name: c.Query("name"),
		Profile: data.ProfileID(c.Query("profile")), User: c.Query("user"), Refused: c.Query("refused") == "true",
	}, c.GetHeader("Last-Event-ID"))
	if err != nil {
		c.Header("Retry-After", a.retryAfter())
		writeProblem(c.Writer, problem(http.StatusTooManyRequests, err.Error()))
		return
	}
	defer sub.Close()
	control := http.NewResponseController(c.Writer)
	c.Set(streamed, true)
	c.Header("Content-Type", "text/event-stream")
	c.Header("X-Accel-Buffering", "no")
	c.Status(http.StatusOK)
	ctx, cancel := untilStop(c.Request.Context())
	defer cancel()
	if err := sub.Stream(ctx, patient{c.Writer, control}, control.Flush); err != nil {
		a.deps.Logger.Debug("a follower of events went away", "error", err, "request_id", requestID(c.Request.Context()))
	}
}

// patient writes a stream that has no end of its own: each write has its own deadline, so that
// who stops reading gives the place up.
type patient struct {
	io.Writer
	control *http.ResponseController
}

// followerWait is how long a follower may take to read one event.
const followerWait = 10 * time.Second

func (p patient) Write(b []byte) (int, error) {
	p.control.SetWriteDeadline(time.Now().Add(followerWait)) // where it cannot, the server's holds
	return p.Writer.Write(b)
}

// sourceReport is what one source did lately, and what the limits did to it.
type sourceReport struct {
	Source  string             `json:"source"`
	Refused uint64             `json:"refused"`
	Reasons []tail.ReasonCount `json:"reasons"`
	Events  []json.RawMessage  `json:"events"`  // the newest, newest first
	Letters []json.RawMessage  `json:"letters"` // the newest refused calls
	Limits  map[string]uint64  `json:"limits,omitempty"`
	Doors   []doorReport       `json:"doors,omitempty"` // that the configuration sets up for it
}

// sources lists the sources with their newest events and refusals, and the doors that are
// set up, also before anything came in by them.
func (a *api) sources(c *gin.Context) {
	out := []sourceReport{}
	seen := map[string]bool{}
	if t := a.deps.Ingest.Tail(); t != nil {
		limits := totals(a.deps.Ingest.Limits())
		for _, r := range t.Sources() {
			seen[r.Source] = true
			out = append(out, sourceReport{r.Source, r.Refused, r.Reasons, t.Recent(r.Source, false), t.Recent(r.Source, true), limits[r.Source], a.arrivals.of(r.Source)})
		}
	}
	for _, n := range a.arrivals.names {
		if !seen[n.Source] {
			seen[n.Source] = true
			out = append(out, sourceReport{Source: n.Source, Reasons: []tail.ReasonCount{}, Events: []json.RawMessage{}, Letters: []json.RawMessage{}, Doors: a.arrivals.of(n.Source)})
		}
	}
	c.JSON(http.StatusOK, gin.H{"sources": out})
}

// totals are the limits' counts by source and reason.
func totals(list []quota.Total) map[string]map[string]uint64 {
	by := map[string]map[string]uint64{}
	for _, t := range list {
		if by[t.Source] == nil {
			by[t.Source] = map[string]uint64{}
		}
		by[t.Source][t.Reason.String()] += t.Count
	}
	return by
}
