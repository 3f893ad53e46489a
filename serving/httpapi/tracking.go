package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"kindred/data"
	"kindred/serving/ingest"
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
	return ok && is || route == libraryRoute
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
// allowed; errors carry the headers too, or pages could not read them.
func (a *api) allowOrigin(c *gin.Context) {
	h := c.Writer.Header()
	origin := c.GetHeader("Origin")
	everybody := slices.Contains(a.cfg.AllowedOrigins, "*")
	listed := slices.Contains(a.cfg.AllowedOrigins, origin)
	switch {
	case everybody:
		h.Set("Access-Control-Allow-Origin", "*")
	case listed:
		h.Set("Access-Control-Allow-Origin", origin)
	}
	if !everybody {
		h.Add("Vary", "Origin")
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "authorization, content-type, content-encoding, x-retry-count, x-api-key")
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
	secret := presented(c.Request.Header)
	key, ok := a.keys.find(secret)
	if !a.keys.open() && secret != "" && !(ok && key.may(ScopeIngest)) {
		a.refuseTracking(c, http.StatusUnauthorized, "unknown write key, or one without the scope ingest")
		return
	}
	memory := a.bodies.take()
	defer a.bodies.put(memory) // Accept keeps nothing of the body
	b, err := memory.read(c.Request, limits.MaxBodyBytes)
	if err != nil {
		a.refuseTracking(c, http.StatusBadRequest, "read the body: "+err.Error())
		return
	}
	body, err := ingest.ParseBody(b, typ, limits.MaxBodyBytes, limits.MaxCalls)
	if err != nil {
		a.refuseTracking(c, http.StatusBadRequest, err.Error())
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
	result, err := a.deps.Ingest.Accept(c.Request.Context(), body, ingest.Caller{Source: source})
	switch {
	case errors.Is(err, data.ErrOverloaded):
		c.Header("Retry-After", a.retryAfter())
		c.Header("X-RateLimit-Reset", a.retryAfter())
		a.refuseTracking(c, http.StatusTooManyRequests, "the server takes in as much as it can; try again later")
		return
	case errors.Is(err, context.Canceled):
		a.refuseTracking(c, http.StatusRequestTimeout, "the request was given up")
		return
	case err != nil:
		a.deps.Logger.Error("tracking call failed", "error", err, "request_id", requestID(c.Request.Context()))
		a.refuseTracking(c, http.StatusInternalServerError, "something went wrong on the server")
		return
	}
	if n := len(result.Rejected); n > 0 {
		a.deps.Logger.Warn("tracking calls rejected", "rejected", n, "accepted", result.Accepted, "first", result.Rejected[0].Reason,
			"source", source, "request_id", requestID(c.Request.Context()))
	}
	c.JSON(http.StatusOK, trackAnswer{Success: true})
}

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
