package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"kindred/data"
	"kindred/serving/ingest"
	"kindred/serving/ingest/door"
)

// trackingTypes are the tracking routes below /v1 and the type of their calls; ""
// is a batch.
var trackingTypes = map[string]data.EventType{
	"batch": "", "b": "",
	"track": data.Track, "t": data.Track,
	"identify": data.Identify, "i": data.Identify,
	"page": data.Page, "p": data.Page,
	"screen": data.Screen, "s": data.Screen,
	"group": data.Group, "g": data.Group,
	"alias": data.Alias, "a": data.Alias,
}

func isTracking(route string) bool {
	name, ok := strings.CutPrefix(route, "/v1/")
	_, is := trackingTypes[name]
	return ok && is || route == libraryRoute || slices.Contains(doorRoutes, route)
}

func (a *api) trackingRoutes(e *gin.Engine) {
	for name, typ := range trackingTypes {
		e.POST("/v1/"+name, a.allowOrigin, func(c *gin.Context) { a.track(c, typ) })
		e.OPTIONS("/v1/"+name, a.allowOrigin, func(c *gin.Context) { c.Status(http.StatusNoContent) })
	}
	for _, route := range []string{libraryRoute, visitorRoute} {
		e.OPTIONS(route, a.allowOrigin, func(c *gin.Context) { c.Status(http.StatusNoContent) })
	}
	e.POST(libraryRoute, a.allowOrigin, a.libraryMetrics)
}

// allowOrigin writes the CORS headers, and refuses pages of origins that are not
// allowed; errors carry the headers too, or pages could not read them. Some trackers send with
// credentials (Snowplow's, and every beacon), which a browser lets a page do only where its
// origin is named, not where it is "*". No route that takes calls looks at a cookie.
func (a *api) allowOrigin(c *gin.Context) {
	h := c.Writer.Header()
	origin := c.GetHeader("Origin")
	everybody := slices.Contains(a.cfg.AllowedOrigins, "*")
	listed := slices.Contains(a.cfg.AllowedOrigins, origin)
	tracks := isTracking(c.FullPath())
	switch {
	case origin != "" && (listed || everybody && tracks):
		h.Set("Access-Control-Allow-Origin", origin)
		if tracks {
			h.Set("Access-Control-Allow-Credentials", "true")
		}
	case everybody:
		h.Set("Access-Control-Allow-Origin", "*")
	}
	if !everybody || tracks {
		h.Add("Vary", "Origin")
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
	h.Set("Access-Control-Allow-Headers", allowedHeaders)
	h.Set("Access-Control-Expose-Headers", "Retry-After, X-RateLimit-Reset")
	h.Set("Access-Control-Max-Age", "86400")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	// A page needs no preflight to send text/plain, so hiding the answer is not enough.
	if origin != "" && !everybody && !listed && !isOwn(origin, c.Request) {
		c.Abort()
		a.refuseTracking(c, http.StatusForbidden, "pages of this origin may not send tracking calls; see allowed_origins in the configuration")
		return
	}
	c.Next()
}

// allowedHeaders are those that trackers send from pages: Segment's, then Snowplow's, then
// RudderStack's, whose "rsa-" ones come with a retry. A tracker with one that is missing delivers nothing.
const allowedHeaders = "authorization, content-type, content-encoding, x-retry-count, x-api-key, sp-anonymous, " +
	"anonymousid, sentat, rsa-retry-attempt, rsa-retry-reason, rsa-since-first-attempt, rsa-since-last-attempt"

// isOwn reports whether the origin is this server's own, as its pages have it.
func isOwn(origin string, r *http.Request) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && u.Host == r.Host
}

// trackAnswer is what tracking routes answer with.
type trackAnswer struct {
	Success bool   `json:"success"`
	Message string `json:"message,omitempty"`
}

// track takes one body in. See the package comment for its answers.
func (a *api) track(c *gin.Context, typ data.EventType) {
	limits := a.deps.Ingest.Config()
	a.takeIn(c, presented(c.Request.Header), limits.MaxBodyBytes, func(b []byte) (ingest.Body, error) {
		if typ == "" {
			if parse := a.encoded(c); parse != nil {
				return parse(b)
			}
		}
		return ingest.ParseBody(b, typ, limits.MaxBodyBytes, limits.MaxCalls)
	}, func() { c.JSON(http.StatusOK, trackAnswer{Success: true}) })
}

// takeIn takes one body of at most limit bytes in, which parse takes apart, and calls
// done where it is durable. secret is the write key that the request's headers hold, if any.
func (a *api) takeIn(c *gin.Context, secret string, limit int64, parse func([]byte) (ingest.Body, error), done func()) {
	key, ok := a.keys.find(secret)
	if !a.keys.open() && secret != "" && !(ok && key.may(ScopeIngest)) {
		a.refuseTracking(c, http.StatusUnauthorized, "unknown write key, or one without the scope ingest")
		return
	}
	named := sourceName(secret)
	if ok {
		named = key.name
	}
	a.withBody(c, named, limit, func(b []byte) {
		body, err := parse(b)
		if err != nil {
			a.unreadable(c, err)
			return
		}
		if secret == "" {
			secret = body.WriteKey
			key, ok = a.keys.find(secret)
		}
		source := sourceName(secret)
		if !a.keys.open() {
			if !ok || !key.may(ScopeIngest) {
				a.refuseTracking(c, http.StatusUnauthorized, "a write key is needed: send it as Basic user name, Bearer token or writeKey in the body")
				return
			}
			source = key.name
			note(c, key.name)
		}
		a.accept(c, body, source, done)
	})
}

// withBody reads a body of at most limit bytes for use, while there is room for it. The
// bytes are use's until it returns.
func (a *api) withBody(c *gin.Context, source string, limit int64, use func([]byte)) {
	memory := a.bodies.take()
	defer a.bodies.put(memory) // Accept keeps nothing of the body
	coming, sent := &memory.coming, c.Request.Body
	coming.open(c.Writer, c.Request, a.cfg.BodyTimeout, a.cfg.ReadTimeout)
	coming.ahead(c.Request.ContentLength)
	c.Request.Body = coming
	defer func() {
		c.Request.Body = sent
		coming.close()
	}()
	ticket, err := a.deps.Ingest.Admit(source, firstRoom)
	if err != nil {
		a.overloaded(c, err)
		return
	}
	defer ticket.Release()
	memory.room = func(n int) bool { return ticket.Resize(int64(n)) }
	b, err := memory.read(c.Request, limit)
	memory.room = nil
	switch {
	case errors.Is(err, errNoRoom):
		a.overloaded(c, err)
	case err != nil && coming.cut:
		a.refuseTracking(c, http.StatusRequestTimeout, "the body ended before its end, or came too slowly; send it again")
	case err != nil:
		a.refuseTracking(c, http.StatusBadRequest, "read the body: "+err.Error())
	default:
		use(b)
	}
}

// unreadable refuses a body that cannot be read, or asks its sender to come again where what
// it takes to read it cannot be had now.
func (a *api) unreadable(c *gin.Context, err error) {
	if door.IsLater(err) {
		a.deps.Logger.Warn("a request cannot be read now", "error", err, "request_id", requestID(c.Request.Context()))
		a.overloaded(c, err)
		return
	}
	a.refuseTracking(c, http.StatusBadRequest, err.Error())
}

// accept makes a body's calls durable and calls done.
func (a *api) accept(c *gin.Context, body ingest.Body, source string, done func()) {
	result, err := a.deps.Ingest.Accept(c.Request.Context(), body, a.caller(c, source))
	if err != nil {
		a.notTaken(c, err)
		return
	}
	if n := len(result.Rejected) + len(body.Unread); n > 0 {
		first := ""
		if len(body.Unread) > 0 {
			first = body.Unread[0].Reason
		} else {
			first = result.Rejected[0].Reason
		}
		a.deps.Logger.Warn("tracking calls rejected", "rejected", n, "accepted", result.Accepted, "first", first,
			"source", source, "request_id", requestID(c.Request.Context()))
	}
	done()
}

// notTaken answers for what could not be made durable.
func (a *api) notTaken(c *gin.Context, err error) {
	switch {
	case errors.Is(err, data.ErrOverloaded):
		a.overloaded(c, err)
	case errors.Is(err, context.Canceled):
		a.refuseTracking(c, http.StatusRequestTimeout, "the request was given up")
	default: // as a disk that fails: what was sent is as good as before, and clients wait longest for a 429
		a.deps.Logger.Error("tracking call failed", "error", err, "request_id", requestID(c.Request.Context()))
		a.overloaded(c, err)
	}
}

// overloaded asks the client to come again.
func (a *api) overloaded(c *gin.Context, err error) {
	seconds, message := a.retryAfter(), "the server takes in as much as it can; try again later"
	var limit *ingest.OverloadedError
	if errors.As(err, &limit) {
		seconds, message = strconv.Itoa(limit.Seconds()), limit.Refusal.Error()
	}
	c.Header("Retry-After", seconds)
	c.Header("X-RateLimit-Reset", seconds)
	a.refuseTracking(c, http.StatusTooManyRequests, message)
}

// caller is who sent the request. It is a person's own browser or app if the request
// says that a page sent it or names a browser as its agent; a server's call says neither.
func (a *api) caller(c *gin.Context, source string) ingest.Caller {
	h := c.Request.Header
	from := ingest.Caller{Source: source, UserAgent: h.Get("User-Agent")}
	from.Client = h.Get("Origin") != "" || h.Get("Sec-Fetch-Site") != "" || strings.HasPrefix(from.UserAgent, "Mozilla/")
	if c.GetBool(anonymousCaller) {
		return from
	}
	if ip, err := netip.ParseAddr(c.ClientIP()); err == nil {
		from.IP = ip.Unmap()
	}
	for _, name := range hints {
		if v := h.Get(name); v != "" {
			if from.Hints == nil {
				from.Hints = make(map[string]string, len(hints))
			}
			from.Hints[strings.ToLower(name)] = v
		}
	}
	return from
}

// anonymousCaller marks a request whose sender asked that nothing of the network is kept.
const anonymousCaller = "kindred.anonymous"

// hints are the client hints that say what the person's device is.
var hints = []string{"Sec-Ch-Ua", "Sec-Ch-Ua-Mobile", "Sec-Ch-Ua-Platform", "Sec-Ch-Ua-Platform-Version", "Sec-Ch-Ua-Model", "Sec-Ch-Ua-Full-Version-List"}

func (a *api) refuseTracking(c *gin.Context, status int, message string) {
	c.JSON(status, trackAnswer{Message: message})
}

// sourceName is the name that events of a server without keys get from the
// client's own write key, so that its retries find their first try.
func sourceName(writeKey string) string {
	if writeKey == "" || len(writeKey) > 64 || !printable(writeKey) {
		return "default"
	}
	return writeKey
}

// requireKey is checkKey for plain handlers.
func (a *api) requireKey(scope Scope) gin.HandlerFunc {
	return func(c *gin.Context) {
		if !a.admit(c, scope) {
			c.Abort()
		}
	}
}
