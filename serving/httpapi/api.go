package httpapi

import (
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
)

// api is what the handlers share. It is immutable after New.
type api struct {
	aliases  sync.Mutex // held by an alias until the next may begin
	cfg      Config
	deps     Deps
	keys     keyring
	metrics  *metrics
	huma     huma.API
	bodies   bodies // of tracking calls
	answers  bodies // of recommendations
	gate     gate   // before them
	arrivals *arrivals
	// followers is how many follow changes.
	followers atomic.Int64
}

// New returns the handler of the whole server. The error is cfg's, or names a
// dependency that is missing.
func New(cfg Config, deps Deps) (http.Handler, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	for name, missing := range map[string]bool{
		"Recommend": deps.Recommend == nil, "Live": deps.Live == nil, "Ingest": deps.Ingest == nil, "People": deps.People == nil,
		"Acks": deps.Acks == nil, "Catalog": deps.Catalog == nil, "Users": deps.Users == nil, "Now": deps.Now == nil, "NewID": deps.NewID == nil,
	} {
		if missing {
			return nil, fmt.Errorf("http: Deps.%s is missing", name)
		}
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	a := &api{cfg: cfg, deps: deps, keys: newKeyring(cfg.Keys)}
	a.gate.max = int64(cfg.MaxAnswers)
	a.arrivals = newArrivals(deps.Doors)
	a.metrics = newMetrics(a)
	a.metrics.registry.MustRegister(a.arrivals, &connectorState{deps.Connectors}, &outState{deps.Members, deps.Webhooks})

	engine, err := a.engine()
	if err != nil {
		return nil, err
	}
	a.trackingRoutes(engine)
	a.scriptRoutes(engine)
	a.doorRoutes(engine)
	a.namedDoorRoutes(engine)
	a.debugRoutes(engine)
	a.followRoutes(engine)
	engine.GET("/metrics", a.requireKey(ScopeRead), gin.WrapH(a.metrics.handler()))
	a.pageRoutes(engine)

	a.huma = humagin.New(engine, a.openAPI())
	a.healthRoutes()
	a.recommendationRoutes()
	a.profileRoutes()
	a.itemRoutes()
	a.userRoutes()
	a.mergeRoutes()
	a.modelRoutes()
	a.clusterRoutes()
	a.segmentRoutes()
	a.jobRoutes()
	a.deadLetterRoutes()
	a.lateRoutes()
	a.schemaRoutes()
	a.connectorRoutes()
	a.changeRoutes()
	a.memberRoutes()
	a.webhookOutRoutes()
	return engine, nil
}

// engine is a gin without its own recovery, logger and redirects.
func (a *api) engine() (*gin.Engine, error) {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.UseRawPath = true // ids may hold a slash, written %2F
	e.UnescapePathValues = true
	e.RedirectTrailingSlash = false // clients take a redirect for success and lose the data
	e.RedirectFixedPath = false
	e.HandleMethodNotAllowed = true
	if err := e.SetTrustedProxies(a.cfg.TrustedProxies); err != nil {
		return nil, fmt.Errorf("http: trusted_proxies: %w", err)
	}
	e.Use(a.observe, a.secure, refuseBadAddress, a.refuseRebound, a.refuseCrossOrigin())
	e.NoRoute(func(c *gin.Context) {
		writeProblem(c.Writer, problem(http.StatusNotFound, "there is no such route; /openapi.json lists them", field("path", "unknown route", nil)))
	})
	e.NoMethod(func(c *gin.Context) {
		writeProblem(c.Writer, problem(http.StatusMethodNotAllowed, "this route does not take "+c.Request.Method+"; see the Allow header",
			field("method", "not allowed", c.Request.Method)))
	})
	return e, nil
}

// openAPI describes the API and turns off what huma would fetch from elsewhere.
func (a *api) openAPI() huma.Config {
	c := huma.DefaultConfig("Kindred", a.deps.Version)
	c.Info.Description = "Recommendations that follow the last event. Tracking calls are taken on /v1/batch, /v1/track, " +
		"/v1/identify, /v1/page and their short forms, as Segment's clients send them."
	c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", nil
	c.RejectUnknownQueryParameters = true
	c.Transformers = append(c.Transformers, brief)
	c.Formats = map[string]huma.Format{"application/json": a.jsonFormat(), "json": a.jsonFormat()}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "An API key."},
		"basic":  {Type: "http", Scheme: "basic", Description: "An API key as user name, no password: what trackers send."},
		"header": {Type: "apiKey", In: "header", Name: "X-API-Key"},
	}
	return c
}

// pageRoutes hands the pages to whoever serves them. The pages themselves hold no
// data and are open; a report says what /v1/evaluations says.
func (a *api) pageRoutes(e *gin.Engine) {
	if a.deps.Pages == nil {
		return
	}
	for _, path := range []string{"/", "/favicon.ico", "/assets/*path", "/docs", "/docs/*path"} {
		e.GET(path, gin.WrapH(a.deps.Pages))
		e.HEAD(path, gin.WrapH(a.deps.Pages))
	}
	e.GET("/reports/*path", a.requireKey(ScopeRead), gin.WrapH(a.deps.Pages))
	e.HEAD("/reports/*path", a.requireKey(ScopeRead), gin.WrapH(a.deps.Pages))
}
