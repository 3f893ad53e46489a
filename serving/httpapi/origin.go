package httpapi

import (
	"net"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// refuseCrossOrigin keeps other sites' pages from making a visitor's browser send
// changes here; tracking routes take calls from anywhere, and pages of allowed origins
// may ask for their visitor's recommendations.
func (a *api) refuseCrossOrigin() gin.HandlerFunc {
	protection := http.NewCrossOriginProtection()
	return func(c *gin.Context) {
		switch route := c.FullPath(); {
		case isTracking(route):
		case route == visitorRoute && c.Request.Method == http.MethodPost && isForeign(c.Request):
			a.allowOrigin(c)
			return
		default:
			if err := protection.Check(c.Request); err != nil {
				c.Abort()
				writeProblem(c.Writer, problem(http.StatusForbidden, "requests from pages of another origin are refused", field("header.Origin", "another origin", nil)))
				return
			}
		}
		c.Next()
	}
}

// refuseRebound refuses requests that name another host than this machine where the
// loopback address is all that keeps strangers out. A page whose host name was made
// to resolve to 127.0.0.1 (DNS rebinding) shares this server's origin in the eyes of
// the browser, so refuseCrossOrigin lets it pass; its Host header gives it away.
// Behind a proxy that forwards its own host name the server needs keys.
func (a *api) refuseRebound(c *gin.Context) {
	if a.keys.open() && !a.cfg.Insecure && !isLoopback(hostName(c.Request.Host)) {
		c.Abort()
		writeProblem(c.Writer, problem(http.StatusForbidden, "without API keys only requests to localhost are answered; configure keys to serve under another name",
			field("header.Host", "use localhost or 127.0.0.1", nil)))
		return
	}
	c.Next()
}

// hostName is the host of a Host header, without its port.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return strings.ToLower(name)
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}
