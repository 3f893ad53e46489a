package httpapi

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"kindred/data"
	"kindred/serving/ingest"
	"kindred/serving/ingest/door"
)

// namedDoorRoutes are the doors that the configuration sets up by name. Servers come in by
// them, never pages: they have no CORS.
func (a *api) namedDoorRoutes(e *gin.Engine) {
	e.POST("/v1/webhooks/:source", a.webhook)
	e.POST("/v1/webhook/:source", a.webhook)
	e.POST("/v1/pubsub/:source", a.pubSub)
	e.POST("/v1/debezium/:source", a.debezium)
	e.POST("/v1/feeds/:source", a.feed)
}

// arrival is one request at a named door.
type arrival struct {
	door.Name
	limits door.Limits
	scope  Scope // of the key that is needed; "" where verify or the caller has seen who it is
	// verify checks who sent the body; nil where that is known.
	verify func(body []byte) error
	parse  func(body []byte) (ingest.Body, error)
	// then is done when the calls are durable; nil is nothing.
	then func() error
}

// arrive takes an arrival in: whatever it is, it is counted.
func (a *api) arrive(c *gin.Context, r arrival) {
	if r.scope != "" && !a.mayArrive(c, r) {
		return
	}
	a.withBody(c, r.Source, int64(r.limits.Bytes), func(b []byte) {
		if r.verify != nil {
			if err := r.verify(b); err != nil {
				a.turnAway(c, r.Name, err)
				return
			}
		}
		body, err := r.parse(b)
		if err != nil {
			a.arrivals.count(r.Name, outcomeOf(err), err.Error(), a.deps.Now())
			a.unreadable(c, err)
			return
		}
		a.accept(c, body, r.Source, func() {
			if r.then != nil {
				if err := r.then(); err != nil {
					a.notTaken(c, err)
					return
				}
			}
			a.arrivals.count(r.Name, arrived, "", a.deps.Now())
			if len(body.Unread) > 0 {
				a.arrivals.count(r.Name, arrivedPartly, body.Unread[0].Reason, a.deps.Now())
			}
			c.JSON(http.StatusOK, trackAnswer{Success: true})
		})
	})
}

// mayArrive reports whether the request has a key with the scope; else it answers.
func (a *api) mayArrive(c *gin.Context, r arrival) bool {
	if a.keys.open() {
		return true
	}
	secret := presented(c.Request.Header)
	if secret == "" && r.scope != ScopeAdmin { // addresses stand in logs: an admin's key is no part of one
		secret = c.Query("writeKey")
	}
	key, ok := a.keys.find(secret)
	switch {
	case !ok:
		how := "Basic user name, Bearer token, X-API-Key or ?writeKey="
		if r.scope == ScopeAdmin {
			how = "Basic user name, Bearer token or X-API-Key"
		}
		a.turnAway(c, r.Name, errors.New("a key is needed: send it as "+how))
		return false
	case !key.may(r.scope):
		a.arrivals.count(r.Name, arrivedUnknown, "a key without the scope", a.deps.Now())
		a.refuseTracking(c, http.StatusForbidden, fmt.Sprintf("the key %q lacks the scope %s", key.name, r.scope))
		return false
	}
	note(c, key.name)
	return true
}

// turnAway answers somebody who could not prove who they are.
func (a *api) turnAway(c *gin.Context, name door.Name, err error) {
	a.arrivals.count(name, arrivedUnknown, err.Error(), a.deps.Now())
	a.refuseTracking(c, http.StatusUnauthorized, err.Error())
}

// nobody answers for a door that is not set up.
func (a *api) nobody(c *gin.Context, setting string) {
	a.refuseTracking(c, http.StatusNotFound, fmt.Sprintf("no source %q is set up here; see doors.%s in the configuration", shorten(c.Param("source")), setting))
}

// webhook takes a delivery in, signed or with a write key.
func (a *api) webhook(c *gin.Context) {
	source := c.Param("source")
	hook := a.deps.Doors.Webhook(source)
	if hook == nil {
		a.nobody(c, "webhooks")
		return
	}
	r := arrival{Name: door.Name{Door: door.DoorWebhook, Source: source}, limits: a.deps.Doors.Limits(), scope: ScopeIngest}
	if hook.Signed() {
		r.scope, r.verify = "", func(b []byte) error { return hook.Verify(c.GetHeader, b, a.deps.Now()) }
	}
	r.parse = func(b []byte) (ingest.Body, error) {
		batch, err := hook.Calls(b, c.ContentType(), c.GetHeader, r.limits)
		return a.opened(c, batch), err
	}
	a.arrive(c, r)
}

// pubSub takes a push of Google Cloud Pub/Sub in, whose token says who sends.
func (a *api) pubSub(c *gin.Context) {
	source := c.Param("source")
	push := a.deps.Doors.PubSub(source)
	if push == nil {
		a.nobody(c, "pubsub")
		return
	}
	r := arrival{Name: door.Name{Door: door.DoorPubSub, Source: source}, limits: a.deps.Doors.Limits()}
	if err := push.Verify(c.Request.Context(), c.GetHeader("Authorization"), a.deps.Now()); door.IsLater(err) {
		a.arrivals.count(r.Name, outcomeOf(err), err.Error(), a.deps.Now())
		a.unreadable(c, err)
		return
	} else if err != nil {
		a.turnAway(c, r.Name, err)
		return
	}
	r.parse = func(b []byte) (ingest.Body, error) {
		m, err := door.PubSub(b, c.GetHeader, r.limits)
		return a.opened(c, m.Batch), err
	}
	a.arrive(c, r)
}

// debezium takes changes of a database in: people's rows as calls, items' rows into the catalog, for
// which it takes an admin's key.
func (a *api) debezium(c *gin.Context) {
	source := c.Param("source")
	stream, ok := a.deps.Doors.Debezium(source)
	if !ok {
		a.nobody(c, "debezium")
		return
	}
	r := arrival{Name: door.Name{Door: door.DoorDebezium, Source: source}, limits: a.deps.Doors.Limits(), scope: ScopeIngest}
	if stream.Items() {
		r.scope = ScopeAdmin
	}
	var changes door.Changes
	r.parse = func(b []byte) (body ingest.Body, err error) {
		changes, err = door.Debezium(b, stream.Tables, r.limits)
		body = a.opened(c, changes.Batch)
		kept := changes.Items[:0]
		for _, change := range changes.Items {
			if bad := checkItem(change.Item); bad != nil && !change.Deleted {
				body.Unread = append(body.Unread, ingest.Unread{Raw: change.Raw, Reason: "Debezium: after: makes no item: " + bad.Error()})
				continue
			}
			kept = append(kept, change)
		}
		changes.Items = kept
		return body, err
	}
	r.then = func() error {
		if n := len(changes.Deleted); n > 0 {
			a.deps.Logger.Info("rows of users were deleted; the people are kept", "rows", n, "source", source)
		}
		return a.changeItems(c, changes.Items)
	}
	a.arrive(c, r)
}

// changeItems puts and deletes items in their order, and brings them into the snapshot.
func (a *api) changeItems(c *gin.Context, changes []door.ItemChange) error {
	if len(changes) == 0 {
		return nil
	}
	ctx := c.Request.Context()
	var put []data.Item
	flush := func() error {
		if len(put) == 0 {
			return nil
		}
		err := a.deps.Catalog.PutItems(ctx, put)
		put = nil
		return err
	}
	for _, change := range changes {
		if !change.Deleted {
			put = append(put, change.Item)
			continue
		}
		if err := flush(); err != nil {
			return fmt.Errorf("store items: %w", err)
		}
		if err := a.deps.Catalog.DeleteItem(ctx, change.Item.ID); err != nil && !errors.Is(err, data.ErrNotFound) {
			return fmt.Errorf("delete item: %w", err)
		}
	}
	if err := flush(); err != nil {
		return fmt.Errorf("store items: %w", err)
	}
	return a.deps.Live.Refresh(ctx)
}

// checkItem is the objection to an item, as for one that is put by its route.
func checkItem(it data.Item) error {
	l := itemLine{ID: string(it.ID), itemBody: itemBody{Title: it.Title, Text: it.Text, Categories: it.Categories, Tags: it.Tags, Brand: it.Brand,
		Price: it.Price, Currency: it.Currency, URL: it.URL, ImageURL: it.ImageURL, Attributes: it.Attributes}}
	return errorOf(l.check())
}

func errorOf(e *lineError) error {
	if e == nil {
		return nil
	}
	return e
}
