package httpapi

import (
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"kindred/data"
	"kindred/serving/ingest"
	"kindred/serving/ingest/door"
)

// The routes of other trackers, as their clients have them built in.
const (
	snowplowPost = "/com.snowplowanalytics.snowplow/tp2"
	snowplowGet  = "/i"
	rudderBeacon = "/beacon/v1/batch"
	rudderConfig = "/sourceConfig/"
	rudderMerge  = "/v1/merge"
	rudderImport = "/v1/import"
	pixelTrack   = "/pixel/v1/track"
	pixelPage    = "/pixel/v1/page"
	postHogBatch = "/batch/"
	postHogOne   = "/capture/"
	postHogEvent = "/e/"
	postHogNew   = "/i/v0/e/"
	firehose     = "/v1/firehose"
)

// doorRoutes are those that take calls from pages of other origins, as tracking routes do.
var doorRoutes = []string{snowplowPost, snowplowGet, rudderBeacon, rudderConfig, rudderMerge, rudderImport, pixelTrack, pixelPage, postHogBatch, postHogOne, postHogEvent, postHogNew}

// parseDoor makes a batch of a request's body.
type parseDoor func(c *gin.Context, body []byte, l door.Limits) (door.Batch, error)

func (a *api) doorRoutes(e *gin.Engine) {
	ok := func(c *gin.Context) { c.JSON(http.StatusOK, trackAnswer{Success: true}) }
	rudder := func(c *gin.Context, b []byte, l door.Limits) (door.Batch, error) {
		return door.Rudder(door.Document(c.ContentType(), b), c.Query("writeKey"), l)
	}
	for route, parse := range map[string]parseDoor{
		snowplowPost: func(c *gin.Context, b []byte, l door.Limits) (door.Batch, error) {
			return door.Snowplow(b, isAnonymous(c), l)
		},
		rudderBeacon: rudder,
		rudderImport: rudder,
		rudderMerge: func(c *gin.Context, b []byte, l door.Limits) (door.Batch, error) {
			return door.RudderMerge(door.Document(c.ContentType(), b), l)
		},
		postHogBatch: postHog, postHogOne: postHog, postHogEvent: postHog, postHogNew: postHog,
	} {
		e.POST(route, a.allowOrigin, func(c *gin.Context) { a.door(c, presented(c.Request.Header), parse, func() { ok(c) }) })
		e.OPTIONS(route, a.allowOrigin, func(c *gin.Context) { c.Status(http.StatusNoContent) })
	}
	e.GET(snowplowGet, a.allowOrigin, a.pixel(func(c *gin.Context, q url.Values, l door.Limits) (door.Batch, error) {
		return door.SnowplowGet(q, isAnonymous(c), l)
	}))
	for route, typ := range map[string]data.EventType{pixelTrack: data.Track, pixelPage: data.Page} {
		e.GET(route, a.allowOrigin, a.pixel(func(_ *gin.Context, q url.Values, l door.Limits) (door.Batch, error) { return door.Pixel(typ, q, l) }))
	}
	e.GET(rudderConfig, a.allowOrigin, a.rudderConfig)
	for _, route := range []string{rudderConfig, snowplowGet} {
		e.OPTIONS(route, a.allowOrigin, func(c *gin.Context) { c.Status(http.StatusNoContent) })
	}
	e.POST(firehose, a.firehose)
}

func postHog(c *gin.Context, b []byte, l door.Limits) (door.Batch, error) {
	return door.PostHog(door.Document(c.ContentType(), b), c.Request.URL.Query(), l)
}

// isAnonymous reports whether a Snowplow tracker asks that nothing of the network is kept.
func isAnonymous(c *gin.Context) bool { return c.GetHeader("SP-Anonymous") != "" }

// limits are a door's: those of a tracking batch.
func (a *api) limits() door.Limits {
	cfg := a.deps.Ingest.Config()
	return door.Limits{Bytes: int(cfg.MaxBodyBytes), Calls: cfg.MaxCalls}
}

// door takes the body of another tracker's request in.
func (a *api) door(c *gin.Context, secret string, parse parseDoor, done func()) {
	a.doorWithin(c, secret, a.limits(), parse, done)
}

// doorWithin is door with limits of its own.
func (a *api) doorWithin(c *gin.Context, secret string, l door.Limits, parse parseDoor, done func()) {
	a.takeIn(c, secret, int64(l.Bytes), func(b []byte) (ingest.Body, error) {
		batch, err := parse(c, b, l)
		return a.opened(c, batch), err
	}, done)
}

// opened is a batch as a body to take in.
func (a *api) opened(c *gin.Context, b door.Batch) ingest.Body {
	body := ingest.Body{Calls: b.Calls, Context: b.Context, SentAt: b.SentAt, WriteKey: b.WriteKey}
	for _, r := range b.Rejected {
		body.Unread = append(body.Unread, ingest.Unread{Raw: r.Raw, Reason: r.Reason})
	}
	if b.Anonymous {
		c.Set(anonymousCaller, true)
	}
	return body
}

// pixel takes a call that is an image's address. The image comes whatever became of the
// call, so that no page or mail shows a broken one; what is wrong is in the log.
func (a *api) pixel(parse func(*gin.Context, url.Values, door.Limits) (door.Batch, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		status := mute(c, func() {
			a.door(c, presented(c.Request.Header), func(c *gin.Context, _ []byte, l door.Limits) (door.Batch, error) {
				return parse(c, c.Request.URL.Query(), l)
			}, func() { c.Status(http.StatusOK) })
		})
		if status != http.StatusOK {
			a.deps.Logger.Info("pixel refused", "status", status, "route", c.FullPath(), "request_id", requestID(c.Request.Context()))
		}
		c.Data(http.StatusOK, "image/gif", []byte(door.GIF))
	}
}

// rudderConfig answers what RudderStack's browser client asks before it starts.
func (a *api) rudderConfig(c *gin.Context) {
	key := c.Query("writeKey")
	if key == "" {
		key = presented(c.Request.Header)
	}
	if !a.knownWriteKey(key) {
		a.refuseTracking(c, http.StatusUnauthorized, "unknown write key, or one without the scope ingest")
		return
	}
	c.Data(http.StatusOK, "application/json", door.RudderConfig(key))
}

// firehose takes a delivery of Amazon Data Firehose, whose access key is a write key.
// What it hears is always JSON of its own form.
func (a *api) firehose(c *gin.Context) {
	id := c.GetHeader(door.FirehoseRequestHeader)
	status := mute(c, func() {
		a.doorWithin(c, c.GetHeader(door.FirehoseKeyHeader), a.deps.Doors.Limits(), func(c *gin.Context, b []byte, l door.Limits) (door.Batch, error) {
			r, err := door.Firehose(b, id, c.GetHeader(door.FirehoseAttributesHeader), l)
			if r.ID != "" {
				id = r.ID
			}
			return r.Batch, err
		}, func() { c.Status(http.StatusOK) })
	})
	message := ""
	if status != http.StatusOK {
		message = http.StatusText(status)
	}
	c.Data(status, "application/json", door.FirehoseAnswer(id, a.deps.Now().UTC().Truncate(time.Millisecond), message))
}

// muted lets a tracking route answer nobody and notes its status, for routes whose
// clients understand another form only.
type muted struct {
	gin.ResponseWriter
	status int
}

// Unwrap lets the connection's deadlines be set.
func (w *muted) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *muted) WriteHeader(status int)            { w.status = status }
func (w *muted) WriteHeaderNow()                   {}
func (w *muted) Write(b []byte) (int, error)       { return len(b), nil }
func (w *muted) WriteString(s string) (int, error) { return len(s), nil }

// mute runs answer with a muted writer and returns the status it wrote.
func mute(c *gin.Context, answer func()) int {
	w := &muted{ResponseWriter: c.Writer}
	c.Writer = w
	func() {
		defer func() { c.Writer = w.ResponseWriter }() // also for a panic, whose problem is to be read
		answer()
	}()
	c.Writer.Header().Del("Content-Type")
	return w.status
}
