package httpapi

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"kindred/serving/snippet"
)

const (
	// visitorRoute is what pages may ask besides sending tracking calls.
	visitorRoute = "/v1/recommendations"
	// libraryRoute takes what analytics.js reports about itself.
	libraryRoute = "/v1/m"
)

// scriptRoutes serves what pages load: our own script, and Segment's with its settings.
func (a *api) scriptRoutes(e *gin.Engine) {
	h := gin.WrapH(snippet.New(a.cfg.Snippet, snippet.Deps{Known: a.knownWriteKey, Trusted: a.viaTrustedProxy}))
	for _, path := range snippet.Paths() {
		path = strings.NewReplacer("{", ":", "}", "").Replace(path)
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions} {
			e.Handle(method, path, h)
		}
	}
}

// knownWriteKey reports whether a page with this key in its address may track.
func (a *api) knownWriteKey(secret string) bool {
	if a.keys.open() {
		return true
	}
	key, ok := a.keys.find(secret)
	return ok && key.may(ScopeIngest)
}

// viaTrustedProxy reports whether the connection comes from a configured proxy.
func (a *api) viaTrustedProxy(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && slices.ContainsFunc(a.cfg.TrustedProxies, func(cidr string) bool {
		p, err := netip.ParsePrefix(cidr)
		return err == nil && p.Contains(ip.Unmap())
	})
}

// maxLibraryBytes bounds what is read of a library's report about itself.
const maxLibraryBytes = 64 << 10

// libraryMetrics takes analytics.js's counters about itself, which say nothing about
// people, and keeps none: the request is in the metrics like any other.
func (a *api) libraryMetrics(c *gin.Context) {
	io.Copy(io.Discard, io.LimitReader(c.Request.Body, maxLibraryBytes))
	c.JSON(http.StatusOK, trackAnswer{Success: true})
}

type visitorContext struct{}

// asVisitor marks a request by a page or with a key that anybody can read in one: it may
// not say by a name alone whose recommendations it wants. An anonymous id is a
// random secret of the browser; a user id is often an e-mail address.
func asVisitor(c *gin.Context) {
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), visitorContext{}, true))
}

// isVisitor reports whether the request was marked by asVisitor.
func isVisitor(ctx context.Context) bool {
	is, _ := ctx.Value(visitorContext{}).(bool)
	return is
}

// isForeign reports whether a page of another origin sent the request.
func isForeign(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin != "" && !isOwn(origin, r)
}
